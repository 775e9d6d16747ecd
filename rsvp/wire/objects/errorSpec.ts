import { errorCodeText, errorValueText } from '../errors.js';
import { ipv4, ipv6, u16, u8 } from '../field.js';
import { INTERFACE_IDS } from '../interfaces.js';
import { object } from '../object.js';
import { membersOf } from '../tail.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |            IPv4 Error Node Address (4 bytes)          |
 *  +-------------+-------------+-------------+-------------+
 *  |    Flags    |  Error Code |        Error Value        |
 *  +-------------+-------------+-------------+-------------+
 */
const ERROR_SPEC = { class: 'ERROR_SPEC', classNum: 6 } as const;
const A5 = 'RFC 2205 A.5';

/** 0x04 is RFC 3473 6.2: the sender of the error has removed the path state. */
const FLAGS = { bits: { 0x01: 'InPlace', 0x02: 'NotGuilty', 0x04: 'Path_State_Removed' } };

/** The meaning of a value hangs on the code (RFC 2205 Appendix B). */
const ERROR_FIELDS = {
  flags: u8(FLAGS),
  errorCode: u8({ text: errorCodeText }),
  errorValue: u16({
    text: (value, record) => errorValueText((record as { readonly errorCode: number }).errorCode, value),
  }),
};

export const ErrorSpecIpv4 = object(
  { ...ERROR_SPEC, cType: 1, title: 'IPv4', rfc: A5 },
  { errorNodeAddress: ipv4, ...ERROR_FIELDS },
);
export const ErrorSpecIpv6 = object(
  { ...ERROR_SPEC, cType: 2, title: 'IPv6', rfc: A5 },
  { errorNodeAddress: ipv6, ...ERROR_FIELDS },
);

/** The same, then the interfaces that it is about (RFC 3473 8.2). */
const IF_ID = 'RFC 3473 8.2.1';
export const ErrorSpecIpv4IfId = object(
  { ...ERROR_SPEC, cType: 3, title: 'IPv4 IF_ID', rfc: IF_ID },
  { errorNodeAddress: ipv4, ...ERROR_FIELDS },
  { tlvs: membersOf(INTERFACE_IDS) },
);
export const ErrorSpecIpv6IfId = object(
  { ...ERROR_SPEC, cType: 4, title: 'IPv6 IF_ID', rfc: IF_ID },
  { errorNodeAddress: ipv6, ...ERROR_FIELDS },
  { tlvs: membersOf(INTERFACE_IDS) },
);
