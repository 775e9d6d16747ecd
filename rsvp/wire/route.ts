import { declare } from './declare.js';
import type { MemberType } from './declare.js';
import { Family } from './family.js';
import type { Extra, Member } from './family.js';
import { ipv4, ipv6, u16, u32, u8 } from './field.js';
import type { Fields, InputOf, NoTail, Tails, ValueOf } from './layout.js';
import { list } from './tail.js';

/*
 * Sub-objects of EXPLICIT_ROUTE and RECORD_ROUTE (RFC 3209 4.3.3, 4.4.1). Length counts the header and is a multiple of 4.
 * The L bit (a loose hop) is of explicit routes only; a RECORD_ROUTE has eight bits of type.
 *
 *   0                   1
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-------------//----------------+
 *  |L|    Type     |     Length    | (Subobject contents)          |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-------------//----------------+
 */
export interface SubObject {
  readonly subObject: string;
  readonly type: number;
  readonly length: number;
}
export interface ExplicitHop extends SubObject {
  /** 1: a loose hop. */
  readonly loose: number;
}

const LOOSE: Extra = {
  name: 'loose',
  at: 0,
  shift: 7,
  field: { ...u8(), text: () => 'yes' },
};

function explicit<F extends Fields, T extends Tails = NoTail>(
  type: number,
  name: string,
  rfc: string,
  fields: F,
  tails?: T,
): MemberType<ValueOf<F> & ValueOf<T>, InputOf<F> & InputOf<T> & { readonly loose?: number }, ExplicitHop> {
  const constants = { subObject: name, type };
  return declare(
    { key: type, name, heading: `${name} (type ${type}`, rfc, constants, extra: LOOSE },
    fields,
    tails,
  );
}

function recorded<F extends Fields, T extends Tails = NoTail>(
  type: number,
  name: string,
  rfc: string,
  fields: F,
  tails?: T,
): MemberType<ValueOf<F> & ValueOf<T>, InputOf<F> & InputOf<T>, SubObject> {
  const constants = { subObject: name, type };
  return declare({ key: type, name, heading: `${name} (type ${type}`, rfc, constants }, fields, tails);
}

export const HopIpv4 = explicit(1, 'IPv4 prefix', 'RFC 3209 4.3.3.2', {
  address: ipv4,
  prefixLength: u8(),
  reserved: u8(),
});
export const HopIpv6 = explicit(2, 'IPv6 prefix', 'RFC 3209 4.3.3.3', {
  address: ipv6,
  prefixLength: u8(),
  reserved: u8(),
});

/** The U bit: a label for traffic upstream (RFC 3473 5.1). */
const label = (name: Readonly<Record<number, string>>) => ({
  flags: u8({ bits: { 0x80: 'upstream', ...name } }),
  labelCType: u8(),
});
export const HopLabel = explicit(3, 'label', 'RFC 3473 5.1', label({}), { label: list(u32()) });
export const HopUnnumbered = explicit(4, 'unnumbered interface', 'RFC 3477 4', {
  reserved: u16(),
  routerId: ipv4,
  interfaceId: u32(),
});
export const HopAutonomousSystem = explicit(32, 'autonomous system', 'RFC 3209 4.3.3.4', {
  autonomousSystem: u16(),
});

const RECORD_FLAGS = u8({ bits: { 0x01: 'local protection available', 0x02: 'local protection in use' } });
export const RecordIpv4 = recorded(1, 'IPv4 address', 'RFC 3209 4.4.1.1', {
  address: ipv4,
  prefixLength: u8(),
  flags: RECORD_FLAGS,
});
export const RecordIpv6 = recorded(2, 'IPv6 address', 'RFC 3209 4.4.1.2', {
  address: ipv6,
  prefixLength: u8(),
  flags: RECORD_FLAGS,
});
export const RecordLabel = recorded(3, 'label', 'RFC 3209 4.4.1.3', label({ 0x01: 'global label' }), {
  label: list(u32()),
});
export const RecordUnnumbered = recorded(4, 'unnumbered interface', 'RFC 3477 5', {
  flags: RECORD_FLAGS,
  reserved: u8(),
  routerId: ipv4,
  interfaceId: u32(),
});

function subObjects<V extends SubObject>(
  members: readonly Member<V>[],
  typeBits: number,
  extra?: Extra,
): Family<V> {
  return new Family<V>(
    {
      what: 'sub-object',
      rfc: 'RFC 3209 4.3.3',
      size: 2,
      padded: false,
      key: { at: 0, octets: 1, bits: typeBits },
      length: { at: 1, octets: 1 },
      ...(extra === undefined ? {} : { extra }),
      keyOf: (value) => value.type,
      unknown: (key) => ({ subObject: `unknown(${key})`, type: key, length: 0 }) as V,
      title: (value) => `${value.subObject} (type ${value.type}`,
      keyFromJson({ type }) {
        return typeof type === 'number' && Number.isInteger(type) && type >= 0 && type < 2 ** typeBits
          ? type
          : undefined;
      },
    },
    members,
  );
}

export const EXPLICIT_HOPS = subObjects<ExplicitHop>(
  [HopIpv4, HopIpv6, HopLabel, HopUnnumbered, HopAutonomousSystem],
  7,
  LOOSE,
);
export const RECORDED_HOPS = subObjects<SubObject>(
  [RecordIpv4, RecordIpv6, RecordLabel, RecordUnnumbered],
  8,
);
