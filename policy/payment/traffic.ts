import { firstOf } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import {
  ControlledLoad,
  GuaranteedRspec,
  GuaranteedService,
  NullService,
  TokenBucketTspec,
} from '../../rsvp/wire/index.js';
import type { Service } from '../../rsvp/wire/index.js';
import { Flowspec, SenderTspec } from '../../rsvp/wire/objects/index.js';
import { Refused } from './refusal.js';

/** What a request asks of the network, as the text of attributes. Rates in bit/s. */
export interface Traffic {
  readonly service?: string | undefined;
  readonly bandwidth?: string | undefined;
  readonly tokenBucketRate?: string | undefined;
  readonly tokenBucketSize?: string | undefined;
  readonly peakDataRate?: string | undefined;
  readonly minimumPolicedUnit?: string | undefined;
  readonly maximumPacketSize?: string | undefined;
  readonly rate?: string | undefined;
  readonly slackTerm?: string | undefined;
}

/**
 * The FLOWSPEC of a reservation; of a Path, the SENDER_TSPEC. A packed FF message has several FLOWSPECs: their bandwidths
 * are added up, the rest is the first one's. Throws `Refused` where a rate is not a finite, positive number.
 */
export function observeTraffic(objects: readonly WireObject[]): Traffic {
  const flowspecs = objects.filter((object) => Flowspec.is(object));
  const [first] = flowspecs;
  if (first !== undefined) {
    const bandwidth = flowspecs.reduce((sum, { services }) => sum + bandwidthOf(services), 0);
    return { ...describe(first.services), bandwidth: String(bandwidth) };
  }
  const tspec = firstOf(objects, SenderTspec);
  return tspec === undefined ? {} : describe(tspec.services);
}

function describe(services: readonly Service[]): Traffic {
  const bucket = bucketOf(services);
  const rspec = rspecOf(services);
  return {
    service: serviceOf(services),
    tokenBucketRate: bucket && bitRate('r', bucket.tokenBucketRate),
    tokenBucketSize: bucket && finite('b', bucket.tokenBucketSize),
    peakDataRate:
      bucket && Number.isFinite(bucket.peakDataRate) ? bitRate('p', bucket.peakDataRate) : undefined,
    minimumPolicedUnit: bucket && String(bucket.minimumPolicedUnit),
    maximumPacketSize: bucket && String(bucket.maximumPacketSize),
    rate: rspec && bitRate('R', rspec.rate),
    slackTerm: rspec && String(rspec.slackTerm),
  };
}

/** Guaranteed service reserves R, which is at least r (RFC 2212); the others reserve what the token bucket lets through. */
function bandwidthOf(services: readonly Service[]): number {
  const bucket = bucketOf(services);
  const rspec = rspecOf(services);
  if (bucket === undefined && rspec === undefined) {
    throw new Refused('bad-request', 'the FLOWSPEC has neither a token bucket nor a rate');
  }
  return Math.max(Number(bitRate('r', bucket?.tokenBucketRate ?? 0)), Number(bitRate('R', rspec?.rate ?? 0)));
}

function bucketOf(services: readonly Service[]) {
  return parameterOf(services, TokenBucketTspec);
}

function rspecOf(services: readonly Service[]) {
  return parameterOf(services, GuaranteedRspec);
}

type ParameterType = typeof TokenBucketTspec | typeof GuaranteedRspec;
function parameterOf<T extends ParameterType>(
  services: readonly Service[],
  type: T,
): ReturnType<T['make']> | undefined {
  for (const service of services) {
    const parameters = 'parameters' in service ? (service.parameters as readonly object[]) : [];
    for (const parameter of parameters) if (type.is(parameter)) return parameter as ReturnType<T['make']>;
  }
  return undefined;
}

function serviceOf(services: readonly Service[]): string | undefined {
  for (const service of services) {
    if (GuaranteedService.is(service)) return 'guaranteed';
    if (ControlledLoad.is(service)) return 'controlled-load';
    if (NullService.is(service)) return 'null';
  }
  return undefined;
}

/** Octets a second to whole bit/s, rounded up: nobody gets more than the text says. */
function bitRate(what: string, octetsPerSecond: number): string {
  return finite(what, Math.ceil(octetsPerSecond * 8));
}

/** Beyond 2^53 a number and its text part ways. */
function finite(what: string, value: number): string {
  if (Number.isFinite(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return String(value);
  throw new Refused(
    'bad-request',
    `${what} of the traffic specification is ${value}, which is no rate or size`,
  );
}
