import type { Migrations } from '../stores/migrate.js';
import type { EngineName } from '../stores/store.js';

/*
 * The clearing centre's tables. Amounts are minor units, times milliseconds since 1970, all bigint. `csc_entries` and what
 * proves it are written once: triggers refuse to change them. `csc_balances` is what the entries add up to, kept beside them in
 * the same transaction, and an audit adds them up again.
 */

export interface ClearingSchema {
  csc_head: HeadRow;
  csc_currencies: { code: string; scale: bigint };
  csc_accounts: AccountRow;
  csc_assertions: { digest: string; text: string };
  csc_deposits: DepositRow;
  csc_charges: ChargeRow;
  csc_entries: EntryRow;
  csc_balances: BalanceRow;
  csc_holds: HoldRow;
  csc_batches: BatchRow;
}

/** One row: where the ledger ends. Whoever writes locks it first, so there is one writer at a time. */
export interface HeadRow {
  one: bigint;
  /** Number of the last entry, of the last deposit, of the last batch. */
  seq: bigint;
  deposits: bigint;
  batches: bigint;
  hash: string;
  /** Entries up to this one have been through a settlement. */
  settled: bigint;
  at: bigint;
}

export interface AccountRow {
  id: string;
  /** For people. */
  name: string;
  kind: string;
  /** JSON: principals as text. */
  keys: string;
  /** JSON: minor units as text, by currency. */
  limits: string;
  frozen: bigint;
  /** Does the configuration name it? */
  configured: bigint;
}

export interface DepositRow {
  number: bigint;
  isp: string;
  id: string;
  /** `contentDigest` */
  content: string;
  /** JSON of the deposit, as handed in. */
  evidence: string;
  currency: string;
  amount: bigint;
  at: bigint;
  first_seq: bigint;
  last_seq: bigint;
  /** Of the chain after `last_seq`. */
  hash: string;
}

/** A nonce that was spent, and who owes what for it. */
export interface ChargeRow {
  payer: string;
  nonce: string;
  deposit: bigint;
  account: string;
  provider: string;
  isp: string;
  currency: string;
  amount: bigint;
  /** The entry that debits the account. */
  seq: bigint;
}

export type EntryKind = 'deposit' | 'settlement' | 'payment';

export interface EntryRow {
  seq: bigint;
  /** `D17`: deposit 17; `S3` and `P3`: batch 3 settled, paid. */
  transaction_id: string;
  account: string;
  /** The account at the other end of the pair. */
  counterparty: string;
  currency: string;
  /** Positive: the account has more. */
  amount: bigint;
  kind: EntryKind;
  /** Number of the deposit or of the batch. */
  reference: bigint;
  /** `chargeDigest` of a deposit; empty for a batch. */
  digest: string;
  at: bigint;
  hash: string;
}

export interface BalanceRow {
  account: string;
  currency: string;
  balance: bigint;
  /** What its users owe and no settlement has moved to it yet. */
  unsettled: bigint;
}

export interface HoldRow {
  payer: string;
  nonce: string;
  isp: string;
  id: string;
  content: string;
  account: string;
  provider: string;
  currency: string;
  amount: bigint;
  expires: bigint;
}

/** What a provider owes an ISP for the charges of some entries: those after `after_seq` up to `through_seq`. */
export interface BatchRow {
  number: bigint;
  provider: string;
  isp: string;
  currency: string;
  amount: bigint;
  charges: bigint;
  after_seq: bigint;
  through_seq: bigint;
  at: bigint;
  paid_at: bigint | null;
}

export const GENESIS = '0'.repeat(64);

/** Nobody changes these, not by mistake either. */
const APPEND_ONLY = ['csc_entries', 'csc_deposits', 'csc_charges', 'csc_assertions'] as const;

const tables = (numbered: string): readonly string[] => [
  `create table csc_head (one bigint primary key check (one = 1), seq bigint not null, deposits bigint not null,
     batches bigint not null, hash text not null, settled bigint not null, at bigint not null)`,
  `insert into csc_head values (1, 0, 0, 0, '${GENESIS}', 0, 0)`,
  'create table csc_currencies (code text primary key, scale bigint not null)',
  `create table csc_accounts (id text primary key, name text not null, kind text not null, keys text not null,
     limits text not null, frozen bigint not null, configured bigint not null)`,
  'create table csc_assertions (digest text primary key, text text not null)',
  `create table csc_deposits (number ${numbered}, isp text not null, id text not null, content text not null,
     evidence text not null, currency text not null, amount bigint not null, at bigint not null,
     first_seq bigint not null, last_seq bigint not null, hash text not null, unique (isp, id))`,
  `create table csc_charges (payer text not null, nonce text not null, deposit bigint not null, account text not null,
     provider text not null, isp text not null, currency text not null, amount bigint not null, seq bigint not null unique,
     primary key (payer, nonce))`,
  'create index csc_charges_deposit on csc_charges (deposit)',
  `create table csc_entries (seq ${numbered}, transaction_id text not null, account text not null,
     counterparty text not null, currency text not null, amount bigint not null, kind text not null,
     reference bigint not null, digest text not null, at bigint not null, hash text not null)`,
  'create index csc_entries_account on csc_entries (account, currency, seq)',
  `create table csc_balances (account text not null, currency text not null, balance bigint not null,
     unsettled bigint not null, primary key (account, currency))`,
  `create table csc_holds (payer text not null, nonce text not null, isp text not null, id text not null,
     content text not null, account text not null, provider text not null, currency text not null, amount bigint not null,
     expires bigint not null, primary key (payer, nonce))`,
  'create index csc_holds_account on csc_holds (account)',
  'create index csc_holds_provider on csc_holds (provider)',
  'create index csc_holds_id on csc_holds (isp, id)',
  'create index csc_holds_expires on csc_holds (expires)',
  `create table csc_batches (number ${numbered}, provider text not null, isp text not null, currency text not null,
     amount bigint not null, charges bigint not null, after_seq bigint not null, through_seq bigint not null,
     at bigint not null, paid_at bigint)`,
];

export const CLEARING_MIGRATIONS: Migrations = {
  name: 'clearing',
  steps: [
    // SQLite has a tree less for a number that it keeps its rows by.
    (engine) => [
      ...tables(engine === 'sqlite' ? 'integer primary key' : 'bigint primary key'),
      ...appendOnly(engine),
    ],
  ],
};

function appendOnly(engine: EngineName): string[] {
  if (engine === 'sqlite')
    return APPEND_ONLY.flatMap((table) =>
      ['update', 'delete'].map(
        (verb) =>
          `create trigger ${table}_${verb} before ${verb} on ${table}
           begin select raise(abort, '${table} is append-only'); end`,
      ),
    );
  return [
    `create function csc_append_only() returns trigger language plpgsql as
       'begin raise exception ''% is append-only'', tg_table_name; end'`,
    ...APPEND_ONLY.map(
      (table) =>
        `create trigger ${table}_append_only before update or delete or truncate on ${table}
         for each statement execute function csc_append_only()`,
    ),
  ];
}
