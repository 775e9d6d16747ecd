import { ipv4, ipv6, u32 } from '../field.js';
import { object } from '../object.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |             IPv4 Next/Previous Hop Address            |
 *  +-------------+-------------+-------------+-------------+
 *  |                 Logical Interface Handle              |
 *  +-------------+-------------+-------------+-------------+
 */
const RSVP_HOP = { class: 'RSVP_HOP', classNum: 3, rfc: 'RFC 2205 A.2' } as const;
const handle = { logicalInterfaceHandle: u32() };

export const RsvpHopIpv4 = object({ ...RSVP_HOP, cType: 1, title: 'IPv4' }, { hopAddress: ipv4, ...handle });
export const RsvpHopIpv6 = object({ ...RSVP_HOP, cType: 2, title: 'IPv6' }, { hopAddress: ipv6, ...handle });
