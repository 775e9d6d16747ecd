import { inflateRawSync, deflateRawSync } from 'node:zlib';
import {
  attribute,
  attributes,
  field,
  FormError,
  PolicyData,
  policyElement,
  rsvpWith,
  tail,
  printable,
} from '../../rsvp/wire/index.js';
import type { Tail, WireObject } from '../../rsvp/wire/index.js';
import { REFUSALS } from './refusal.js';

/*
 * The payment element: a policy element (RFC 2750 3.3) with a P-Type from the range for private use (RFC 2750 5), which
 * holds a list of attributes in the manner of RFC 3182 3.3. The reference page is ELEMENT.md beside this file.
 */
export const PAYMENT_P_TYPE = 0xd0be;

const RFC = 'bandex ELEMENT.md';

/** One octet is one character, as in the text of KeyNote assertions. */
const latin1: Tail<string> = {
  zero: '',
  read: (reader) => Buffer.from(reader.rest()).toString('latin1'),
  write: (writer, value) => writer.bytes(Buffer.from(value, 'latin1')),
  text: (value, _label, indent) =>
    value
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `${indent}${printableLine(line)}\n`)
      .join(''),
  toJson: (value) => value,
  fromJson(json) {
    if (typeof json === 'string' && !BEYOND_LATIN1.test(json)) return json;
    throw new FormError('', 'expected the text of an assertion, a character an octet');
  },
};

const BEYOND_LATIN1 = /[^\0-\xff]/;

/** Raw deflate (RFC 1951) of the text. Kept as octets: deflating again need not give the same ones. */
const deflated: Tail<Uint8Array> = {
  ...tail.octets,
  text(value, label, indent) {
    const inflated = inflateText(value);
    return inflated === undefined
      ? tail.octets.text(value, label, indent)
      : latin1.text(inflated, label, indent);
  },
};

/** `name=value`, claimed by whoever built the element. */
export const Claim = attribute(
  { aType: 1, subType: 1, attribute: 'CLAIM', rfc: RFC },
  {},
  { claim: tail.text },
);
export const PlainAssertion = attribute(
  { aType: 2, subType: 1, attribute: 'ASSERTION', title: 'plain', rfc: RFC },
  {},
  { assertion: latin1 },
);
export const DeflatedAssertion = attribute(
  { aType: 2, subType: 2, attribute: 'ASSERTION', title: 'deflated', rfc: RFC },
  {},
  { assertion: deflated },
);
/** SHA-256 of the text of an assertion that the policy node has already accepted. */
export const AssertionReference = attribute(
  { aType: 3, subType: 1, attribute: 'REFERENCE', title: 'SHA-256', rfc: RFC },
  { sha256: field.hex(32) },
);
const REFUSAL_NAMES = Object.fromEntries(Object.entries(REFUSALS).map(([name, { code }]) => [code, name]));
/** On the way back: why the policy node refused. */
export const PaymentError = attribute(
  { aType: 4, subType: 1, attribute: 'ERROR', rfc: RFC },
  { reserved: field.u16(), code: field.u16({ names: REFUSAL_NAMES }) },
  { reason: tail.text },
);

export const PaymentElement = policyElement(
  { pType: PAYMENT_P_TYPE, element: 'PAYMENT', rfc: RFC },
  {},
  {
    attributes: tail.membersOf(
      attributes([Claim, PlainAssertion, DeflatedAssertion, AssertionReference, PaymentError]),
    ),
  },
);

/** RSVP's codec, which opens payment elements up. */
export const PAYMENT_RSVP = rsvpWith({ policyElements: [PaymentElement] });

/** What a payment element says, without its encoding. */
export interface PaymentContents {
  readonly claims: readonly (readonly [name: string, value: string])[];
  /** Texts of KeyNote assertions, Latin-1. */
  readonly assertions: readonly string[];
  /** SHA-256 of assertions sent earlier, in hex. */
  readonly references?: readonly string[];
}

/** POLICY_DATA with one payment element. `deflate` makes each assertion about half as long. */
export function paymentObject(contents: PaymentContents, deflate = false): WireObject {
  const element = PaymentElement.make({
    attributes: [
      ...contents.claims.map(([name, value]) => Claim.make({ claim: `${name}=${value}` })),
      ...contents.assertions.map((assertion) =>
        deflate
          ? DeflatedAssertion.make({
              assertion: deflateRawSync(Buffer.from(assertion, 'latin1'), { level: 9 }),
            })
          : PlainAssertion.make({ assertion }),
      ),
      ...(contents.references ?? []).map((sha256) => AssertionReference.make({ sha256 })),
    ],
  });
  return PolicyData.make({ options: [], elements: [element] });
}

/** No credential is longer; a few octets must not become gigabytes. */
export const MAX_ASSERTION = 65_536;

/** Text of a deflated assertion; undefined where it is not deflate, or longer than any assertion. */
export function inflateText(value: Uint8Array): string | undefined {
  try {
    return inflateRawSync(value, { maxOutputLength: MAX_ASSERTION }).toString('latin1');
  } catch {
    return undefined;
  }
}

/** A line of text for people: what is not printable is escaped, but for the tabs of an indented line. */
function printableLine(line: string): string {
  return line
    .split('\t')
    .map((part) => printable(Buffer.from(part, 'latin1')))
    .join('\t');
}
