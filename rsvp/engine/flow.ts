import {
  ControlledLoad,
  firstOf,
  Flowspec,
  GuaranteedRspec,
  GuaranteedService,
  SenderTspec,
  TokenBucketTspec,
  tokenBucketOf,
} from '../wire/index.js';
import type { ServiceFragment, WireObject } from '../wire/index.js';
import { Shared } from './frozen.js';

/** A token bucket (RFC 2215 3.6): rates in octets a second, sizes in octets. */
export interface TokenBucket {
  /** r */
  readonly rate: number;
  /** b */
  readonly bucket: number;
  /** p; infinity where it is not known. */
  readonly peak: number;
  /** m */
  readonly minimumPolicedUnit: number;
  /** M */
  readonly maximumPacketSize: number;
}

export type QosService = 'controlled-load' | 'guaranteed';

/** What a FLOWSPEC asks for (RFC 2210 3.2). Equal ones are one value: compare with `===`. */
export interface Flow extends TokenBucket {
  readonly service: QosService;
  /** R of guaranteed service, in octets a second; 0 for controlled load. */
  readonly reservedRate: number;
  /** S of guaranteed service, in microseconds. */
  readonly slack: number;
}

/** RFC 2205 3.11.6's result codes. */
export type Comparison = 'equal' | 'greater' | 'less' | 'incomparable' | 'incompatible';

/** Sub-codes of error code 21, Traffic Control Error (RFC 2205 Appendix B). */
export const TRAFFIC_CONTROL_ERROR = {
  serviceConflict: 1,
  serviceUnsupported: 2,
  badFlowspec: 3,
  badTspec: 4,
  badAdspec: 5,
} as const;

const flows = new Shared<Flow>();
const buckets = new Shared<TokenBucket>();

/** The one value of these numbers; rates as they are on the wire, in single precision. */
export function flowOf(flow: Flow): Flow {
  const { service, slack, minimumPolicedUnit, maximumPacketSize } = flow;
  const rate = Math.fround(flow.rate);
  const bucket = Math.fround(flow.bucket);
  const peak = Math.fround(flow.peak);
  const reservedRate = service === 'guaranteed' ? Math.fround(flow.reservedRate) : 0;
  const key = `${service}/${rate}/${bucket}/${peak}/${minimumPolicedUnit}/${maximumPacketSize}/${reservedRate}/${slack}`;
  return flows.get(key, () => ({
    service,
    rate,
    bucket,
    peak,
    minimumPolicedUnit,
    maximumPacketSize,
    reservedRate,
    slack: service === 'guaranteed' ? slack : 0,
  }));
}

function bucketOf(bucket: TokenBucket): TokenBucket {
  const { rate, bucket: size, peak, minimumPolicedUnit, maximumPacketSize } = bucket;
  const key = `${rate}/${size}/${peak}/${minimumPolicedUnit}/${maximumPacketSize}`;
  return buckets.get(key, () => ({ rate, bucket: size, peak, minimumPolicedUnit, maximumPacketSize }));
}

/** Of a FLOWSPEC; a number where it has none: the sub-code of error code 21 that says why. */
export function readFlow(object: WireObject): Flow | number {
  if (!Flowspec.is(object)) return TRAFFIC_CONTROL_ERROR.badFlowspec;
  // RFC 2210 2.2: fragments for more than one service are not supported.
  const [fragment, ...more] = object.services;
  if (fragment === undefined) return TRAFFIC_CONTROL_ERROR.badFlowspec;
  if (more.length > 0) return TRAFFIC_CONTROL_ERROR.serviceUnsupported;
  const service = serviceOf(fragment);
  if (service === undefined)
    return fragment.number === GuaranteedService.key || fragment.number === ControlledLoad.key
      ? TRAFFIC_CONTROL_ERROR.badFlowspec
      : TRAFFIC_CONTROL_ERROR.serviceUnsupported;
  const bucket = tokenBucketOf(object);
  if (bucket === undefined) return TRAFFIC_CONTROL_ERROR.badFlowspec;
  const read = readBucket(bucket);
  if (read === undefined) return TRAFFIC_CONTROL_ERROR.badFlowspec;
  if (service === 'controlled-load') return flowOf({ ...read, service, reservedRate: 0, slack: 0 });
  const rspec = firstOf(fragment.parameters ?? [], GuaranteedRspec);
  // RFC 2212: R is no less than r.
  if (rspec === undefined || !isAmount(rspec.rate) || rspec.rate < read.rate)
    return TRAFFIC_CONTROL_ERROR.badFlowspec;
  return flowOf({ ...read, service, reservedRate: rspec.rate, slack: rspec.slackTerm });
}

function serviceOf(fragment: ServiceFragment): QosService | undefined {
  if (GuaranteedService.is(fragment)) return 'guaranteed';
  return ControlledLoad.is(fragment) ? 'controlled-load' : undefined;
}

/** Of a SENDER_TSPEC; a number where it has none: the sub-code of error code 21. */
export function readTspec(object: WireObject): TokenBucket | number {
  if (!SenderTspec.is(object)) return TRAFFIC_CONTROL_ERROR.badTspec;
  const bucket = tokenBucketOf(object);
  const read = bucket === undefined ? undefined : readBucket(bucket);
  return read === undefined ? TRAFFIC_CONTROL_ERROR.badTspec : bucketOf(read);
}

interface BucketOnTheWire {
  readonly tokenBucketRate: number;
  readonly tokenBucketSize: number;
  readonly peakDataRate: number;
  readonly minimumPolicedUnit: number;
  readonly maximumPacketSize: number;
}

/**
 * RFC 2215 3.6: no negative numbers, no NaN, infinity for p alone; M is positive, m at most M. An m of 0, which routers of others
 * send, is not positive either, but takes no harm: there are no packets below it, so that each counts as what it is.
 */
function readBucket(bucket: BucketOnTheWire): TokenBucket | undefined {
  const { tokenBucketRate: rate, tokenBucketSize: size, peakDataRate: peak } = bucket;
  const { minimumPolicedUnit, maximumPacketSize } = bucket;
  if (!isAmount(rate) || !isAmount(size) || !(isAmount(peak) || peak === Infinity)) return undefined;
  if (maximumPacketSize === 0 || minimumPolicedUnit > maximumPacketSize) return undefined;
  return { rate, bucket: size, peak, minimumPolicedUnit, maximumPacketSize };
}

function isAmount(value: number): boolean {
  return value >= 0 && value < Infinity && !Object.is(value, -0);
}

export function flowspecOf(flow: Flow): WireObject {
  const bucket = tokenBucketObject(flow);
  const fragment =
    flow.service === 'guaranteed'
      ? GuaranteedService.make({
          parameters: [bucket, GuaranteedRspec.make({ rate: flow.reservedRate, slackTerm: flow.slack })],
        })
      : ControlledLoad.make({ parameters: [bucket] });
  return Flowspec.make({ version: 0, services: [fragment] });
}

export function tspecOf(bucket: TokenBucket): WireObject {
  const general: ServiceFragment = {
    service: 'Default General Parameters',
    number: 1,
    flags: 0,
    length: 0,
    parameters: [tokenBucketObject(bucket)],
  };
  return SenderTspec.make({ version: 0, services: [general] });
}

function tokenBucketObject(bucket: TokenBucket) {
  return TokenBucketTspec.make({
    tokenBucketRate: bucket.rate,
    tokenBucketSize: bucket.bucket,
    peakDataRate: bucket.peak,
    minimumPolicedUnit: bucket.minimumPolicedUnit,
    maximumPacketSize: bucket.maximumPacketSize,
  });
}

/** What admission control counts: R of guaranteed service, r of controlled load (RFC 2211 3, RFC 2212). */
export function rateOf(flow: Flow): number {
  return flow.service === 'guaranteed' ? flow.reservedRate : flow.rate;
}

/** RFC 2211 8, RFC 2212's ordering; `greater`: `a` is a substitute for `b`, and not the other way round. */
export function compareFlows(a: Flow, b: Flow): Comparison {
  if (a === b) return 'equal';
  if (a.service !== b.service) return 'incompatible';
  const least = isSubstitute(a, b);
  const most = isSubstitute(b, a);
  if (least && most) return 'equal';
  return least ? 'greater' : most ? 'less' : 'incomparable';
}

function isSubstitute(a: Flow, b: Flow): boolean {
  return isBucketSubstitute(a, b) && a.reservedRate >= b.reservedRate && a.slack <= b.slack;
}

function isBucketSubstitute(a: TokenBucket, b: TokenBucket): boolean {
  return (
    a.rate >= b.rate &&
    a.bucket >= b.bucket &&
    a.peak >= b.peak &&
    a.minimumPolicedUnit <= b.minimumPolicedUnit &&
    a.maximumPacketSize >= b.maximumPacketSize
  );
}

/**
 * The least upper bound (RFC 2205 2.2); undefined where the services are not the same (RFC 2210 2.2). Of two maximum packet
 * sizes the smaller one goes on (RFC 2210 2.3.2, RFC 2211 8).
 */
export function lub(a: Flow, b: Flow): Flow | undefined {
  if (a === b) return a;
  if (a.service !== b.service) return undefined;
  return flowOf({
    service: a.service,
    rate: Math.max(a.rate, b.rate),
    bucket: Math.max(a.bucket, b.bucket),
    peak: Math.max(a.peak, b.peak),
    minimumPolicedUnit: Math.min(a.minimumPolicedUnit, b.minimumPolicedUnit),
    maximumPacketSize: Math.min(a.maximumPacketSize, b.maximumPacketSize),
    reservedRate: Math.max(a.reservedRate, b.reservedRate),
    slack: Math.min(a.slack, b.slack),
  });
}

/** The greatest lower bound, for requests that are all blockaded (RFC 2205 3.5); M stays the smaller one. */
export function glb(a: Flow, b: Flow): Flow | undefined {
  if (a === b) return a;
  if (a.service !== b.service) return undefined;
  const maximumPacketSize = Math.min(a.maximumPacketSize, b.maximumPacketSize);
  return flowOf({
    service: a.service,
    rate: Math.min(a.rate, b.rate),
    bucket: Math.min(a.bucket, b.bucket),
    peak: Math.min(a.peak, b.peak),
    minimumPolicedUnit: Math.min(Math.max(a.minimumPolicedUnit, b.minimumPolicedUnit), maximumPacketSize),
    maximumPacketSize,
    reservedRate: Math.min(a.reservedRate, b.reservedRate),
    slack: Math.max(a.slack, b.slack),
  });
}

/** Path_Te (RFC 2205 2.2): rates and sizes added, the smallest m, the largest M. */
export function sumBuckets(buckets: readonly TokenBucket[]): TokenBucket | undefined {
  const [first, ...rest] = buckets;
  if (first === undefined) return undefined;
  let sum = first;
  for (const one of rest)
    sum = {
      rate: Math.fround(sum.rate + one.rate),
      bucket: Math.fround(sum.bucket + one.bucket),
      peak: Math.fround(sum.peak + one.peak),
      minimumPolicedUnit: Math.min(sum.minimumPolicedUnit, one.minimumPolicedUnit),
      maximumPacketSize: Math.max(sum.maximumPacketSize, one.maximumPacketSize),
    };
  return sum;
}

/** The "minimum" of what the senders send and what the receivers ask for: what is in force (RFC 2211 8, RFC 2205 2.2). */
export function limitFlow(flow: Flow, senders: TokenBucket): Flow {
  if (isBucketSubstitute(senders, flow)) return flow;
  const least = isBucketSubstitute(flow, senders)
    ? senders
    : {
        rate: Math.min(flow.rate, senders.rate),
        bucket: Math.max(flow.bucket, senders.bucket),
        peak: Math.min(flow.peak, senders.peak),
        minimumPolicedUnit: Math.min(flow.minimumPolicedUnit, senders.minimumPolicedUnit),
        maximumPacketSize: Math.min(flow.maximumPacketSize, senders.maximumPacketSize),
      };
  const { service, reservedRate, slack } = flow;
  return flowOf({ ...least, service, reservedRate, slack });
}

/** For people. */
export function flowText(flow: Flow): string {
  return `${flow.service} ${rateOf(flow)} octets/s`;
}
