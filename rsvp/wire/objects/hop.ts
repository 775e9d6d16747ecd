import { ipv4, ipv6, u32 } from '../field.js';
import { INTERFACE_IDS } from '../interfaces.js';
import { object } from '../object.js';
import { membersOf } from '../tail.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |             IPv4 Next/Previous Hop Address            |
 *  +-------------+-------------+-------------+-------------+
 *  |                 Logical Interface Handle              |
 *  +-------------+-------------+-------------+-------------+
 */
const RSVP_HOP = { class: 'RSVP_HOP', classNum: 3 } as const;
const A2 = 'RFC 2205 A.2';
const handle = { logicalInterfaceHandle: u32() };

export const RsvpHopIpv4 = object(
  { ...RSVP_HOP, cType: 1, title: 'IPv4', rfc: A2 },
  { hopAddress: ipv4, ...handle },
);
export const RsvpHopIpv6 = object(
  { ...RSVP_HOP, cType: 2, title: 'IPv6', rfc: A2 },
  { hopAddress: ipv6, ...handle },
);

/** The same, then the data channels that it is about (RFC 3473 8.1). */
const IF_ID = 'RFC 3473 8.1.1';
export const RsvpHopIpv4IfId = object(
  { ...RSVP_HOP, cType: 3, title: 'IPv4 IF_ID', rfc: IF_ID },
  { hopAddress: ipv4, ...handle },
  { tlvs: membersOf(INTERFACE_IDS) },
);
export const RsvpHopIpv6IfId = object(
  { ...RSVP_HOP, cType: 4, title: 'IPv6 IF_ID', rfc: IF_ID },
  { hopAddress: ipv6, ...handle },
  { tlvs: membersOf(INTERFACE_IDS) },
);
