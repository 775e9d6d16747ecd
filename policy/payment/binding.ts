import { asksFor } from './asks-for.js';
import { authorOf, parseAssertion, query, quote } from '../keynote/index.js';
import type { Assertion, Principal, Query } from '../keynote/index.js';

/** The attribute that a check binds, so that it pays once. */
const NONCE = 'nonce';

/** Whoever pays, and with what. */
export interface Payer {
  readonly principal: Principal;
  /** Their credentials that are about the nonce: the checks. */
  readonly checks: readonly Assertion[];
}

/**
 * Who bound the nonce, so that it is spent in their name: authors without whose credentials about the nonce the request is
 * not granted, and whose every such credential that holds now would not hold with another nonce. Asked author by author, so
 * that a check that is presented twice is still missed when its author is left out.
 */
export function bindersOf(
  credentials: readonly Assertion[],
  isGranted: (by: readonly Assertion[]) => boolean,
  holds: (credential: Assertion, nonce: 'this' | 'another') => boolean,
): readonly Payer[] {
  const byAuthor = new Map<string, { readonly principal: Principal; readonly checks: Assertion[] }>();
  for (const credential of credentials) {
    const author = isAboutNonce(credential) ? authorOf(credential) : undefined;
    if (author === undefined) continue;
    const entry = byAuthor.get(author.id);
    if (entry === undefined) byAuthor.set(author.id, { principal: author, checks: [credential] });
    else entry.checks.push(credential);
  }
  return [...byAuthor.values()]
    .filter(({ checks }) => checks.every((one) => !holds(one, 'another') || !holds(one, 'this')))
    .filter(({ checks }) => !isGranted(credentials.filter((one) => !checks.includes(one))));
}

/** The same request with a nonce that nobody has signed. */
export function withAnotherNonce(attributes: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(attributes).set(NONCE, `${attributes.get(NONCE) ?? ''}\x7f`);
}

type Common = Omit<Query, 'policy' | 'authorizers' | 'credentials'> & {
  readonly attributes: ReadonlyMap<string, string>;
};

/** An assertion that asks one of the policy node's own keys for this very request, and its author. */
export interface SignedRequest {
  readonly author: Principal;
  readonly credential: Assertion;
}

/**
 * The assertions, to one of the policy node's own keys, that hold for this very request and for no other nonce. Such an
 * assertion is the request itself; one that would hold for any nonce is a contract, not a request. Signatures are not
 * looked at: anybody can be the author, and a stranger's key is not worth the work. See `isSigned`.
 */
export function signedRequests(
  nodeKeys: readonly string[],
  credentials: readonly Assertion[],
  common: Common,
): SignedRequest[] {
  const other = withAnotherNonce(common.attributes);
  return credentials.flatMap((credential) => {
    const author = authorOf(credential);
    if (author?.isKey !== true || author.bits > MAX_BITS || !isAboutNonce(credential)) return [];
    const policy = [trusting(author), credential];
    const holds = (attributes: ReadonlyMap<string, string>): boolean =>
      query({ ...common, attributes, policy, authorizers: nodeKeys }).index > 0;
    return holds(common.attributes) && !holds(other) ? [{ author, credential }] : [];
  });
}

/** Is it by its author? */
export function isSigned(
  nodeKeys: readonly string[],
  { author, credential }: SignedRequest,
  common: Common,
): boolean {
  const policy = [trusting(author)];
  return query({ ...common, policy, credentials: [credential], authorizers: nodeKeys }).index > 0;
}

/** No longer key signs anything here; the text of a policy about it stays short. */
const MAX_BITS = 8192;

function trusting(author: Principal): Assertion {
  return parseAssertion(`Authorizer: "POLICY"\nLicensees: ${quote(author.toText('base64'))}\n`);
}

/** Can an assertion's value depend on the nonce? Only then can it bind it. */
const isAboutNonce = asksFor(NONCE);
