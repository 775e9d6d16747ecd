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
