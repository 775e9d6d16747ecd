import { bits, ipv4, ipv6, u8 } from '../field.js';
import { object } from '../object.js';
import { styleName } from '../style.js';
import { list } from '../tail.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |                IPv4 Src Address (4 bytes)             |
 *  +-------------+-------------+-------------+-------------+
 *  //                                                      //
 *  +-------------+-------------+-------------+-------------+
 *  |                IPv4 Src Address (4 bytes)             |
 *  +-------------+-------------+-------------+-------------+
 */
const SCOPE = { class: 'SCOPE', classNum: 7, rfc: 'RFC 2205 A.6' } as const;

export const ScopeIpv4 = object({ ...SCOPE, cType: 1, title: 'IPv4' }, {}, { srcAddresses: list(ipv4) });
export const ScopeIpv6 = object({ ...SCOPE, cType: 2, title: 'IPv6' }, {}, { srcAddresses: list(ipv6) });

/*
 *  +-------------+-------------+-------------+-------------+
 *  |   Flags     |              Option Vector              |
 *  +-------------+-------------+-------------+-------------+
 */
export const Style = object(
  { class: 'STYLE', classNum: 8, cType: 1, title: 'style', rfc: 'RFC 2205 A.7' },
  {
    flags: u8({ bits: {} }),
    optionVector: bits(24, {
      text: (value) => `0x${value.toString(16).padStart(6, '0')} (${styleName(value)})`,
    }),
  },
);
