import type { Spent, Verdict } from './decide.js';

/** A nonce in the name of a key: a principal as `Principal.toText('base64')` writes it. */
export interface NonceKey {
  readonly payer: string;
  readonly nonce: string;
}

/** What a nonce has paid for. */
export interface NonceUse extends NonceKey {
  readonly grantId: string;
  readonly reservation: string;
  /** When it was granted, milliseconds. */
  readonly since: number;
  readonly state: 'held' | 'committed' | 'ended';
}

/** What a granted request wants written down before anybody hears of it. */
export interface GrantRequest {
  /** Names the grant, should it be a new one. */
  readonly id: string;
  readonly holder: string;
  readonly pepId: string;
  readonly handle: string;
  readonly linkName: string | undefined;
  readonly keys: readonly NonceKey[];
  /** Has a payment. */
  readonly verdict: Verdict;
  /** What the holder has now, where that is another reservation: granted this one, it has let go of it. */
  readonly leaving: Hold | undefined;
  readonly now: number;
  /** Judges it again by what was really spent before; called where the verdict hangs on that. */
  readonly recheck: (spent: Spent) => Verdict;
}

export type GrantResult =
  | {
      readonly kind: 'granted';
      /** Has the nonce paid for this reservation before: a refresh, or another router on the path? */
      readonly again: boolean;
      readonly state: 'held' | 'committed';
      /** When the time is over that was paid for, milliseconds; undefined where there is no end. */
      readonly paidUntil: number | undefined;
    }
  | { readonly kind: 'spent'; readonly use: NonceUse }
  /** It has paid for this reservation, up to then. */
  | { readonly kind: 'over'; readonly use: NonceUse; readonly paidUntil: number }
  | { readonly kind: 'refused'; readonly verdict: Verdict };

/** What a holder has: a reservation, for nonces that it showed. */
export interface Hold {
  readonly holder: string;
  readonly reservation: string;
  readonly keys: readonly NonceKey[];
}

/**
 * Which reservation each nonce has paid for, and who holds it: durable, and shared by all PDPs of a database. What a promise
 * resolves to is on the disk; where one is rejected nothing is known to have happened, and nothing may be granted.
 *
 * A payment moves `held` (the PDP said Install) `-> committed` (a PEP reported success) `-> ended` (no PEP that showed its nonce
 * holds the reservation any more), or `held -> released`, which lets its nonces go. Asking, committing and ending again changes
 * nothing.
 */
export interface Books {
  /** A holder holds one reservation: granted another, it has let go of the one before. */
  grant(request: GrantRequest): Promise<GrantResult>;
  /** What this holder was granted is paid for. `gone`: it was ended before, as of a PDP taken for dead. */
  commit(hold: Hold, now: number): Promise<'committed' | 'gone'>;
  end(hold: Hold, now: number): Promise<void>;
  /**
   * Until when a reservation is paid for, by whomever; undefined where the holder showed a payment without an end, 0 where
   * nothing is paid.
   */
  paidUntil(hold: Hold): Promise<number | undefined>;
}
