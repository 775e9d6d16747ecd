import type { Migrations } from '../migrate.js';
import type { EngineName } from '../store.js';

/** Of a grant: `held` (Install was decided) `-> committed` (a PEP reported success) `-> ended`, or `-> released`. */
export type GrantState = 'held' | 'committed' | 'released' | 'ended';

/** What the clearing centre said. */
export type DepositState = 'accepted' | 'double-spent' | 'refused';

/** The books of a policy server. Times are milliseconds since 1970, sums millionths of the currency's unit. */
export interface BooksSchema {
  /** What each nonce has paid for, by its `nonceDigest`. The primary key is what makes it pay once. */
  nonces: { digest: string; grant_id: string };
  /** One payment for one reservation. */
  grants: {
    id: string;
    reservation: string;
    session: string;
    pep_id: string;
    handle: string;
    link_name: string | null;
    amount: string;
    sum: bigint;
    currency: string;
    nonce: string;
    /** JSON: principals. */
    payers: string;
    duration: bigint | null;
    /** JSON: as they were evaluated. */
    attributes: string;
    /** JSON: texts of the credentials that bind the nonce, which no other grant has. */
    checks: string;
    /** JSON: SHA-256 of each of the others, in `credentials`. */
    credentials: string;
    /** JSON: those that ask for their total. */
    totalled: string;
    /** JSON: who requested. */
    requesters: string;
    state: GrantState;
    granted_at: bigint;
    committed_at: bigint | null;
    ended_at: bigint | null;
    paid_until: bigint | null;
    deposit: DepositState | null;
    deposited_at: bigint | null;
    /** JSON: the clearing centre's answer. */
    answer: string | null;
  };
  /** Texts by their SHA-256. */
  credentials: { digest: string; text: string };
  /**
   * Requests of PEPs that hold a reservation at this moment, at any PDP, a row for each grant that they were told Install for: a
   * payment hangs on those who showed it, not on all who have its reservation. Such a grant is `held` or `committed`.
   */
  holders: {
    grant_id: string;
    holder: string;
    pep_id: string;
    handle: string;
    instance: string;
    since: bigint;
  };
  /** PDPs that are alive. */
  instances: { id: string; seen_at: bigint };
  /** What was paid under a credential (by digest), and what a payer has promised and not yet settled. */
  totals: { kind: 'credential' | 'payer'; id: string; currency: string; sum: bigint };
  /** Signed statements that a key or an assertion counts no more; `about` is the text of that assertion. */
  revocations: { digest: string; text: string; about: string | null; at: bigint };
  /** Who is not listened to for a while. */
  quarantine: { kind: string; id: string; since: bigint; until: bigint; failures: bigint; reason: string };
}

export const BOOKS_MIGRATIONS: Migrations = {
  name: 'books',
  steps: [
    (engine) => [
      `create table nonces (digest text primary key, grant_id text not null)${clustered(engine)}`,
      `create table grants (
        id text primary key, reservation text not null, session text not null, pep_id text not null,
        handle text not null, link_name text, amount text not null, sum bigint not null, currency text not null,
        nonce text not null, payers text not null, duration bigint, attributes text not null,
        checks text not null, credentials text not null, totalled text not null, requesters text not null, state text not null,
        granted_at bigint not null, committed_at bigint, ended_at bigint, paid_until bigint,
        deposit text, deposited_at bigint, answer text)`,
      // The only ones that are looked up by their reservation: where nothing is paid by time, no random key but the nonce's.
      'create index grants_timed on grants (reservation) where duration is not null',
      `create index grants_due on grants (committed_at) where deposit is null and state in ('committed', 'ended')`,
      'create table credentials (digest text primary key, text text not null)',
      // By grant, whose ids are in the order of time: new rows are side by side.
      `create table holders (
        grant_id text not null, holder text not null, pep_id text not null,
        handle text not null, instance text not null, since bigint not null,
        primary key (grant_id, holder))${clustered(engine)}`,
      'create table instances (id text primary key, seen_at bigint not null)',
      `create table totals (
        kind text not null, id text not null, currency text not null, sum bigint not null,
        primary key (kind, id, currency))${clustered(engine)}`,
      'create table revocations (digest text primary key, text text not null, about text, at bigint not null)',
      `create table quarantine (
        kind text not null, id text not null, since bigint not null, until bigint not null,
        failures bigint not null, reason text not null, primary key (kind, id))`,
    ],
  ],
};

/** Short rows that are looked up by their key alone: SQLite keeps them in its tree. A random key costs a page each. */
function clustered(engine: EngineName): string {
  return engine === 'sqlite' ? ' without rowid' : '';
}
