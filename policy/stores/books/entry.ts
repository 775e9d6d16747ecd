import type { Kysely } from 'kysely';
import type { GrantRequest, GrantResult, Payment } from '../../payment/index.js';
import type { EngineName } from '../store.js';
import { nonceDigest } from './digest.js';
import type { BooksSchema, GrantState } from './schema.js';

/** What a batch of grants is written with. */
export interface GrantContext {
  readonly engine: EngineName;
  readonly db: Kysely<BooksSchema>;
  /** This PDP. */
  readonly instance: string;
  /** Credentials that are known to be written down, by digest. */
  readonly known: { has(digest: string): boolean; add(digest: string): void };
}

/** A request on its way into the books. */
export interface Entry {
  readonly request: GrantRequest;
  readonly payment: Payment;
  readonly reservation: string;
  result: GrantResult | undefined;
  /** The grant that has its nonces: its own, or the one before. */
  grant: FoundGrant | undefined;
  /** `nonceDigest` of each of its nonces. */
  readonly digests: readonly string[];
  /** Ids of the grants that have its nonces, once it is granted. */
  readonly pays: Set<string>;
  /** Ids of those among them that had ended. */
  readonly ended: Set<string>;
  /** Does one of them pay for no certain time? */
  isEndless: boolean;
  /** Has no PEP reported success of one of them? */
  isUnreported: boolean;
}

/** A grant that has a nonce already. */
export interface FoundGrant {
  readonly id: string;
  readonly reservation: string;
  readonly state: GrantState;
  readonly since: number;
  readonly paidUntil: number | undefined;
  readonly isTimed: boolean;
}

/** Equal to no wish. */
const LATER = 'later';

export function entryOf(request: GrantRequest): Entry {
  const { payment } = request.verdict;
  if (payment === undefined) throw new TypeError('request.verdict: has no payment');
  const { reservation } = payment;
  return {
    request,
    payment,
    reservation,
    result: undefined,
    grant: undefined,
    digests: request.keys.map(nonceDigest),
    pays: new Set(),
    ended: new Set(),
    isEndless: false,
    isUnreported: false,
  };
}

/**
 * What is written together. Whether a nonce of several is taken hangs on the others: who shares some of them with a request before, or all of them for
 * another reservation, is written once that one is decided. Nearly always there is one round.
 */
export function roundsOf(entries: readonly Entry[]): Entry[][] {
  const rounds: Entry[][] = [];
  let rest = entries;
  while (rest.length > 0) {
    const wishes = new Map<string, string>();
    const now: Entry[] = [];
    const later: Entry[] = [];
    for (const entry of rest) {
      const { digests, reservation } = entry;
      const wish = digests.length === 1 ? '' : `${digests.join(' ')} ${reservation}`;
      const isNow = digests.every((digest) => (wishes.get(digest) ?? wish) === wish);
      (isNow ? now : later).push(entry);
      for (const digest of digests) wishes.set(digest, isNow ? wish : LATER);
    }
    rounds.push(now);
    rest = later;
  }
  return rounds;
}
