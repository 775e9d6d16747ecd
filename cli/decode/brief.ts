import {
  COMMAND_NAMES,
  ERROR_NAMES,
  OP_TITLES,
  REASON_NAMES,
  REPORT_NAMES,
  R_TYPE_NAMES,
} from '../../cops/wire/codes.js';
import type { CopsMessage } from '../../cops/wire/message.js';
import {
  ERROR_CODES,
  errorValueName,
  field,
  MESSAGE_TYPES,
  PROTOCOLS,
  styleName,
  toHex,
  type RsvpMessage,
  type WireObject,
} from '../../rsvp/wire/index.js';
import { objectsOf, rsvpInside } from './contents.js';

/** The fields of an object by name, whichever C-Type it is of. */
type Fields = Readonly<Record<string, unknown>>;
type Brief = (fields: Fields) => string | undefined;

/** What one line says of an object, by class. What is not here is not said. */
const RSVP_BRIEFS: Readonly<Record<string, Brief>> = {
  SESSION: sessionText,
  STYLE: ({ optionVector }) => (typeof optionVector === 'number' ? styleName(optionVector) : undefined),
  FLOWSPEC: flowText,
  SENDER_TSPEC: flowText,
  FILTER_SPEC: senderText,
  SENDER_TEMPLATE: (fields) => prefixed('from', senderText(fields)),
  ERROR_SPEC: errorText,
  POLICY_DATA: ({ elements }) => prefixed('policy', names(elements, 'element')),
  RESV_CONFIRM: ({ receiverAddress }) => prefixed('confirm to', text(receiverAddress)),
  SESSION_ATTRIBUTE: ({ sessionName }) => quoted(sessionName),
  LABEL: ({ label }) => prefixed('label', text(label)),
  HELLO: ({ srcInstance, dstInstance }) => `from instance ${String(srcInstance)} to ${String(dstInstance)}`,
  MESSAGE_ID_ACK: ({ messageIdentifier }) => prefixed('ack', text(messageIdentifier)),
  MESSAGE_ID_LIST: ({ messageIdentifiers }) => prefixed('ids', list(messageIdentifiers)),
  MESSAGE_ID: ({ messageIdentifier }) => prefixed('id', text(messageIdentifier)),
};

const COPS_BRIEFS: Readonly<Record<string, Brief>> = {
  Handle: ({ handle }) => (handle instanceof Uint8Array ? `handle ${toHex(handle)}` : undefined),
  Context: ({ rType, mType }) => contextText(Number(rType), Number(mType)),
  'IN-Int': ({ address, ifindex }) => `in ${String(address)} (interface ${String(ifindex)})`,
  'OUT-Int': ({ address, ifindex }) => `out ${String(address)} (interface ${String(ifindex)})`,
  Reason: ({ reasonCode }) => named(REASON_NAMES, reasonCode),
  Decision: ({ commandCode }) => (commandCode === undefined ? undefined : named(COMMAND_NAMES, commandCode)),
  LPDPDecision: ({ commandCode }) =>
    commandCode === undefined ? undefined : prefixed('LPDP', named(COMMAND_NAMES, commandCode)),
  Error: ({ errorCode }) => named(ERROR_NAMES, errorCode),
  KATimer: ({ kaTimerValue }) => `keep-alive ${String(kaTimerValue)} s`,
  AcctTimer: ({ acctTimerValue }) => `accounting ${String(acctTimerValue)} s`,
  PEPID: ({ pepId }) => quoted(pepId),
  'Report-Type': ({ reportType }) => named(REPORT_NAMES, reportType),
  PDPRedirAddr: ({ address, tcpPortNumber }) => `go to ${withPort(String(address), tcpPortNumber)}`,
  LastPDPAddr: ({ address, tcpPortNumber }) => `last at ${withPort(String(address), tcpPortNumber)}`,
};

/** An RSVP message in one line: its type, its session, and what matters of the rest. */
export function rsvpBrief(message: RsvpMessage): string {
  return join(message.type, rsvpObjectsBrief(objectsOf(message)));
}

/** A COPS message in one line; RSVP objects inside it are told as those of an RSVP message are. */
export function copsBrief(message: CopsMessage): string {
  let line = `COPS ${message.type} ${OP_TITLES[message.opCode] ?? ''}`.trimEnd();
  for (const object of message.objects) {
    const inside = rsvpInside(message, object);
    line = join(line, inside === undefined ? brief(COPS_BRIEFS, object) : `{${rsvpObjectsBrief(inside)}}`);
  }
  return line;
}

function rsvpObjectsBrief(objects: readonly WireObject[]): string {
  let session = '';
  let rest = '';
  let confirm = '';
  for (const object of objects) {
    const said = brief(RSVP_BRIEFS, object);
    if (object.class === 'SESSION' && session === '') session = said ?? '';
    else if (object.class === 'RESV_CONFIRM') confirm = said ?? '';
    else rest = join(rest, said);
  }
  return join(join(session, rest), confirm);
}

function brief(briefs: Readonly<Record<string, Brief>>, object: WireObject): string | undefined {
  return 'body' in object ? undefined : briefs[object.class]?.(object as unknown as Fields);
}

/** `10.9.2.2:5000/UDP`, `[2001:db8::2]:5000/UDP`, `10.9.2.2 tunnel 4`. */
function sessionText(fields: Fields): string | undefined {
  const { destAddress, protocolId } = fields;
  const port = fields['dstPort'] ?? fields['vDstPort'];
  const address = text(destAddress ?? fields['tunnelEndPointAddress']);
  if (address === undefined) return undefined;
  const tunnel = text(fields['tunnelId']);
  if (tunnel !== undefined) return `${address} tunnel ${tunnel}`;
  if (port === undefined) return address;
  const protocol = typeof protocolId === 'number' ? `/${PROTOCOLS[protocolId] ?? protocolId}` : '';
  return `${withPort(address, port)}${protocol}`;
}

/** `10.9.1.1:6000`, with an SPI, a flow label or an LSP id where it is that. */
function senderText(fields: Fields): string | undefined {
  const { srcPort, gpi } = fields;
  const address = text(fields['srcAddress'] ?? fields['tunnelSenderAddress']);
  if (address === undefined) return undefined;
  if (srcPort !== undefined) return withPort(address, srcPort);
  if (typeof gpi === 'number') return `${address} SPI 0x${gpi.toString(16).padStart(8, '0')}`;
  const flowLabel = text(fields['flowLabel']);
  if (flowLabel !== undefined) return `${address} flow label ${flowLabel}`;
  const lsp = text(fields['lspId']);
  return lsp === undefined ? address : `${address} LSP ${lsp}`;
}

/** The service and its rate: the reserved rate of guaranteed service, else that of the token bucket. */
function flowText({ services }: Fields): string | undefined {
  if (!Array.isArray(services)) return undefined;
  for (const service of services as readonly Fields[]) {
    const { parameters } = service;
    if (!Array.isArray(parameters)) continue;
    const all = Object.assign({}, ...(parameters as readonly Fields[])) as Fields;
    const rate = all['rate'] ?? all['tokenBucketRate'];
    if (typeof rate !== 'number') continue;
    const name = service['number'] === 1 ? '' : `${String(service['service']).toLowerCase()} `;
    return `${name}${Number.isFinite(rate) ? field.bitRateText(rate * 8) : 'infinite rate'}`;
  }
  return undefined;
}

/** `Admission Control failure: Requested bandwidth unavailable, at 10.9.0.1`. */
function errorText({ errorCode, errorValue, errorNodeAddress }: Fields): string | undefined {
  if (typeof errorCode !== 'number' || typeof errorValue !== 'number') return undefined;
  const value = errorValueName(errorCode, errorValue) ?? (errorValue === 0 ? undefined : String(errorValue));
  const code = ERROR_CODES[errorCode] ?? `error ${errorCode}`;
  return `${code}${value === undefined ? '' : `: ${value}`}, at ${String(errorNodeAddress)}`;
}

/** R-Type by name, and for RSVP the type of the message that the request is about (RFC 2749 2.2). */
function contextText(rType: number, mType: number): string {
  const flags = Object.entries(R_TYPE_NAMES).filter(([mask]) => (rType & Number(mask)) !== 0);
  const about = MESSAGE_TYPES[mType];
  return join(flags.map(([, name]) => name).join(' + '), about === undefined ? '' : `for ${about}`);
}

function names(list: unknown, key: string): string | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return (list as readonly Fields[]).map((item) => String(item[key])).join(', ');
}

/** A long list is told by its beginning. */
function list(values: unknown): string | undefined {
  if (!Array.isArray(values)) return undefined;
  const shown = values.slice(0, 8).join(', ');
  return values.length > 8 ? `${shown}, ... (${values.length})` : shown;
}

function named(table: Readonly<Record<number, string>>, value: unknown): string {
  return table[Number(value)] ?? String(Number(value));
}

function withPort(address: string, port: unknown): string {
  return `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;
}

function prefixed(prefix: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${prefix} ${value}`;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : undefined;
}

/** A peer's text, on one line and without control of the terminal. */
function quoted(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[\x7f-\x9f]/g, escaped);
}

function join(a: string, b: string | undefined): string {
  if (b === undefined || b === '') return a;
  return a === '' ? b : `${a} ${b}`;
}
