import { declare } from './declare.js';
import type { MemberType } from './declare.js';
import { Family } from './family.js';
import type { Member } from './family.js';
import { u16, u8 } from './field.js';
import type { Fields, InputOf, NoTail, Tails, ValueOf } from './layout.js';
import { membersOf, octets, text } from './tail.js';

/*
 * A policy element (RFC 2750 3.3), what POLICY_DATA carries:
 *
 *  +-------------+-------------+-------------+-------------+
 *  |  Length                   |   P-Type                  |
 *  +---------------------------+---------------------------+
 *  // Policy information  (Opaque to RSVP)                //
 *  +-------------------------------------------------------+
 *
 * RFC 3182 3.2 has Length a multiple of 4; RFC 2750 says nothing of padding, and so we allow none anywhere.
 */
export interface PolicyElement {
  /** Name of the P-Type, as `AUTH_USER`. */
  readonly element: string;
  readonly pType: number;
  readonly length: number;
}

export interface PolicyElementHead {
  readonly pType: number;
  readonly element: string;
  readonly rfc: string;
}

export function policyElement<F extends Fields, T extends Tails = NoTail>(
  head: PolicyElementHead,
  fields: F,
  tails?: T,
): MemberType<ValueOf<F> & ValueOf<T>, InputOf<F> & InputOf<T>, PolicyElement> {
  const { pType, element, rfc } = head;
  return declare(
    {
      key: pType,
      name: element,
      heading: `${element} (P-Type ${pType}`,
      rfc,
      constants: { element, pType },
    },
    fields,
    tails,
  );
}

export function policyElements(members: readonly Member<PolicyElement>[]): Family<PolicyElement> {
  const numbers = new Map(members.map((member) => [member.name, member.key]));
  return new Family<PolicyElement>(
    {
      what: 'policy element',
      rfc: 'RFC 2750 3.3',
      size: 4,
      padded: false,
      key: { at: 2, octets: 2 },
      length: { at: 0, octets: 2 },
      keyOf: (value) => value.pType,
      unknown: (key) => ({ element: `unknown(${key})`, pType: key, length: 0 }),
      title: (value) => `${value.element} (P-Type ${value.pType}`,
      keyFromJson: (json) => integerFrom(json['pType'], 0xffff) ?? numbers.get(String(json['element'])),
    },
    members,
  );
}

/*
 * An attribute of a policy element (RFC 3182 3.3). Length leaves out the padding to a multiple of four octets.
 *
 *  +--------+--------+--------+--------+
 *  | Length          | A-Type |SubType |
 *  +--------+--------+--------+--------+
 *  | Value ...
 *  +--------+--------+--------+--------+
 */
export interface Attribute {
  /** Name of the A-Type, as `POLICY_LOCATOR`. */
  readonly attribute: string;
  readonly aType: number;
  readonly subType: number;
  readonly length: number;
}

export interface AttributeHead {
  readonly aType: number;
  readonly subType: number;
  readonly attribute: string;
  /** What the sub-type is, as `ASCII_DN`. */
  readonly title?: string;
  readonly rfc: string;
}

export function attribute<F extends Fields, T extends Tails = NoTail>(
  head: AttributeHead,
  fields: F,
  tails?: T,
): MemberType<ValueOf<F> & ValueOf<T>, InputOf<F> & InputOf<T>, Attribute> {
  const { aType, subType, attribute: name, title, rfc } = head;
  const kind = title === undefined ? '' : ` ${title}`;
  return declare(
    {
      key: (aType << 8) | subType,
      name: `${name}${kind}`,
      heading: `${name} (A-Type ${aType}, SubType ${subType}${kind}`,
      rfc,
      constants: { attribute: name, aType, subType },
    },
    fields,
    tails,
  );
}

export function attributes(members: readonly Member<Attribute>[]): Family<Attribute> {
  const names = new Map(members.map((member) => [member.key >> 8, member.name.split(' ')[0] ?? '']));
  const numbers = new Map([...names].map(([aType, name]) => [name, aType]));
  return new Family<Attribute>(
    {
      what: 'attribute',
      rfc: 'RFC 3182 3.3',
      size: 4,
      padded: true,
      key: { at: 2, octets: 2 },
      length: { at: 0, octets: 2 },
      keyOf: (value) => (value.aType << 8) | value.subType,
      unknown: (key) => ({
        attribute: names.get(key >> 8) ?? `unknown(${key >> 8})`,
        aType: key >> 8,
        subType: key & 0xff,
        length: 0,
      }),
      title: (value) => `${value.attribute} (A-Type ${value.aType}, SubType ${value.subType} unknown`,
      keyFromJson(json) {
        const aType = integerFrom(json['aType'], 255) ?? numbers.get(String(json['attribute']));
        const subType = integerFrom(json['subType'], 255);
        return aType === undefined || subType === undefined ? undefined : (aType << 8) | subType;
      },
    },
    members,
  );
}

function integerFrom(value: unknown, max: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
    ? value
    : undefined;
}

const LOCATOR = { aType: 1, attribute: 'POLICY_LOCATOR', rfc: 'RFC 3182 3.3.1' } as const;
export const LocatorAsciiDn = attribute({ ...LOCATOR, subType: 1, title: 'ASCII_DN' }, {}, { value: text });
export const LocatorUnicodeDn = attribute(
  { ...LOCATOR, subType: 2, title: 'UNICODE_DN' },
  {},
  { value: octets },
);
export const LocatorAsciiDnEncrypt = attribute(
  { ...LOCATOR, subType: 3, title: 'ASCII_DN_ENCRYPT' },
  {},
  { value: octets },
);
export const LocatorUnicodeDnEncrypt = attribute(
  { ...LOCATOR, subType: 4, title: 'UNICODE_DN_ENCRYPT' },
  {},
  { value: octets },
);

const CREDENTIAL = { aType: 2, attribute: 'CREDENTIAL', rfc: 'RFC 3182 3.3.2' } as const;
export const CredentialAsciiId = attribute(
  { ...CREDENTIAL, subType: 1, title: 'ASCII_ID' },
  {},
  { value: text },
);
export const CredentialUnicodeId = attribute(
  { ...CREDENTIAL, subType: 2, title: 'UNICODE_ID' },
  {},
  { value: octets },
);
export const CredentialKerberos = attribute(
  { ...CREDENTIAL, subType: 3, title: 'KERBEROS_TKT' },
  {},
  { value: octets },
);
export const CredentialX509 = attribute(
  { ...CREDENTIAL, subType: 4, title: 'X509_V3_CERT' },
  {},
  { value: octets },
);
export const CredentialPgp = attribute(
  { ...CREDENTIAL, subType: 5, title: 'PGP_CERT' },
  {},
  { value: octets },
);

export const DigitalSignature = attribute(
  { aType: 3, subType: 0, attribute: 'DIGITAL_SIGNATURE', rfc: 'RFC 3182 3.3.3' },
  {},
  { value: octets },
);

/*
 *  +----------+----------+----------+----------+
 *  | 0 (Reserved)        | ErrorValue          |
 *  +----------+----------+----------+----------+
 *  | OctetString ...
 *  +----------+----------+----------+----------+
 */
export const IDENTITY_ERRORS: Readonly<Record<number, string>> = {
  1: 'ERROR_NO_MORE_INFO',
  2: 'UNSUPPORTED_CREDENTIAL_TYPE',
  3: 'INSUFFICIENT_PRIVILEGES',
  4: 'EXPIRED_CREDENTIAL',
  5: 'IDENTITY_CHANGED',
};
export const PolicyErrorObject = attribute(
  { aType: 4, subType: 0, attribute: 'POLICY_ERROR_OBJECT', rfc: 'RFC 3182 3.3.4' },
  { reserved: u16(), errorValue: u16({ names: IDENTITY_ERRORS }) },
  { value: text },
);

/** The attributes of RFC 3182. Those of RFC 2872 are AsciiDn locators with keywords of their own. */
export const IDENTITY_ATTRIBUTES = attributes([
  LocatorAsciiDn,
  LocatorUnicodeDn,
  LocatorAsciiDnEncrypt,
  LocatorUnicodeDnEncrypt,
  CredentialAsciiId,
  CredentialUnicodeId,
  CredentialKerberos,
  CredentialX509,
  CredentialPgp,
  DigitalSignature,
  PolicyErrorObject,
]);

/*
 *  +------+------+-------------+-------------+-------------+
 *  | Flags       | M. Strategy | Error Code  | Reserved(0) |
 *  +------+------+-------------+-------------+-------------+
 *  | Preemption Priority       | Defending Priority        |
 *  +------+------+-------------+-------------+-------------+
 */
export const PreemptionPri = policyElement(
  { pType: 1, element: 'PREEMPTION_PRI', rfc: 'RFC 3181 4' },
  {
    flags: u8({ bits: {} }),
    mergeStrategy: u8({
      names: {
        1: 'take priority of highest QoS',
        2: 'take highest priority',
        3: 'force error on heterogeneous merge',
      },
    }),
    errorCode: u8({ names: { 0: 'NO_ERROR', 1: 'PREEMPTION', 2: 'HETEROGENEOUS' } }),
    reserved: u8(),
    preemptionPriority: u16(),
    defendingPriority: u16(),
  },
);

export const AuthUser = policyElement(
  { pType: 2, element: 'AUTH_USER', rfc: 'RFC 3182 3.2' },
  {},
  { attributes: membersOf(IDENTITY_ATTRIBUTES) },
);

export const AuthApp = policyElement(
  { pType: 3, element: 'AUTH_APP', rfc: 'RFC 3182 3.2' },
  {},
  { attributes: membersOf(IDENTITY_ATTRIBUTES) },
);

export const POLICY_ELEMENTS: readonly Member<PolicyElement>[] = [PreemptionPri, AuthUser, AuthApp];
