import { declare } from './declare.js';
import type { MemberType } from './declare.js';
import { Family } from './family.js';
import { ipv4, ipv6, u32 } from './field.js';
import type { Fields, InputOf, ValueOf } from './layout.js';

/*
 * Interface identifiers in IF_ID RSVP_HOP and IF_ID ERROR_SPEC (RFC 3473 8, RFC 3471 9.1.1). Length counts the header.
 *
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |              Type             |             Length            |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  //                            Value                            //
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface InterfaceId {
  readonly tlv: string;
  readonly type: number;
  readonly length: number;
}

function interfaceId<F extends Fields>(
  type: number,
  name: string,
  fields: F,
): MemberType<ValueOf<F>, InputOf<F>, InterfaceId> {
  const constants = { tlv: name, type };
  return declare(
    { key: type, name, heading: `${name} (type ${type}`, rfc: 'RFC 3471 9.1.1', constants },
    fields,
  );
}

export const InterfaceIpv4 = interfaceId(1, 'IPv4', { address: ipv4 });
export const InterfaceIpv6 = interfaceId(2, 'IPv6', { address: ipv6 });
const unnumbered = { address: ipv4, interfaceId: u32() };
export const InterfaceIndex = interfaceId(3, 'IF_INDEX', unnumbered);
export const ComponentDownstream = interfaceId(4, 'COMPONENT_IF_DOWNSTREAM', unnumbered);
export const ComponentUpstream = interfaceId(5, 'COMPONENT_IF_UPSTREAM', unnumbered);

export const INTERFACE_IDS = new Family<InterfaceId>(
  {
    what: 'TLV',
    rfc: 'RFC 3473 8',
    size: 4,
    padded: true,
    key: { at: 0, octets: 2 },
    length: { at: 2, octets: 2 },
    keyOf: (value) => value.type,
    unknown: (key) => ({ tlv: `unknown(${key})`, type: key, length: 0 }),
    title: (value) => `${value.tlv} (type ${value.type}`,
    keyFromJson({ type }) {
      return typeof type === 'number' && Number.isInteger(type) && type >= 0 && type <= 0xffff
        ? type
        : undefined;
    },
  },
  [InterfaceIpv4, InterfaceIpv6, InterfaceIndex, ComponentDownstream, ComponentUpstream],
);
