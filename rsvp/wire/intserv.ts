import { declare, firstOf } from './declare.js';
import type { MemberType } from './declare.js';
import { Family } from './family.js';
import type { Extra, Member } from './family.js';
import { BadValue, bits, bitsText, derived, f32, rateText, u16, u32, u8 } from './field.js';
import type { Field } from './field.js';
import type { Fields, InputOf, Tail, ValueOf } from './layout.js';
import { counted, membersOf } from './tail.js';

/*
 * What FLOWSPEC, SENDER_TSPEC and ADSPEC hold (RFC 2210 3): fragments, one a service, each a list of parameters.
 * Lengths are in 32-bit words and leave out the header word. The service-specific parameters mean something in
 * their service only (RFC 2215 1); 1 to 127 are general and may stand in any fragment.
 */

/** A parameter; which one, `id` says. */
export interface Parameter {
  /** The RFC's name, as `TOKEN_BUCKET_TSPEC`. */
  readonly parameter: string;
  readonly id: number;
  readonly flags: number;
  readonly length: number;
}

/** A service's fragment. */
export interface Service {
  readonly service: string;
  readonly number: number;
  /** 0x80: the break bit (RFC 2210 3.3). */
  readonly flags: number;
  /** Octets, the header word included. */
  readonly length: number;
}

/** A fragment; an unknown or malformed one has its octets as `body`. */
export interface ServiceFragment extends Service {
  readonly parameters?: readonly Parameter[];
}

/** Some element of the path does not do this service, or no integrated services at all (service 1). */
export const BREAK_BIT = 0x80;

const FLAGS_OF_SERVICE: Extra = {
  name: 'flags',
  at: 1,
  shift: 0,
  field: { ...u8(), text: bitsText({ [BREAK_BIT]: 'break bit' }) },
};
const FLAGS_OF_PARAMETER: Extra = { ...FLAGS_OF_SERVICE, field: { ...u8(), text: bitsText({}) } };

/*
 *  31           24 23           16 15            8 7             0
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  Parameter ID |    flags      |  length, words w/o header     |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
function parameter<F extends Fields>(
  id: number,
  name: string,
  rfc: string,
  fields: F,
): MemberType<ValueOf<F>, InputOf<F> & { readonly flags?: number }, Parameter> {
  const constants = { parameter: name, id };
  return declare(
    { key: id, name, heading: `${name} (parameter ${id}`, rfc, constants, extra: FLAGS_OF_PARAMETER },
    fields,
  );
}

/** RFC 2215 3.2: network elements along the path that do integrated services. */
export const NumberOfIsHops = parameter(4, 'NUMBER_OF_IS_HOPS', 'RFC 2215 3.2', { isHopCount: u32() });

/** RFC 2215 3.3, in octets a second. */
export const AvailablePathBandwidth = parameter(6, 'AVAILABLE_PATH_BANDWIDTH', 'RFC 2215 3.3', {
  pathBandwidth: f32({ text: rateText }),
});

/** RFC 2215 3.4: all ones say that the latency is not known. */
const UNKNOWN_LATENCY = 0xffffffff;
export const MinimumPathLatency = parameter(8, 'MINIMUM_PATH_LATENCY', 'RFC 2215 3.4', {
  minimumPathLatency: u32({ text: (us) => (us === UNKNOWN_LATENCY ? 'unknown' : `${us} µs`) }),
});

/** RFC 2215 3.5. */
export const PathMtu = parameter(10, 'PATH_MTU', 'RFC 2215 3.5', { pathMtu: u32({ unit: 'octets' }) });

const floatOctets = f32({ unit: 'octets' });

/**
 * RFC 2215 3.6, RFC 2210 3.1: rates in octets a second, sizes in octets.
 *
 *  |  Token Bucket Rate [r] (32-bit IEEE floating point number)    |
 *  |  Token Bucket Size [b] (32-bit IEEE floating point number)    |
 *  |  Peak Data Rate [p] (32-bit IEEE floating point number)       |
 *  |  Minimum Policed Unit [m] (32-bit integer)                    |
 *  |  Maximum Packet Size [M]  (32-bit integer)                    |
 */
export const TokenBucketTspec = parameter(127, 'TOKEN_BUCKET_TSPEC', 'RFC 2210 3.1', {
  tokenBucketRate: f32({ text: rateText }),
  tokenBucketSize: floatOctets,
  peakDataRate: f32({ text: rateText }),
  minimumPolicedUnit: u32({ unit: 'octets' }),
  maximumPacketSize: u32({ unit: 'octets' }),
});

/**
 * RFC 2212, RFC 2210 3.2.2: what guaranteed service is asked for.
 *
 *  |  Rate [R]  (32-bit IEEE floating point number)                |
 *  |  Slack Term [S]  (32-bit integer)                             |
 */
export const GuaranteedRspec = parameter(130, 'GUARANTEED_RSPEC', 'RFC 2210 3.2.2', {
  rate: f32({ text: rateText }),
  slackTerm: u32({ unit: 'µs' }),
});

/** RFC 2212: error terms. C is in octets, D in microseconds; 131 and 132 are one element's own. */
const errorC = { unit: 'octets' };
const errorD = { unit: 'µs' };
export const ErrorC = parameter(131, 'C', 'RFC 2212', { c: u32(errorC) });
export const ErrorD = parameter(132, 'D', 'RFC 2212', { d: u32(errorD) });
export const ComposedCtot = parameter(133, 'Ctot', 'RFC 2210 3.3.3', { ctot: u32(errorC) });
export const ComposedDtot = parameter(134, 'Dtot', 'RFC 2210 3.3.3', { dtot: u32(errorD) });
export const ComposedCsum = parameter(135, 'Csum', 'RFC 2210 3.3.3', { csum: u32(errorC) });
export const ComposedDsum = parameter(136, 'Dsum', 'RFC 2210 3.3.3', { dsum: u32(errorD) });

/** RFC 2997 4: the sender of a null service says its packet size and leaves the rest to the network. */
export const NullServiceTspec = parameter(128, 'NULL_SERVICE_TSPEC', 'RFC 2997 4', {
  maximumPacketSize: u32({ unit: 'octets' }),
});

/** What may stand in any fragment. */
export const GENERAL_PARAMETERS: readonly Member<Parameter>[] = [
  NumberOfIsHops,
  AvailablePathBandwidth,
  MinimumPathLatency,
  PathMtu,
  TokenBucketTspec,
];
export const GUARANTEED_PARAMETERS: readonly Member<Parameter>[] = [
  GuaranteedRspec,
  ErrorC,
  ErrorD,
  ComposedCtot,
  ComposedDtot,
  ComposedCsum,
  ComposedDsum,
];
export const NULL_PARAMETERS: readonly Member<Parameter>[] = [NullServiceTspec];

function parametersOf(own: readonly Member<Parameter>[]): Family<Parameter> {
  return new Family<Parameter>(
    {
      what: 'parameter',
      rfc: 'RFC 2210 3.1',
      size: 4,
      padded: false,
      key: { at: 0, octets: 1 },
      length: { at: 2, octets: 2, words: true },
      extra: FLAGS_OF_PARAMETER,
      keyOf: (value) => value.id,
      unknown: (key) => ({ parameter: `unknown(${key})`, id: key, flags: 0, length: 0 }),
      title: (value) => `${value.parameter} (parameter ${value.id}`,
      keyFromJson: (json) => octet(json['id']),
    },
    [...GENERAL_PARAMETERS, ...own],
  );
}

/*
 *  31           24 23           16 15            8 7             0
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  service      |x| reserved    |  length, words w/o header     |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
function service(number: number, name: string, rfc: string, parameters: Family<Parameter>) {
  const constants = { service: name, number };
  return declare<Service, Fields, { parameters: ReturnType<typeof membersOf<Parameter>> }>(
    { key: number, name, heading: `${name} (service ${number}`, rfc, constants, extra: FLAGS_OF_SERVICE },
    {},
    { parameters: membersOf(parameters) },
  );
}

/** Service 1: values that hold for all services (RFC 2215 2). */
export const GeneralParameters = service(1, 'Default General Parameters', 'RFC 2210 3.3.2', parametersOf([]));
export const GuaranteedService = service(
  2,
  'Guaranteed',
  'RFC 2210 3.3.3',
  parametersOf(GUARANTEED_PARAMETERS),
);
export const ControlledLoad = service(5, 'Controlled-Load', 'RFC 2210 3.3.4', parametersOf([]));
export const NullService = service(6, 'Null', 'RFC 2997 4', parametersOf(NULL_PARAMETERS));

export const SERVICES = new Family<Service>(
  {
    what: 'service',
    rfc: 'RFC 2210 3.1',
    size: 4,
    padded: false,
    key: { at: 0, octets: 1 },
    length: { at: 2, octets: 2, words: true },
    extra: FLAGS_OF_SERVICE,
    keyOf: (value) => value.number,
    unknown: (key) => ({ service: `unknown(${key})`, number: key, flags: 0, length: 0 }),
    title: (value) => `${value.service} (service ${value.number}`,
    keyFromJson: (json) => octet(json['number']),
  },
  [GeneralParameters, GuaranteedService, ControlledLoad, NullService],
);

function octet(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255
    ? value
    : undefined;
}

const versionZero: Field<number> = {
  ...bits(4),
  refine(raw: number) {
    if (raw !== 0) throw new BadValue(`message format version ${raw}`, 'version 0');
    return raw;
  },
};

/*
 *  31           24 23           16 15            8 7             0
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  | version |    reserved         |  overall length, words w/o    |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
/** The body of FLOWSPEC, SENDER_TSPEC and ADSPEC: the message header (RFC 2210 3.1), then the fragments. */
export const INTSERV_FIELDS = {
  version: versionZero,
  reserved: bits(12),
  overallLength: derived(u16({ unit: 'words' })),
};
export const INTSERV_SERVICES = {
  services: counted(membersOf(SERVICES), {
    field: 'overallLength',
    size: 2,
    back: 2,
    octets: (words) => 4 * words,
    count: (octets) => octets / 4,
  }) as unknown as Tail<readonly ServiceFragment[]>,
};

/** FLOWSPEC, SENDER_TSPEC or ADSPEC, as far as these helpers look. */
interface IntservObject {
  readonly services: readonly ServiceFragment[];
}

/** The token bucket of a FLOWSPEC or SENDER_TSPEC: rates in octets a second, sizes in octets. */
export function tokenBucketOf({
  services,
}: IntservObject): ValueOfMember<typeof TokenBucketTspec> | undefined {
  for (const { parameters = [] } of services) {
    const bucket = firstOf(parameters, TokenBucketTspec);
    if (bucket !== undefined) return bucket;
  }
  return undefined;
}

/** Rate R in octets a second and slack term S in microseconds of a FLOWSPEC that asks for guaranteed service. */
export function rspecOf({ services }: IntservObject): ValueOfMember<typeof GuaranteedRspec> | undefined {
  // Parameter 130 is an RSpec in the fragment of guaranteed service alone (RFC 2215 1).
  const guaranteed = services.find((fragment) => GuaranteedService.is(fragment));
  return firstOf(guaranteed?.parameters ?? [], GuaranteedRspec);
}

type ValueOfMember<T> = T extends MemberType<infer V, never, infer B> ? B & V : never;
