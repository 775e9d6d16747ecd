import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { forUpdate, TryAgain } from '../stores/store.js';
import type { EngineName } from '../stores/store.js';
import { entryHash } from './chain.js';
import { insert, upsertBalances } from './rows.js';
import type { ClearingSchema, EntryKind, EntryRow, HeadRow } from './schema.js';

/** Money that goes from one account to another. */
export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly currency: string;
  /** Minor units, positive. */
  readonly amount: bigint;
}

export interface Booking {
  readonly transaction: string;
  readonly kind: EntryKind;
  readonly reference: bigint;
  readonly digest: string;
}

/** Nothing that we book comes near: far below what 64 bits hold. */
export const MAX_BALANCE = 1n << 60n;

/**
 * The ledger inside one transaction. Opening it locks the head, so entries get their numbers and hashes in the order in which
 * they are committed, on any number of processes. Nothing is written before `close`.
 */
export class Journal {
  readonly #entries: EntryRow[] = [];
  readonly #balances = new Map<
    string,
    { account: string; currency: string; balance: bigint; unsettled: bigint }
  >();

  private constructor(
    private readonly engine: EngineName,
    private readonly db: Kysely<ClearingSchema>,
    readonly head: HeadRow,
    /** The time of what is booked: it does not run backwards, whatever our clock does. */
    readonly at: bigint,
  ) {}

  static async open(engine: EngineName, db: Kysely<ClearingSchema>, now: number): Promise<Journal> {
    const { rows } = await sql<HeadRow>`select * from csc_head where one = 1 ${forUpdate(engine)}`.execute(
      db,
    );
    const [head] = rows;
    if (head === undefined) throw new TryAgain();
    const at = BigInt(Math.floor(now));
    return new Journal(engine, db, { ...head }, at > head.at ? at : head.at);
  }

  /** Both entries of a transfer: they sum to zero. */
  transfer(booking: Booking, { from, to, currency, amount }: Transfer): readonly [EntryRow, EntryRow] {
    return [
      this.#entry(booking, from, to, currency, -amount),
      this.#entry(booking, to, from, currency, amount),
    ];
  }

  /** What an account's users owe it has changed by so much. */
  addUnsettled(account: string, currency: string, amount: bigint): void {
    this.#balance(account, currency).unsettled += amount;
  }

  async close(): Promise<void> {
    const { engine, db, head } = this;
    await insert(engine, db, 'csc_entries', this.#entries);
    await upsertBalances(engine, db, [...this.#balances.values()]);
    await sql`update csc_head set seq = ${head.seq}, deposits = ${head.deposits}, batches = ${head.batches},
      hash = ${head.hash}, settled = ${head.settled}, at = ${this.at} where one = 1`.execute(db);
  }

  #entry(
    booking: Booking,
    account: string,
    counterparty: string,
    currency: string,
    amount: bigint,
  ): EntryRow {
    const { head } = this;
    const entry = {
      seq: ++head.seq,
      transaction_id: booking.transaction,
      account,
      counterparty,
      currency,
      amount,
      kind: booking.kind,
      reference: booking.reference,
      digest: booking.digest,
      at: this.at,
    };
    head.hash = entryHash(head.hash, entry);
    const row = { ...entry, hash: head.hash };
    this.#entries.push(row);
    this.#balance(account, currency).balance += amount;
    return row;
  }

  #balance(account: string, currency: string) {
    const key = `${account} ${currency}`;
    let row = this.#balances.get(key);
    if (row === undefined) this.#balances.set(key, (row = { account, currency, balance: 0n, unsettled: 0n }));
    return row;
  }
}
