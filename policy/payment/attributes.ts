import type { WireObject } from '../../rsvp/wire/index.js';
import { observeTraffic } from './traffic.js';
import type { Traffic } from './traffic.js';
import { observeFlow } from './flow.js';
import type { Flow } from './flow.js';

/** What a policy node sees of a request: nothing here comes from a credential or a claim. */
export interface Observation {
  readonly appDomain: string;
  readonly pepId: string;
  /** Name of the PEP's link in the policy node's configuration. */
  readonly linkName: string | undefined;
  readonly message: string;
  readonly objects: readonly WireObject[];
  /** Milliseconds since 1970, UTC. */
  readonly now: number;
}

interface Seen extends Observation {
  readonly flow: Flow;
  readonly traffic: Traffic;
}

/** An observed attribute: its name in conditions, and where its value comes from. */
export interface ObservedAttribute {
  readonly name: string;
  readonly source: string;
  readonly meaning: string;
  /** Undefined where the request does not say: KeyNote then sees the empty string (RFC 2704 4.2). */
  readonly value: (seen: Seen) => string | undefined;
}

const attribute = (
  name: string,
  source: string,
  meaning: string,
  value: (seen: Seen) => string | undefined,
): ObservedAttribute => ({ name, source, meaning, value });

/** The attributes that conditions can rely on. A claim with one of these names is refused. */
export const OBSERVED: readonly ObservedAttribute[] = [
  attribute('app_domain', 'configuration', 'what the credentials are about', (s) => s.appDomain),
  attribute('message', 'RSVP common header', '`Path` or `Resv`', (s) => s.message),
  attribute('session_address', 'SESSION', 'destination address', (s) => s.flow.address),
  attribute('session_protocol', 'SESSION', 'IP protocol number', (s) => s.flow.protocol),
  attribute('session_port', 'SESSION', 'destination port; 0 where there is none', (s) => s.flow.port),
  attribute(
    'sender_address',
    'FILTER_SPEC or SENDER_TEMPLATE',
    'address of the sender; several are separated by a space, in order',
    (s) => s.flow.senderAddresses,
  ),
  attribute(
    'sender_port',
    'FILTER_SPEC or SENDER_TEMPLATE',
    'port of the sender; several likewise',
    (s) => s.flow.senderPorts,
  ),
  attribute('senders', 'FILTER_SPEC or SENDER_TEMPLATE', 'how many senders are named', (s) =>
    String(s.flow.senders),
  ),
  attribute('style', 'STYLE', '`FF`, `SE` or `WF`', (s) => s.flow.style),
  attribute('next_hop', 'RSVP_HOP', 'address of the neighbour that sent the message', (s) => s.flow.hop),
  attribute('service', 'FLOWSPEC', '`guaranteed`, `controlled-load` or `null`', (s) => s.traffic.service),
  attribute(
    'bandwidth',
    'FLOWSPEC',
    'bit/s that would be reserved: the rate R of guaranteed service, the token bucket rate r otherwise; FF flows in one message are added up, one for each FILTER_SPEC',
    (s) => s.traffic.bandwidth,
  ),
  attribute('token_bucket_rate', 'FLOWSPEC or SENDER_TSPEC', 'r, bit/s', (s) => s.traffic.tokenBucketRate),
  attribute('token_bucket_size', 'FLOWSPEC or SENDER_TSPEC', 'b, octets', (s) => s.traffic.tokenBucketSize),
  attribute(
    'peak_data_rate',
    'FLOWSPEC or SENDER_TSPEC',
    'p, bit/s; the largest float of KeyNote where it is infinite',
    (s) => s.traffic.peakDataRate,
  ),
  attribute(
    'minimum_policed_unit',
    'FLOWSPEC or SENDER_TSPEC',
    'm, octets',
    (s) => s.traffic.minimumPolicedUnit,
  ),
  attribute(
    'maximum_packet_size',
    'FLOWSPEC or SENDER_TSPEC',
    'M, octets',
    (s) => s.traffic.maximumPacketSize,
  ),
  attribute('rate', 'FLOWSPEC, guaranteed service', 'R, bit/s', (s) => s.traffic.rate),
  attribute('slack_term', 'FLOWSPEC, guaranteed service', 'S, microseconds', (s) => s.traffic.slackTerm),
  attribute(
    'link_name',
    'configuration',
    "name of the PEP's link that the request came in by",
    (s) => s.linkName,
  ),
  attribute('pep_id', 'COPS PEPID', 'the router that asks', (s) => s.pepId),
  attribute(
    'total',
    'books',
    'in a credential: what was paid under it, in this currency, with this payment; rounded up to seven digits',
    () => undefined,
  ),
  attribute(
    'exposure',
    'books',
    'what the payer has promised and the clearing centre has not accepted, in this currency, with this payment; likewise',
    () => undefined,
  ),
  attribute('date', 'clock of the policy node', '`YYYYMMDD`, UTC', (s) => stamp(s.now).slice(0, 8)),
  attribute('time', 'clock of the policy node', '`HHMMSS`, UTC', (s) => stamp(s.now).slice(8)),
];

/** Attributes that a request must claim. */
export const REQUIRED_CLAIMS: readonly { readonly name: string; readonly meaning: string }[] = [
  { name: 'amount', meaning: 'what is paid, a decimal of at most seven significant digits: `0.44`' },
  { name: 'currency', meaning: 'three capital letters: `USD`' },
  { name: 'nonce', meaning: 'random text that only this payment carries' },
];

/** Attributes that a request may claim, and what is then asked of their values. */
export const OPTIONAL_CLAIMS: typeof REQUIRED_CLAIMS = [
  {
    name: 'duration',
    meaning: 'for how many seconds is paid, a whole number; left out: as long as the policy node says',
  },
];

const OBSERVED_NAMES = new Set(OBSERVED.map(({ name }) => name));

export function isObserved(name: string): boolean {
  return OBSERVED_NAMES.has(name);
}

/** Throws `Refused` where RSVP objects are missing or make no sense. */
export function observe(observation: Observation): {
  readonly attributes: Map<string, string>;
  readonly flow: Flow;
  readonly traffic: Traffic;
} {
  const flow = observeFlow(observation.message, observation.objects);
  const traffic = observeTraffic(observation.objects);
  const seen = { ...observation, flow, traffic };
  const attributes = new Map<string, string>();
  for (const { name, value } of OBSERVED) {
    const text = value(seen);
    if (text !== undefined) attributes.set(name, text);
  }
  return { attributes, flow, traffic };
}

/** The reference page: one table from the declarations above. */
export function attributesReference(): string {
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '# Attributes of a request',
    '',
    'What the conditions of a credential can ask for. **Observed** attributes come from the RSVP objects of the request and',
    "from the policy node's configuration, never from credentials. **Claimed** attributes travel in the policy element beside",
    'the credentials. A claim with the name of an observed attribute is refused.',
    '',
    'An attribute that the request does not have is the empty string, as RFC 2704 says; `&name` and `@name` read a number out',
    'of the text (`&bandwidth <= 50000000.0`, with the point: KeyNote compares floats with floats), and the empty string as 0. Rates are whole bit/s, rounded up.',
    'A condition that meets an integer beyond 32 bits (`@bandwidth`, from 2147483648 on) does not hold.',
    '',
    '## Observed',
    '',
    row('name', 'source', 'value'),
    row('---', '---', '---'),
    ...OBSERVED.map(({ name, source, meaning }) => row(`\`${name}\``, source, meaning)),
    '',
    '## Claimed',
    '',
    row('name', 'value'),
    row('---', '---'),
    ...REQUIRED_CLAIMS.map(({ name, meaning }) => row(`\`${name}\``, meaning)),
    ...OPTIONAL_CLAIMS.map(({ name, meaning }) => row(`\`${name}\``, meaning)),
    '',
    'The first three must be there. Further names are up to the parties; a name is a letter or `_`, then letters, digits and `_`,',
    'and does not begin with `_`, which RFC 2704 keeps for itself.',
    '',
  ].join('\n');
}

/** The attributes that change by themselves, at another time. */
export function atTime(attributes: ReadonlyMap<string, string>, now: number): Map<string, string> {
  const at = stamp(now);
  return new Map(attributes).set('date', at.slice(0, 8)).set('time', at.slice(8));
}

/** `YYYYMMDDHHMMSS` in UTC. Many requests are asked about in one second. */
function stamp(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastStamp = new Date(second * 1000).toISOString().replace(/[-:T]|\..*/g, '');
  }
  return lastStamp;
}
let lastSecond: number | undefined;
let lastStamp = '';
