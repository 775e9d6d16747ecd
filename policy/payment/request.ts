import { PolicyData } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { isObserved, REQUIRED_CLAIMS } from './attributes.js';
import {
  AssertionReference,
  Claim,
  DeflatedAssertion,
  inflateText,
  MAX_ASSERTION,
  PAYMENT_P_TYPE,
  PaymentElement,
  PlainAssertion,
} from './element.js';
import { amountProblem, isCurrency, isNonce, MAX_NONCE } from './money.js';
import { Refused } from './refusal.js';

/** What a policy node takes from one request before it looks at a signature. */
export interface RequestLimits {
  /** Credentials of one request. */
  readonly credentials: number;
  /** Octets of all of them together, inflated. */
  readonly octets: number;
  /** Claimed attributes. */
  readonly claims: number;
}

export const DEFAULT_REQUEST_LIMITS: RequestLimits = { credentials: 32, octets: 131_072, claims: 32 };

/** The payment elements of a request, opened. */
export interface Presented {
  readonly claims: ReadonlyMap<string, string>;
  readonly amount: string;
  readonly currency: string;
  readonly nonce: string;
  /** Seconds; undefined where none is claimed. */
  readonly duration: number | undefined;
  readonly credentials: readonly PresentedCredential[];
}

export type PresentedCredential = { readonly text: string } | { readonly sha256: string };

/** Does the request carry a payment element at all? */
export function hasPayment(objects: readonly WireObject[]): boolean {
  return elementsOf(objects).length > 0;
}

/**
 * Opens the payment elements of a request. Several count as one, so that credentials may be spread over POLICY_DATA
 * objects. Throws `Refused`.
 */
export function present(objects: readonly WireObject[], limits: RequestLimits): Presented {
  const elements = elementsOf(objects);
  if (elements.length === 0) throw new Refused('no-payment', 'the request carries no payment element');
  const claims = new Map<string, string>();
  const credentials: PresentedCredential[] = [];
  let octets = 0;
  for (const attribute of elements.flatMap(({ attributes }) => attributes)) {
    if (Claim.is(attribute)) {
      addClaim(claims, attribute.claim);
      if (claims.size > limits.claims) throw new Refused('too-large', `more than ${limits.claims} claims`);
    } else if (PlainAssertion.is(attribute) || DeflatedAssertion.is(attribute)) {
      const text = textOf(attribute.assertion, credentials.length);
      octets += text.length;
      if (octets > limits.octets)
        throw new Refused('too-large', `credentials of more than ${limits.octets} octets`);
      credentials.push({ text });
    } else if (AssertionReference.is(attribute)) {
      credentials.push({ sha256: attribute.sha256 });
    }
    if (credentials.length > limits.credentials) {
      throw new Refused('too-large', `more than ${limits.credentials} credentials`);
    }
  }
  for (const { name, meaning } of REQUIRED_CLAIMS) {
    if (!claims.has(name)) throw new Refused('bad-claim', `no \`${name}\` is claimed: ${meaning}`);
  }
  const [amount = '', currency = '', nonce = ''] = ['amount', 'currency', 'nonce'].map((name) =>
    claims.get(name),
  );
  const problem = amountProblem(amount);
  if (problem !== undefined) throw new Refused('bad-claim', `the claimed amount \`${amount}\` ${problem}`);
  if (!isCurrency(currency))
    throw new Refused('bad-claim', `the claimed currency \`${currency}\` is not three capital letters`);
  if (!isNonce(nonce))
    throw new Refused('bad-claim', `the claimed nonce is empty or longer than ${MAX_NONCE}`);
  const duration = claims.get('duration');
  if (duration !== undefined && !/^[1-9]\d{0,8}$/.test(duration))
    throw new Refused(
      'bad-claim',
      `the claimed duration \`${duration.slice(0, 40)}\` is not a number of seconds`,
    );
  return {
    claims,
    amount,
    currency,
    nonce,
    duration: duration === undefined ? undefined : Number(duration),
    credentials,
  };
}

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/** A claim may never override an observation, and the same name may not be claimed twice. */
function addClaim(claims: Map<string, string>, claim: string): void {
  const equals = claim.indexOf('=');
  const name = claim.slice(0, Math.max(equals, 0));
  if (!NAME.test(name) || name.length > 64) {
    throw new Refused('bad-claim', `the claim \`${claim.slice(0, 80)}\` is not name=value`);
  }
  if (isObserved(name)) throw new Refused('claim-overrides', `\`${name}\` is observed and cannot be claimed`);
  if (claims.has(name)) throw new Refused('bad-claim', `\`${name}\` is claimed twice`);
  claims.set(name, claim.slice(equals + 1));
}

function textOf(assertion: string | Uint8Array, position: number): string {
  const text = typeof assertion === 'string' ? assertion : inflateText(assertion);
  if (text === undefined || text.length > MAX_ASSERTION) {
    throw new Refused(
      'bad-element',
      `credential ${position + 1} is not deflated text of at most ${MAX_ASSERTION} octets`,
    );
  }
  return text;
}

/** The payment elements. One that could not be decoded, or holds what could not, is refused: it is not what was meant. */
function elementsOf(objects: readonly WireObject[]) {
  return objects.flatMap((object) => {
    if (object.classNum !== PolicyData.classNum) return [];
    if (!PolicyData.is(object))
      throw new Refused('bad-element', `POLICY_DATA is malformed: ${faultOf(object)}`);
    return object.elements.flatMap((element) => {
      if (element.pType !== PAYMENT_P_TYPE) return [];
      if (!PaymentElement.is(element))
        throw new Refused('bad-element', `the element is malformed: ${faultOf(element)}`);
      const broken = element.attributes.find((attribute) => 'error' in attribute);
      if (broken !== undefined)
        throw new Refused('bad-element', `an attribute is malformed: ${faultOf(broken)}`);
      return [element];
    });
  });
}

function faultOf(value: object): string {
  return 'error' in value && value.error instanceof Error ? value.error.message : 'it is of an unknown type';
}
