import {
  ControlledLoad,
  FilterSpecIpv4,
  firstOf,
  GuaranteedRspec,
  GuaranteedService,
  NullService,
  SE,
  Style,
  styleName,
  TokenBucketTspec,
  WF,
} from '../../rsvp/wire/index.js';
import type { Service, WireObject } from '../../rsvp/wire/index.js';
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
 * The FLOWSPEC of a reservation; of a Path, the SENDER_TSPEC. A FLOWSPEC that would be read in two ways, or not at all,
 * is refused: the router might take it for more than what was judged.
 */
export function observeTraffic(objects: readonly WireObject[]): Traffic {
  const [first, ...others] = flowDescriptors(objects);
  if (first === undefined) {
    const tspec = firstOf(objects, SenderTspec);
    return tspec === undefined ? {} : textOf(bucketOf(tspec.services));
  }
  const demand = others.reduce(packed, first);
  return { ...textOf(demand), service: demand.service, bandwidth: bitRate('bandwidth', demand.bandwidth) };
}

interface Bucket {
  readonly r: number;
  readonly b: number;
  readonly p: number;
  readonly m: number;
  readonly M: number;
  readonly R?: number;
  readonly S?: number;
}

/** Of a FLOWSPEC; rates in octets a second. */
interface Demand extends Bucket {
  readonly service: string;
  readonly bandwidth: number;
}

/** Several FF flows in one message (RFC 2205 3.1.4): bandwidth is added up, the largest of each rate and size counts. */
function packed(a: Demand, b: Demand): Demand {
  if (a.service !== b.service || a.m !== b.m || a.M !== b.M || a.S !== b.S) {
    throw new Refused('bad-request', 'the FLOWSPECs differ in their service, slack term or packet sizes');
  }
  const largest = { r: Math.max(a.r, b.r), b: Math.max(a.b, b.b), p: Math.max(a.p, b.p) };
  const rate = a.R === undefined || b.R === undefined ? {} : { R: Math.max(a.R, b.R) };
  return { ...a, ...largest, ...rate, bandwidth: a.bandwidth + b.bandwidth };
}

/**
 * What each FLOWSPEC asks for. In style FF it holds for each FILTER_SPEC up to the next FLOWSPEC, which may be left out
 * where it is the same (RFC 2205 3.1.4), and so is reserved that many times; in SE and WF all senders share the only one.
 */
function flowDescriptors(objects: readonly WireObject[]): Demand[] {
  const { optionVector } = firstOf(objects, Style) ?? {};
  const isShared = optionVector !== undefined && SHARED.has(styleName(optionVector));
  const descriptors: { readonly demand: Demand; flows: number }[] = [];
  for (const object of objects) {
    if (object.classNum === Flowspec.classNum) descriptors.push({ demand: demandOf(object), flows: 0 });
    else if (object.classNum === FilterSpecIpv4.classNum) {
      const last = descriptors.at(-1);
      if (last !== undefined) last.flows++;
      else if (objects.some(({ classNum }) => classNum === Flowspec.classNum))
        throw new Refused('bad-request', 'a FILTER_SPEC comes before the FLOWSPEC');
    }
  }
  if (isShared && descriptors.length > 1)
    throw new Refused('bad-request', 'a shared reservation has more than one FLOWSPEC');
  return descriptors.map(({ demand, flows }) =>
    isShared || flows < 2 ? demand : { ...demand, bandwidth: demand.bandwidth * flows },
  );
}

const SHARED: ReadonlySet<string> = new Set([styleName(SE), styleName(WF)]);

/** Guaranteed service reserves R, which is at least r (RFC 2212); the others reserve what the token bucket lets through. */
function demandOf(flowspec: WireObject): Demand {
  if (!Flowspec.is(flowspec)) throw new Refused('bad-request', 'a FLOWSPEC is not of RFC 2210');
  const { services } = flowspec;
  const service = services.length === 1 ? services.map(serviceName)[0] : undefined;
  if (service === undefined)
    throw new Refused('bad-request', 'a FLOWSPEC is not for exactly one known service (RFC 2210 3.2)');
  const bucket = bucketOf(services);
  if (bucket === undefined || (bucket.R === undefined) === (service === 'guaranteed'))
    throw new Refused('bad-request', `a FLOWSPEC of service ${service} has not the parameters of RFC 2210`);
  return { ...bucket, service, bandwidth: Math.max(bucket.r, bucket.R ?? 0) };
}

function bucketOf(services: readonly Service[]): Bucket | undefined {
  const bucket = onlyParameter(services, TokenBucketTspec);
  const rspec = onlyParameter(services, GuaranteedRspec);
  if (bucket === undefined) return undefined;
  return {
    r: bucket.tokenBucketRate,
    b: bucket.tokenBucketSize,
    p: bucket.peakDataRate,
    m: bucket.minimumPolicedUnit,
    M: bucket.maximumPacketSize,
    ...(rspec === undefined ? {} : { R: rspec.rate, S: rspec.slackTerm }),
  };
}

type ParameterType = typeof TokenBucketTspec | typeof GuaranteedRspec;
function onlyParameter<T extends ParameterType>(
  services: readonly Service[],
  type: T,
): ReturnType<T['make']> | undefined {
  const found = services
    .flatMap((service) => ('parameters' in service ? (service.parameters as readonly object[]) : []))
    .filter((parameter) => 'id' in parameter && parameter.id === type.key);
  const [only] = found;
  if (only === undefined) return undefined;
  if (found.length > 1 || !type.is(only))
    throw new Refused('bad-request', 'a traffic specification has a parameter twice, or a malformed one');
  return only as ReturnType<T['make']>;
}

function serviceName(service: Service): string | undefined {
  if (GuaranteedService.is(service)) return 'guaranteed';
  if (ControlledLoad.is(service)) return 'controlled-load';
  return NullService.is(service) ? 'null' : undefined;
}

function textOf(bucket: Bucket | undefined): Traffic {
  if (bucket === undefined) return {};
  const { r, b, p, m, M, R, S } = bucket;
  return {
    tokenBucketRate: bitRate('r', r),
    tokenBucketSize: finite('b', b),
    peakDataRate: p === Infinity ? INFINITE : bitRate('p', p),
    minimumPolicedUnit: String(m),
    maximumPacketSize: String(M),
    ...(R === undefined ? {} : { rate: bitRate('R', R) }),
    ...(S === undefined ? {} : { slackTerm: String(S) }),
  };
}

/** KeyNote's largest float (RFC 2704 4.4): below no limit that a condition sets. */
const INFINITE = String(2n ** 128n - 2n ** 104n);

/** Octets a second to whole bit/s, rounded up: nobody gets more than the text says. */
function bitRate(what: string, octetsPerSecond: number): string {
  return finite(what, Math.ceil(octetsPerSecond * 8));
}

/** Beyond 2^53 a number and its text part ways. */
function finite(what: string, value: number): string {
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return String(value);
  throw new Refused(
    'bad-request',
    `${what} of the traffic specification is ${value}, which is no rate or size`,
  );
}
