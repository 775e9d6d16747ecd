import { ipv4, ipv6, u16, u8 } from '../field.js';
import { PROTOCOLS } from '../numbers.js';
import { object } from '../object.js';

const SESSION = { class: 'SESSION', classNum: 1 } as const;
const FLAGS = { bits: { 0x01: 'E_Police' } };

/*
 *  +-------------+-------------+-------------+-------------+
 *  |             IPv4 DestAddress (4 bytes)                |
 *  +-------------+-------------+-------------+-------------+
 *  | Protocol Id |    Flags    |          DstPort          |
 *  +-------------+-------------+-------------+-------------+
 */
const ports = { protocolId: u8({ names: PROTOCOLS }), flags: u8(FLAGS), dstPort: u16() };

export const SessionIpv4 = object(
  { ...SESSION, cType: 1, title: 'IPv4/UDP', rfc: 'RFC 2205 A.1' },
  { destAddress: ipv4, ...ports },
);

export const SessionIpv6 = object(
  { ...SESSION, cType: 2, title: 'IPv6/UDP', rfc: 'RFC 2205 A.1' },
  { destAddress: ipv6, ...ports },
);

/*
 *  +-------------+-------------+-------------+-------------+
 *  |               IPv4 DestAddress (4 bytes)              |
 *  +-------------+-------------+-------------+-------------+
 *  | Protocol ID |     Flags   |         vDstPort          |
 *  +-------------+-------------+-------------+-------------+
 */
const virtualPorts = { protocolId: u8({ names: PROTOCOLS }), flags: u8(FLAGS), vDstPort: u16() };

export const SessionIpv4Gpi = object(
  { ...SESSION, cType: 3, title: 'IPv4/GPI', rfc: 'RFC 2207 3.1' },
  { destAddress: ipv4, ...virtualPorts },
);

export const SessionIpv6Gpi = object(
  { ...SESSION, cType: 4, title: 'IPv6/GPI', rfc: 'RFC 2207 3.1' },
  { destAddress: ipv6, ...virtualPorts },
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                   IPv4 tunnel end point address               |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  MUST be zero                 |      Tunnel ID                |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                       Extended Tunnel ID                      |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The Extended Tunnel ID is normally zero or an address of the ingress, and is printed as one.
 */
const tunnel = { reserved: u16(), tunnelId: u16() };

export const SessionLspTunnelIpv4 = object(
  { ...SESSION, cType: 7, title: 'LSP_TUNNEL_IPv4', rfc: 'RFC 3209 4.6.1' },
  { tunnelEndPointAddress: ipv4, ...tunnel, extendedTunnelId: ipv4 },
);

export const SessionLspTunnelIpv6 = object(
  { ...SESSION, cType: 8, title: 'LSP_TUNNEL_IPv6', rfc: 'RFC 3209 4.6.1' },
  { tunnelEndPointAddress: ipv6, ...tunnel, extendedTunnelId: ipv6 },
);

/*
 *  +-------------+-------------+-------------+-------------+
 *  |              IPv4 Session Address (4 bytes)           |
 *  +-------------+-------------+-------------+-------------+
 *  | /////////// |    Flags    |  /////////  |     DSCP    |
 *  +-------------+-------------+-------------+-------------+
 */
const aggregate = { reserved: u8(), flags: u8(FLAGS), reservedMiddle: u8(), dscp: u8() };

export const SessionAggregateIpv4 = object(
  { ...SESSION, cType: 9, title: 'RSVP-AGGREGATE-IP4', rfc: 'RFC 3175 3.3' },
  { sessionAddress: ipv4, ...aggregate },
);

export const SessionAggregateIpv6 = object(
  { ...SESSION, cType: 10, title: 'RSVP-AGGREGATE-IP6', rfc: 'RFC 3175 3.3' },
  { sessionAddress: ipv6, ...aggregate },
);
