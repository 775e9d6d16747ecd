import { ErrorSpecIpv4, ErrorSpecIpv6, errorCodeText, errorValueText } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import { familyOf } from './identity.js';

/** Flags of ERROR_SPEC (RFC 2205 A.5). */
export const IN_PLACE = 0x01;
export const NOT_GUILTY = 0x02;

/** Error code of Admission Control failure: it makes blockade state. */
export const ADMISSION_FAILURE = 1;

export function errorSpec(node: string, flags: number, errorCode: number, errorValue: number): WireObject {
  const type = familyOf(node) === 6 ? ErrorSpecIpv6 : ErrorSpecIpv4;
  return type.make({ errorNodeAddress: node, flags, errorCode, errorValue });
}

export function errorText(code: number, value: number): string {
  return `error ${errorCodeText(code)} value ${errorValueText(code, value)}`;
}
