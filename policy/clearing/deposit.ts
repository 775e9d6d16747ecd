import { hash } from 'node:crypto';

/** What an ISP hands in for one payment that it granted: the facts of the grant, and which credentials proved it. */
export interface Deposit {
  /** Names the grant at the ISP. Made by the ISP: handing it in twice is the same as once. */
  readonly id: string;
  /** Session, senders and style, as text. */
  readonly reservation: string;
  readonly pepId: string;
  readonly linkName?: string | undefined;
  /** As it was signed: `0.44`. */
  readonly amount: string;
  readonly currency: string;
  readonly nonce: string;
  /** Seconds that are paid for. */
  readonly duration?: number | undefined;
  /** The keys that bound the nonce, `Principal.toText('base64')`. */
  readonly payers: readonly string[];
  /** The key that the offer was made to. */
  readonly route?: string | undefined;
  /** Keys of the policy node, where the signed request was the payment (`Action.nodeKeys`). */
  readonly nodeKeys?: readonly string[] | undefined;
  /** ISO 8601. */
  readonly grantedAt: string;
  readonly committedAt: string;
  /** The action attributes as they were evaluated at the grant. */
  readonly attributes: Readonly<Record<string, string>>;
  /** SHA-256, hex, of the texts (`credentialDigest`). */
  readonly credentials: readonly string[];
}

/** A payment that is about to be granted: what a hold is asked for with. */
export type Claim = Omit<Deposit, 'committedAt'> & { readonly committedAt?: string | undefined };

/** A claim on credit for a check that has not been deposited yet. */
export type Hold = Omit<Deposit, 'committedAt'> & {
  /** ISO 8601: when the credit is free again if no deposit has come. */
  readonly expiresAt: string;
};

/** Texts of credentials by their digest: those that many payments share go once. */
export type Assertions = Readonly<Record<string, string>>;

export interface DepositRequest {
  readonly assertions: Assertions;
  readonly deposits: readonly Deposit[];
}

/** What the ledger says of an accepted deposit; the ISP keeps it. */
export interface Receipt {
  /** Number of the deposit. */
  readonly deposit: number;
  /** Numbers of its ledger entries. */
  readonly entries: readonly number[];
  /** ISO 8601 */
  readonly at: string;
  /** Of the ledger's hash chain, after the last of these entries. */
  readonly hash: string;
}

/** One use of a nonce. */
export interface Use {
  /** Account that handed it in. */
  readonly isp: string;
  readonly id: string;
  readonly reservation: string;
  readonly pepId: string;
  readonly amount: string;
  readonly currency: string;
  readonly nonce: string;
  readonly grantedAt: string;
  readonly receipt?: Receipt | undefined;
}

/**
 * `duplicate`: it was accepted before, and its receipt is that of then. `double-spent`: the nonce has paid for something
 * else. `refused`: nothing has changed, and it may be handed in again.
 */
export interface DepositAnswer {
  readonly id: string;
  readonly answer: 'accepted' | 'duplicate' | 'double-spent' | 'refused';
  /** One line for people. */
  readonly reason: string;
  readonly receipt?: Receipt | undefined;
  readonly first?: Use | undefined;
  readonly second?: Use | undefined;
}

export interface HoldAnswer {
  readonly id: string;
  readonly answer: 'held' | 'duplicate' | 'double-spent' | 'refused';
  readonly reason: string;
  readonly expiresAt?: string | undefined;
}

/** The books of a PDP: what is to be deposited, and where the answers go. */
export interface DepositSource {
  /** The next deposits that have no answer yet, at most `limit`; none when all have one. */
  next(limit: number): Promise<DepositRequest>;
  /** Must be durable when it is done. `now`: milliseconds since 1970. */
  record(answers: readonly DepositAnswer[], now: number): Promise<void>;
}

/**
 * SHA-256, hex, of what was paid for with what: the same whatever the deposit is called, and in whatever order JSON gave its
 * members. It is in the ledger's hash chain.
 */
export function contentDigest(claim: Claim): string {
  const { attributes } = claim;
  const names = Object.keys(attributes).sort();
  const canonical = JSON.stringify([
    claim.reservation,
    claim.pepId,
    claim.linkName ?? null,
    claim.amount,
    claim.currency,
    claim.nonce,
    claim.duration ?? null,
    [...claim.payers].sort(),
    claim.route ?? null,
    claim.nodeKeys ?? null,
    claim.grantedAt,
    claim.committedAt ?? null,
    names.map((name) => [name, attributes[name]]),
    claim.credentials,
  ]);
  return sha256(canonical);
}

/** Of text in UTF-8, hex. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}
