import { ipv4, ipv6, u16, u32 } from '../../rsvp/wire/field.js';
import { object, objectFamily } from '../../rsvp/wire/object.js';
import type { AnyObjectType } from '../../rsvp/wire/object.js';
import { octets } from '../../rsvp/wire/tail.js';
import { COMMAND_NAMES, ERROR_NAMES, REASON_NAMES, REPORT_NAMES, R_TYPE_NAMES } from './codes.js';
import { PepId } from './pepid.js';

/*
 * Every object of RFC 2748 2.2, and the Integrity object of RFC 4261 4.1, in the order of C-Num and C-Type. The
 * class names are the RFC's short ones.
 *
 *             0             1              2             3
 *      +-------------+-------------+-------------+-------------+
 *      |       Length (octets)     |    C-Num    |   C-Type    |
 *      +-------------+-------------+-------------+-------------+
 *      //                  (Object contents)                   //
 *      +-------------+-------------+-------------+-------------+
 *
 * The length leaves out the padding to a multiple of four octets (RFC 2748 2.2).
 */

export const Handle = object(
  { class: 'Handle', classNum: 1, cType: 1, title: 'Client Handle', rfc: 'RFC 2748 2.2.1' },
  {},
  { handle: octets },
);

export const Context = object(
  { class: 'Context', classNum: 2, cType: 1, title: 'Context', rfc: 'RFC 2748 2.2.2' },
  { rType: u16({ bits: R_TYPE_NAMES }), mType: u16() },
);

const onIpv4 = { address: ipv4, ifindex: u32() };
const onIpv6 = { address: ipv6, ifindex: u32() };
export const InIntIpv4 = object(
  { class: 'IN-Int', classNum: 3, cType: 1, title: 'IPv4 Address + Interface', rfc: 'RFC 2748 2.2.3' },
  onIpv4,
);
export const InIntIpv6 = object(
  { class: 'IN-Int', classNum: 3, cType: 2, title: 'IPv6 Address + Interface', rfc: 'RFC 2748 2.2.3' },
  onIpv6,
);
export const OutIntIpv4 = object(
  { class: 'OUT-Int', classNum: 4, cType: 1, title: 'IPv4 Address + Interface', rfc: 'RFC 2748 2.2.4' },
  onIpv4,
);
export const OutIntIpv6 = object(
  { class: 'OUT-Int', classNum: 4, cType: 2, title: 'IPv6 Address + Interface', rfc: 'RFC 2748 2.2.4' },
  onIpv6,
);

export const Reason = object(
  { class: 'Reason', classNum: 5, cType: 1, title: 'Reason', rfc: 'RFC 2748 2.2.5' },
  { reasonCode: u16({ names: REASON_NAMES }), reasonSubCode: u16() },
);

const decisionFlags = {
  commandCode: u16({ names: COMMAND_NAMES }),
  flags: u16({ bits: { 0x01: 'Trigger Error' } }),
};
const decisionData = (classNum: 6 | 7, cType: number, title: string) =>
  object(
    {
      class: classNum === 6 ? 'Decision' : 'LPDPDecision',
      classNum,
      cType,
      title,
      rfc: classNum === 6 ? 'RFC 2748 2.2.6' : 'RFC 2748 2.2.7',
    },
    {},
    { data: octets },
  );

export const DecisionFlags = object(
  { class: 'Decision', classNum: 6, cType: 1, title: 'Decision Flags', rfc: 'RFC 2748 2.2.6' },
  decisionFlags,
);
export const DecisionStateless = decisionData(6, 2, 'Stateless Data');
export const DecisionReplacement = decisionData(6, 3, 'Replacement Data');
export const DecisionClientSpecific = decisionData(6, 4, 'Client Specific Decision Data');
export const DecisionNamed = decisionData(6, 5, 'Named Decision Data');

export const LpdpFlags = object(
  { class: 'LPDPDecision', classNum: 7, cType: 1, title: 'Decision Flags', rfc: 'RFC 2748 2.2.7' },
  decisionFlags,
);
export const LpdpStateless = decisionData(7, 2, 'Stateless Data');
export const LpdpReplacement = decisionData(7, 3, 'Replacement Data');
export const LpdpClientSpecific = decisionData(7, 4, 'Client Specific Decision Data');
export const LpdpNamed = decisionData(7, 5, 'Named Decision Data');

export const CopsError = object(
  { class: 'Error', classNum: 8, cType: 1, title: 'Error', rfc: 'RFC 2748 2.2.8' },
  { errorCode: u16({ names: ERROR_NAMES }), errorSubCode: u16({ text: subCodeText }) },
);

export const SignaledClientSi = object(
  { class: 'ClientSI', classNum: 9, cType: 1, title: 'Signaled ClientSI', rfc: 'RFC 2748 2.2.9' },
  {},
  { data: octets },
);
export const NamedClientSi = object(
  { class: 'ClientSI', classNum: 9, cType: 2, title: 'Named ClientSI', rfc: 'RFC 2748 2.2.9' },
  {},
  { data: octets },
);

export const KaTimer = object(
  { class: 'KATimer', classNum: 10, cType: 1, title: 'Keep-alive timer value', rfc: 'RFC 2748 2.2.10' },
  { reserved: u16(), kaTimerValue: u16({ unit: 's' }) },
);

export { PepId };

export const ReportType = object(
  { class: 'Report-Type', classNum: 12, cType: 1, title: 'Report-Type', rfc: 'RFC 2748 2.2.12' },
  { reportType: u16({ names: REPORT_NAMES }), reserved: u16() },
);

const atIpv4 = { address: ipv4, reserved: u16(), tcpPortNumber: u16() };
const atIpv6 = { address: ipv6, reserved: u16(), tcpPortNumber: u16() };
export const PdpRedirAddrIpv4 = object(
  { class: 'PDPRedirAddr', classNum: 13, cType: 1, title: 'IPv4 Address + TCP Port', rfc: 'RFC 2748 2.2.13' },
  atIpv4,
);
export const PdpRedirAddrIpv6 = object(
  { class: 'PDPRedirAddr', classNum: 13, cType: 2, title: 'IPv6 Address + TCP Port', rfc: 'RFC 2748 2.2.13' },
  atIpv6,
);
export const LastPdpAddrIpv4 = object(
  { class: 'LastPDPAddr', classNum: 14, cType: 1, title: 'IPv4 Address', rfc: 'RFC 2748 2.2.14' },
  atIpv4,
);
export const LastPdpAddrIpv6 = object(
  { class: 'LastPDPAddr', classNum: 14, cType: 2, title: 'IPv6 Address', rfc: 'RFC 2748 2.2.14' },
  atIpv6,
);

export const AcctTimer = object(
  { class: 'AcctTimer', classNum: 15, cType: 1, title: 'Accounting timer value', rfc: 'RFC 2748 2.2.15' },
  { reserved: u16(), acctTimerValue: u16({ unit: 's' }) },
);

export const Integrity = object(
  { class: 'Integrity', classNum: 16, cType: 1, title: 'HMAC digest', rfc: 'RFC 2748 2.2.16' },
  { keyId: u32(), sequenceNumber: u32() },
  { keyedMessageDigest: octets },
);
export const IntegrityTls = object(
  { class: 'Integrity', classNum: 16, cType: 2, title: 'Integrity-TLS', rfc: 'RFC 4261 4.1' },
  { reserved: u16(), flags: u16({ bits: { 0x0001: 'StartTLS' } }) },
);

/** Objects whose contents have one size; the rest is variable. */
const FIXED: readonly AnyObjectType[] = [
  Context,
  InIntIpv4,
  InIntIpv6,
  OutIntIpv4,
  OutIntIpv6,
  Reason,
  DecisionFlags,
  LpdpFlags,
  CopsError,
  KaTimer,
  ReportType,
  PdpRedirAddrIpv4,
  PdpRedirAddrIpv6,
  LastPdpAddrIpv4,
  LastPdpAddrIpv6,
  AcctTimer,
  IntegrityTls,
];

const VARIABLE: readonly AnyObjectType[] = [
  Handle,
  DecisionStateless,
  DecisionReplacement,
  DecisionClientSpecific,
  DecisionNamed,
  LpdpStateless,
  LpdpReplacement,
  LpdpClientSpecific,
  LpdpNamed,
  SignaledClientSi,
  NamedClientSi,
  PepId,
  Integrity,
];

export const COPS_OBJECTS: readonly AnyObjectType[] = [...FIXED, ...VARIABLE].sort((a, b) => a.key - b.key);

export const COPS_FAMILY = objectFamily({ what: 'object', rfc: 'RFC 2748 2.2', padded: true }, COPS_OBJECTS);

/** Length an object must have, by C-Num and C-Type: exactly (positive), or at least (negative). Unknown: undefined. */
export const LENGTHS: ReadonlyMap<number, number> = new Map([
  ...FIXED.map((type): [number, number] => [type.key, 4 + type.layout.size]),
  ...VARIABLE.map((type): [number, number] => [type.key, -(4 + type.layout.size)]),
]);

/** Sub-codes that name an object carry its C-Num and C-Type (RFC 2748 2.2.8, RFC 4261 10). */
function subCodeText(value: number): string {
  if (value < 0x100) return String(value);
  return `${value} (C-Num ${value >> 8}, C-Type ${value & 0xff})`;
}
