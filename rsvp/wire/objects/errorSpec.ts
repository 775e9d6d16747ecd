import { errorCodeText, errorValueText } from '../errors.js';
import { ipv4, ipv6, u16, u8 } from '../field.js';
import { object } from '../object.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |            IPv4 Error Node Address (4 bytes)          |
 *  +-------------+-------------+-------------+-------------+
 *  |    Flags    |  Error Code |        Error Value        |
 *  +-------------+-------------+-------------+-------------+
 */
const ERROR_SPEC = { class: 'ERROR_SPEC', classNum: 6, rfc: 'RFC 2205 A.5' } as const;

/** 0x04 is RFC 3473 6.2: the sender of the error has removed the path state. */
const FLAGS = { bits: { 0x01: 'InPlace', 0x02: 'NotGuilty', 0x04: 'Path_State_Removed' } };

/** The meaning of a value hangs on the code (RFC 2205 Appendix B). */
export const ERROR_FIELDS = {
  flags: u8(FLAGS),
  errorCode: u8({ text: errorCodeText }),
  errorValue: u16({
    text: (value, record) => errorValueText((record as { readonly errorCode: number }).errorCode, value),
  }),
};

export const ErrorSpecIpv4 = object(
  { ...ERROR_SPEC, cType: 1, title: 'IPv4' },
  { errorNodeAddress: ipv4, ...ERROR_FIELDS },
);
export const ErrorSpecIpv6 = object(
  { ...ERROR_SPEC, cType: 2, title: 'IPv6' },
  { errorNodeAddress: ipv6, ...ERROR_FIELDS },
);
