import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { AccountKind } from './accounts.js';
import { fromMinor, isoScale } from './currency.js';
import { iso } from './plausible.js';
import type { AccountRow, BalanceRow, BatchRow, ClearingSchema } from './schema.js';

type Db = Kysely<ClearingSchema>;

/** Amounts are decimals as text from here on out: `-0.44`. */
export interface BalanceView {
  readonly currency: string;
  /** Negative: it owes. */
  readonly balance: string;
  /** What its users owe and no settlement has moved to it. */
  readonly unsettled: string;
  readonly held: string;
  readonly limit?: string | undefined;
}

export interface AccountView {
  readonly id: string;
  readonly name: string;
  readonly kind: AccountKind;
  readonly keys: readonly string[];
  readonly frozen: boolean;
  readonly balances: readonly BalanceView[];
}

export interface BatchView {
  readonly batch: number;
  /** Owes. */
  readonly provider: string;
  /** Is owed. */
  readonly isp: string;
  readonly currency: string;
  readonly amount: string;
  readonly charges: number;
  readonly settledAt: string;
  readonly paidAt?: string | undefined;
}

/** The decimals of each currency that was ever cleared here. */
export async function scales(db: Db): Promise<(currency: string) => number> {
  const { rows } = await sql<{ code: string; scale: bigint }>`select * from csc_currencies`.execute(db);
  const known = new Map(rows.map(({ code, scale }) => [code, Number(scale)]));
  return (currency) => known.get(currency) ?? isoScale(currency);
}

/** All accounts in the order of their ids, or one of them. */
export async function viewAccounts(db: Db, now: number, only?: string): Promise<AccountView[]> {
  const one = only === undefined ? sql`` : sql`where id = ${only}`;
  const of = only === undefined ? sql`` : sql`where account = ${only}`;
  const scaleOf = await scales(db);
  const accounts = await sql<AccountRow>`select * from csc_accounts ${one} order by id`.execute(db);
  const balances = await sql<BalanceRow>`select * from csc_balances ${of}`.execute(db);
  const held = await sql<{ account: string; currency: string; amount: bigint }>`
    select account, currency, amount from csc_holds where expires > ${Math.floor(now)}
    union all select provider, currency, amount from csc_holds
      where expires > ${Math.floor(now)} and provider <> account`.execute(db);
  return accounts.rows.map(({ id, name, kind, keys, limits, frozen }) => {
    const limit = JSON.parse(limits) as Readonly<Record<string, string>>;
    const own = balances.rows.filter(({ account }) => account === id);
    const holds = held.rows.filter(({ account }) => account === id);
    const currencies = new Set([
      ...Object.keys(limit),
      ...[...own, ...holds].map(({ currency }) => currency),
    ]);
    const view = (currency: string): BalanceView => {
      const text = (minor: bigint): string => fromMinor(minor, scaleOf(currency));
      const row = own.find((one) => one.currency === currency);
      const most = limit[currency];
      return {
        currency,
        balance: text(row?.balance ?? 0n),
        unsettled: text(row?.unsettled ?? 0n),
        held: text(holds.reduce((sum, hold) => (hold.currency === currency ? sum + hold.amount : sum), 0n)),
        ...(most === undefined ? {} : { limit: text(BigInt(most)) }),
      };
    };
    return {
      ...{ id, name, kind: kind as AccountKind, keys: JSON.parse(keys) as string[], frozen: frozen === 1n },
      balances: [...currencies].sort().map(view),
    };
  });
}

/** Settlement batches, newest first; those that an account has part in, or all. */
export async function viewBatches(db: Db, of?: string, limit = 1000): Promise<BatchView[]> {
  const part = of === undefined ? sql`` : sql`where provider = ${of} or isp = ${of}`;
  const { rows } =
    await sql<BatchRow>`select * from csc_batches ${part} order by number desc limit ${limit}`.execute(db);
  const scaleOf = await scales(db);
  return rows.map((row) => viewBatch(row, scaleOf(row.currency)));
}

export function viewBatch(row: BatchRow, scale: number): BatchView {
  const { number, provider, isp, currency, amount, charges, at, paid_at: paid } = row;
  return {
    ...{ batch: Number(number), provider, isp, currency, amount: fromMinor(amount, scale) },
    ...{ charges: Number(charges), settledAt: iso(at) },
    ...(paid === null ? {} : { paidAt: iso(paid) }),
  };
}
