import { authorOf, parseAssertion, query, quote } from '../keynote/index.js';
import type { Assertion, Principal, Query } from '../keynote/index.js';

/** The attribute that a check binds, so that it pays once. */
const NONCE = 'nonce';

/**
 * Authors whose credentials name the nonce and without whose credentials the request is not granted. Asked author by
 * author, so that a check that is presented twice is still missed when its author is left out.
 */
export function bindersOf(
  credentials: readonly Assertion[],
  isGranted: (by: readonly Assertion[]) => boolean,
): readonly Principal[] {
  const authors = new Map<string, Principal>();
  const binding = credentials.filter((credential) => mentions(credential, NONCE));
  for (const credential of binding) {
    const author = authorOf(credential);
    if (author !== undefined) authors.set(author.id, author);
  }
  return [...authors.values()].filter(({ id }) => {
    const others = credentials.filter(
      (credential) => !binding.includes(credential) || authorOf(credential)?.id !== id,
    );
    return !isGranted(others);
  });
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
  const other = new Map(common.attributes).set(NONCE, `${common.attributes.get(NONCE) ?? ''}\x7f`);
  return credentials.flatMap((credential) => {
    const author = authorOf(credential);
    if (author?.isKey !== true || author.bits > MAX_BITS || !mentions(credential, NONCE)) return [];
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

/**
 * Can an assertion's value depend on an attribute? Only then can it bind it. A name that is worked out at run time
 * (`$(...)`) may be any name.
 */
export function mentions(assertion: Assertion, attribute: string): boolean {
  let names = MENTIONED.get(assertion);
  if (names === undefined) {
    names = new Set();
    collect(assertion.conditions, names);
    MENTIONED.set(assertion, names);
  }
  return names.has(attribute) || names.has(ANY);
}

/** Verified credentials are kept and asked about again and again. */
const MENTIONED = new WeakMap<Assertion, Set<string>>();
const ANY = '$';

/** The tree is bounded by the parser's limits, and so is this. */
function collect(node: unknown, names: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  if ('kind' in node && node.kind === 'dereference') names.add(ANY);
  if ('kind' in node && node.kind === 'attribute' && 'name' in node) names.add(String(node.name));
  for (const part of Object.values(node)) collect(part, names);
}
