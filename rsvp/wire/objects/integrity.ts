import { hex, u16, u64, u8 } from '../field.js';
import { object } from '../object.js';
import { octets } from '../tail.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |    Flags    | 0 (Reserved)|                           |
 *  +-------------+-------------+                           +
 *  |                    Key Identifier                     |
 *  +-------------+-------------+-------------+-------------+
 *  |                    Sequence Number                    |
 *  |                                                       |
 *  +-------------+-------------+-------------+-------------+
 *  //                 Keyed Message Digest                //
 *  +-------------+-------------+-------------+-------------+
 *
 * The digest is as long as its algorithm makes it: 16 octets of HMAC-MD5 (RFC 2747 2).
 */
export const Integrity = object(
  { class: 'INTEGRITY', classNum: 4, cType: 1, title: 'keyed message digest', rfc: 'RFC 2747 2' },
  {
    flags: u8({ bits: { 0x80: 'Handshake' } }),
    reserved: u8(),
    keyId: hex(6),
    sequenceNumber: u64,
  },
  { digest: octets },
);

/*
 *  +-------------+-------------+-------------+-------------+
 *  |        0 (Reserved)       |                           |
 *  +-------------+-------------+                           +
 *  |                    Key Identifier                     |
 *  +-------------+-------------+-------------+-------------+
 *  |                    Challenge Cookie                   |
 *  +-------------+-------------+-------------+-------------+
 */
export const Challenge = object(
  { class: 'CHALLENGE', classNum: 64, cType: 1, title: 'challenge', rfc: 'RFC 2747 4.3' },
  { reserved: u16(), keyId: hex(6) },
  { challengeCookie: octets },
);
