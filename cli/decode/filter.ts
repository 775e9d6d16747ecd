import { ipAddressIn, parseEndpoint, parseNetwork } from './endpoint.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { PROTOCOLS } from '../../rsvp/wire/index.js';
import { rsvpObjectsOf } from './contents.js';
import type { Decoded } from './message.js';

/** What the command line asks to see; of each kind, any one has to be met, and all kinds have to be. */
export interface FilterOptions {
  readonly type?: readonly string[];
  readonly session?: readonly string[];
  readonly sender?: readonly string[];
  readonly src?: readonly string[];
  readonly dst?: readonly string[];
  readonly port?: readonly string[];
  readonly faults?: boolean;
}

export type Filter = (decoded: Decoded) => boolean;

/**
 * One predicate of the options.
 * @throws {RangeError} where an address or a port is none
 */
export function filterOf(options: FilterOptions): Filter {
  const filters = [
    any(options.type, byType),
    any(options.session, bySession),
    any(options.sender, bySender),
    any(options.src, (text) => byPacket('src', text)),
    any(options.dst, (text) => byPacket('dst', text)),
    any(options.port, byPort),
    options.faults === true ? ({ faults }: Decoded) => faults.length > 0 : undefined,
  ].filter((filter) => filter !== undefined);
  return (decoded) => filters.every((filter) => filter(decoded));
}

function any(texts: readonly string[] | undefined, filter: (text: string) => Filter): Filter | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  const filters = texts.map(filter);
  return (decoded) => filters.some((each) => each(decoded));
}

/** By name without regard to case, or by number: `path`, `REQ`, `12`. */
function byType(text: string): Filter {
  const name = text.toLowerCase();
  const number = /^\d+$/.test(text) ? Number(text) : undefined;
  return ({ rsvp, cops }) =>
    (rsvp ?? cops)?.type.toLowerCase() === name ||
    (number !== undefined && (rsvp?.msgType === number || cops?.opCode === number));
}

type Fields = Readonly<Record<string, unknown>>;

/** `10.9.2.2`, `10.9.2.2:5000`, `10.9.2.2:5000/UDP`, as a line shows it. */
function bySession(text: string): Filter {
  const { address, port, protocol } = parseEndpoint(text);
  return byObject('SESSION', (fields) => {
    const { destAddress, tunnelEndPointAddress, dstPort, vDstPort, protocolId } = fields;
    return (
      (destAddress ?? tunnelEndPointAddress) === address &&
      (port === undefined || (dstPort ?? vDstPort) === port) &&
      (protocol === undefined ||
        String(protocolId) === protocol ||
        PROTOCOLS[Number(protocolId)]?.toLowerCase() === protocol.toLowerCase())
    );
  });
}

/** Of SENDER_TEMPLATE and FILTER_SPEC. */
function bySender(text: string): Filter {
  const { address, port } = parseEndpoint(text);
  const matches = ({ srcAddress, tunnelSenderAddress, srcPort }: Fields): boolean =>
    (srcAddress ?? tunnelSenderAddress) === address && (port === undefined || srcPort === port);
  const [template, filter] = [byObject('SENDER_TEMPLATE', matches), byObject('FILTER_SPEC', matches)];
  return (decoded) => template(decoded) || filter(decoded);
}

/** Of the IP header: an address, or a network as `10.9.0.0/16`. */
function byPacket(end: 'src' | 'dst', text: string): Filter {
  const network = parseNetwork(text);
  return ({ packet }) => packet[end] !== '' && ipAddressIn(packet[end], network);
}

/** Of the session, of the sender, or of UDP and TCP. */
function byPort(text: string): Filter {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new RangeError(`\`${text}\` is not a port`);
  const carried = (fields: Fields): boolean =>
    fields['dstPort'] === port || fields['vDstPort'] === port || fields['srcPort'] === port;
  return (decoded) =>
    decoded.packet.srcPort === port ||
    decoded.packet.dstPort === port ||
    rsvpObjectsOf(decoded).some((object) => carried(object as unknown as Fields));
}

function byObject(name: string, matches: (fields: Fields) => boolean): Filter {
  return (decoded) =>
    rsvpObjectsOf(decoded).some(
      (object: WireObject) => object.class === name && matches(object as unknown as Fields),
    );
}
