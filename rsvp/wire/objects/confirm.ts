import { ipv4, ipv6 } from '../field.js';
import { object } from '../object.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |            IPv4 Receiver Address (4 bytes)            |
 *  +-------------+-------------+-------------+-------------+
 */
const RESV_CONFIRM = { class: 'RESV_CONFIRM', classNum: 15, rfc: 'RFC 2205 A.14' } as const;

export const ResvConfirmIpv4 = object(
  { ...RESV_CONFIRM, cType: 1, title: 'IPv4' },
  { receiverAddress: ipv4 },
);
export const ResvConfirmIpv6 = object(
  { ...RESV_CONFIRM, cType: 2, title: 'IPv6' },
  { receiverAddress: ipv6 },
);
