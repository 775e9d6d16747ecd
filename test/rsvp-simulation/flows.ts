import type { Flow, TokenBucket } from '../../rsvp/engine/index.js';
import type { Scheduler } from '../simulation/scheduler.js';

/** Token buckets and flowspecs, and what RFC 2211 8 and RFC 2212 say of several: written down again, not taken from the engine. */

export function randomBucket(scheduler: Scheduler): TokenBucket {
  const rate = 1000 * scheduler.pick([1, 2, 3, 4, 5, 8, 12]);
  return {
    rate,
    bucket: 500 * scheduler.pick([1, 2, 4]),
    peak: rate * scheduler.pick([1, 2, 4]),
    minimumPolicedUnit: scheduler.pick([40, 64, 100]),
    maximumPacketSize: scheduler.pick([500, 1000, 1500]),
  };
}

export function randomFlow(scheduler: Scheduler, service: Flow['service']): Flow {
  const bucket = randomBucket(scheduler);
  const isGuaranteed = service === 'guaranteed';
  return {
    ...bucket,
    service,
    reservedRate: isGuaranteed ? bucket.rate * scheduler.pick([1, 2, 3]) : 0,
    slack: isGuaranteed ? scheduler.pick([0, 0, 200]) : 0,
  };
}

/** Of any two of these one is the greater: so blockade state tells them apart (RFC 2205 3.5). */
export function randomOrderedFlow(scheduler: Scheduler, service: Flow['service']): Flow {
  const rate = 1000 * scheduler.pick([1, 2, 3, 4, 6, 9, 14]);
  return {
    ...{ service, rate, bucket: rate, peak: 2 * rate, minimumPolicedUnit: 64, maximumPacketSize: 1000 },
    ...{ reservedRate: service === 'guaranteed' ? rate : 0, slack: 0 },
  };
}

/** Of one service; there is at least one. The merged M is the smallest (RFC 2211 8, RFC 2212). */
export function lubOf(flows: readonly Flow[]): Flow {
  const [first] = flows;
  if (first === undefined) throw new RangeError('flows: there is none');
  return {
    service: first.service,
    rate: Math.max(...flows.map((flow) => flow.rate)),
    bucket: Math.max(...flows.map((flow) => flow.bucket)),
    peak: Math.max(...flows.map((flow) => flow.peak)),
    minimumPolicedUnit: Math.min(...flows.map((flow) => flow.minimumPolicedUnit)),
    maximumPacketSize: Math.min(...flows.map((flow) => flow.maximumPacketSize)),
    reservedRate: Math.max(...flows.map((flow) => flow.reservedRate)),
    slack: Math.min(...flows.map((flow) => flow.slack)),
  };
}

/** What is in force: what is asked for, but no more than the senders send (RFC 2205 2.2). */
export function rateInForce(flow: Flow, sent: number): number {
  return flow.service === 'guaranteed' ? flow.reservedRate : Math.min(flow.rate, sent);
}

export function textOf(flow: Flow): string {
  const { service, rate, bucket, peak, minimumPolicedUnit: m, maximumPacketSize: M } = flow;
  const more = service === 'guaranteed' ? ` R ${flow.reservedRate} S ${flow.slack}` : '';
  return `${service} r ${rate} b ${bucket} p ${peak} m ${m} M ${M}${more}`;
}
