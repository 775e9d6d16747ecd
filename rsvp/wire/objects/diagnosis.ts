import { bits, flag, ipv4, ipv6, u8 } from '../field.js';
import { layout } from '../layout.js';
import { object } from '../object.js';
import { list, records } from '../tail.js';

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |             reserved                          |    R-pointer  |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  //                    RSVP Node List                           //
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const ROUTE = { class: 'ROUTE', classNum: 31, rfc: 'RFC 2745 3.5' } as const;
const pointer = { reserved: bits(24), rPointer: bits(8) };
export const RouteIpv4 = object({ ...ROUTE, cType: 1, title: 'IPv4' }, pointer, { rsvpNodes: list(ipv4) });
export const RouteIpv6 = object({ ...ROUTE, cType: 2, title: 'IPv6' }, pointer, { rsvpNodes: list(ipv6) });

/** Pairs of class and C-Type; 0 is any C-Type, and a last pair of zeros fills up (RFC 2745 3.4). */
export const DiagSelect = object(
  { class: 'DIAG_SELECT', classNum: 33, cType: 1, title: 'classes', rfc: 'RFC 2745 3.4' },
  {},
  { select: records(layout({ class: u8(), cType: u8() })) },
);

/** The T bit: this node can do RSVP in tunnels. C-Type is "sent as zero" (RFC 2746 2.3.2). */
export const NodeChar = object(
  { class: 'NODE_CHAR', classNum: 128, cType: 0, title: 'node', rfc: 'RFC 2746 2.3.2' },
  { reserved: bits(31), tunnelCapable: flag },
);
