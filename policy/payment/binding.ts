import { authorOf, parseAssertion, query } from '../keynote/index.js';
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

/**
 * Who signed, to one of the policy node's own keys, an assertion that holds for this very request and for no other nonce.
 * Such a signature is the request itself; an assertion that would hold for any nonce is a contract, not a request.
 */
export function signersTo(
  nodeKeys: readonly string[],
  credentials: readonly Assertion[],
  common: Omit<Query, 'policy' | 'authorizers' | 'credentials'> & {
    readonly attributes: ReadonlyMap<string, string>;
  },
): string[] {
  const other = new Map(common.attributes).set(NONCE, `${common.attributes.get(NONCE) ?? ''}\x7f`);
  return credentials.flatMap((credential) => {
    const author = authorOf(credential);
    if (author === undefined || !mentions(credential, NONCE)) return [];
    const policy = [parseAssertion(`Authorizer: "POLICY"\nLicensees: ${JSON.stringify(author.text)}\n`)];
    const holds = (attributes: ReadonlyMap<string, string>): boolean =>
      query({ ...common, attributes, policy, credentials: [credential], authorizers: nodeKeys }).index > 0;
    return holds(common.attributes) && !holds(other) ? [author.text] : [];
  });
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
