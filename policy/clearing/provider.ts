import { authorOf, licenseesOf } from '../keynote/index.js';
import type { Assertion, Principal } from '../keynote/index.js';
import type { Directory, KnownAccount } from './accounts.js';

/** No chain of middlemen is longer. */
const MOST_LEVELS = 32;

/**
 * Who settles for a payer: the payer itself where it is a provider or a bank here, otherwise whoever licensed it; where that
 * is nobody known here, whoever licensed them, and so on towards the policy. Only a credential that carries the grant counts:
 * anybody can write that somebody else pays.
 */
export function providerOf(
  payer: Principal,
  credentials: readonly Assertion[],
  directory: Directory,
  isGranted: (credentials: readonly Assertion[]) => boolean,
): KnownAccount | undefined {
  const own = directory.ofKey(payer);
  if (own !== undefined && settles(own)) return own;
  const seen = new Set<string>();
  let licensed: readonly Principal[] = [payer];
  for (let level = 0; level < MOST_LEVELS && licensed.length > 0; level++) {
    for (const { id } of licensed) seen.add(id);
    const above = credentials.filter((one) => names(one, licensed) && !seen.has(authorOf(one)?.id ?? ''));
    // Granted without any of them: the policy trusts this level by itself, and nobody above it pays.
    if (above.length === 0 || isGranted(without(credentials, above))) return undefined;
    const authors = authorsOf(above);
    const known = authors.find((author) => {
      const account = directory.ofKey(author);
      if (account === undefined || !settles(account)) return false;
      const others = above.filter((one) => authorOf(one)?.id !== author.id);
      return isGranted(without(credentials, others));
    });
    if (known !== undefined) return directory.ofKey(known);
    licensed = authors;
  }
  return undefined;
}

function settles({ kind }: KnownAccount): boolean {
  return kind === 'provider' || kind === 'bank';
}

function names(credential: Assertion, licensed: readonly Principal[]): boolean {
  return licenseesOf(credential).some(({ id }) => licensed.some((one) => one.id === id));
}

function without(credentials: readonly Assertion[], left: readonly Assertion[]): readonly Assertion[] {
  return credentials.filter((one) => !left.includes(one));
}

function authorsOf(credentials: readonly Assertion[]): Principal[] {
  const authors = new Map<string, Principal>();
  for (const credential of credentials) {
    const author = authorOf(credential);
    if (author !== undefined) authors.set(author.id, author);
  }
  return [...authors.values()];
}
