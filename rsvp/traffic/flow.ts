import type { TrafficReservation } from '../engine/traffic.js';
import {
  FilterSpecFlowLabel,
  FilterSpecIpv4,
  FilterSpecIpv4Gpi,
  FilterSpecIpv6,
  FilterSpecIpv6Gpi,
  SessionIpv4,
  SessionIpv4Gpi,
  SessionIpv6,
  SessionIpv6Gpi,
} from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import { TrafficError } from './control.js';

/** Packets that a session and a filter spec mean. What is undefined may be anything. */
export interface Flow {
  readonly family: 4 | 6;
  readonly destination: string;
  /** Undefined for a flow label, which stands for protocol and ports (RFC 2205 1.2). */
  readonly protocol?: number;
  readonly destinationPort?: number;
  readonly source?: string;
  readonly sourcePort?: number;
  /** Security Parameter Index of AH or ESP (RFC 2207). */
  readonly spi?: number;
  readonly flowLabel?: number;
}

export const PROTOCOL_ESP = 50;
export const PROTOCOL_AH = 51;
/** TCP, UDP, DCCP, SCTP, UDP-Lite: both ports are the first four octets after the IP header. */
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);
/** RFC 2205 has 24 bits for it, IPv6 by now 20 (RFC 8200 3). */
const MAX_FLOW_LABEL = 0xfffff;

/** One flow for each filter spec, or one for any sender (WF). Throws `TrafficError` where a packet does not tell. */
export function flowsOf({ id, interface: out, session, filters, style }: TrafficReservation): Flow[] {
  const fail = (message: string): never => {
    throw new TrafficError(message, { reservation: id, interface: out });
  };
  const about =
    sessionFlow(session) ?? fail(`packets of a session of C-Type ${session.cType} cannot be told apart`);
  if (filters.length === 0 && style !== 'WF') fail(`style ${style} has no filter spec`);
  const flows = filters.length === 0 ? [about] : filters.map((filter) => filterFlow(about, filter));
  return flows.map((flow) => {
    if (typeof flow === 'string') return fail(flow);
    const { protocol, sourcePort, destinationPort } = flow;
    const hasPorts = sourcePort !== undefined || destinationPort !== undefined;
    if (hasPorts && (protocol === undefined || !WITH_PORTS.has(protocol)))
      fail(`packets of protocol ${protocol ?? 0} carry no ports`);
    return flow;
  });
}

function sessionFlow(session: WireObject): Flow | undefined {
  if (SessionIpv4.is(session) || SessionIpv6.is(session)) {
    const { destAddress: destination, protocolId: protocol, dstPort } = session;
    const family = SessionIpv4.is(session) ? 4 : 6;
    // A port of zero says that there is none (RFC 2205 3.2).
    return { family, destination, protocol, ...(dstPort === 0 ? {} : { destinationPort: dstPort }) };
  }
  // The virtual destination port is in no packet (RFC 2207 3.1).
  if (SessionIpv4Gpi.is(session))
    return { family: 4, destination: session.destAddress, protocol: session.protocolId };
  if (SessionIpv6Gpi.is(session))
    return { family: 6, destination: session.destAddress, protocol: session.protocolId };
  return undefined;
}

/** Text: why there is no such flow. */
function filterFlow(about: Flow, filter: WireObject): Flow | string {
  const { family, destination, protocol } = about;
  if ((FilterSpecIpv4.is(filter) && family === 4) || (FilterSpecIpv6.is(filter) && family === 6)) {
    const { srcAddress: source, srcPort } = filter;
    return { ...about, source, ...(srcPort === 0 ? {} : { sourcePort: srcPort }) };
  }
  if (FilterSpecFlowLabel.is(filter) && family === 6) {
    const { srcAddress: source, flowLabel } = filter;
    if (flowLabel > MAX_FLOW_LABEL) return `no packet can carry the flow label ${flowLabel}`;
    return { family, destination, source, flowLabel };
  }
  if ((FilterSpecIpv4Gpi.is(filter) && family === 4) || (FilterSpecIpv6Gpi.is(filter) && family === 6)) {
    if (protocol !== PROTOCOL_ESP && protocol !== PROTOCOL_AH)
      return `a GPI is that of protocol 50 or 51, not of ${protocol ?? 0} (RFC 2207 3.2)`;
    return { family, destination, protocol, source: filter.srcAddress, spi: filter.gpi };
  }
  return `a filter spec of C-Type ${filter.cType} does not fit its session`;
}
