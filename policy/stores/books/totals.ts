import { sql } from 'kysely';
import { toMillionths } from '../../payment/index.js';
import type { NonceKey, Payment, Spent } from '../../payment/index.js';
import { table } from '../store.js';
import type { Cell } from '../store.js';
import type { GrantContext } from './grant.js';

/** A change of one total, in millionths. */
export interface TotalChange {
  readonly kind: 'credential' | 'payer';
  /** Digest, or principal. */
  readonly id: string;
  readonly currency: string;
  readonly sum: bigint;
}

/** Totals by what they are of. */
export class Totals {
  readonly #sums = new Map<string, bigint>();

  get(kind: TotalChange['kind'], id: string, currency: string): bigint {
    return this.#sums.get(`${kind} ${currency} ${id}`) ?? 0n;
  }

  add({ kind, id, currency }: TotalChange, sum: bigint): void {
    this.#sums.set(`${kind} ${currency} ${id}`, this.get(kind, id, currency) + sum);
  }
}

/** What a payment adds: to the credentials that ask for their total, and to what its payers owe. */
export function totalsOf(payment: Payment, keys: readonly NonceKey[]): TotalChange[] {
  const { currency } = payment;
  const sum = BigInt(toMillionths(payment.amount));
  return [
    ...[...new Set(payment.totalled)].map((id): TotalChange => ({ kind: 'credential', id, currency, sum })),
    ...keys.map(({ payer }): TotalChange => ({ kind: 'payer', id: payer, currency, sum })),
  ];
}

export function spentOf(totals: Totals, { currency }: Payment, keys: readonly NonceKey[]): Spent {
  let exposure = 0n;
  for (const { payer } of keys) {
    const sum = totals.get('payer', payer, currency);
    if (sum > exposure) exposure = sum;
  }
  return { total: (digest) => totals.get('credential', digest, currency), exposure };
}

/** Adds to totals, and locks them until the transaction is over; returns what they are now. */
export async function addTotals(
  { db, engine }: Pick<GrantContext, 'db' | 'engine'>,
  changes: readonly TotalChange[],
): Promise<Totals> {
  const merged = new Map<string, { readonly change: TotalChange; sum: bigint }>();
  for (const change of changes) {
    const name = `${change.kind} ${change.currency} ${change.id}`;
    const entry = merged.get(name);
    if (entry === undefined) merged.set(name, { change, sum: change.sum });
    else entry.sum += change.sum;
  }
  const rows = [...merged.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { change, sum }]): Cell[] => [change.kind, change.id, change.currency, String(sum)]);
  const totals = new Totals();
  if (rows.length === 0) return totals;
  const result = await sql<TotalChange>`
    insert into totals (kind, id, currency, sum)
    select value ->> 0, value ->> 1, value ->> 2, cast(value ->> 3 as bigint) from ${table(engine, rows)} where true
    on conflict (kind, id, currency) do update set sum = totals.sum + excluded.sum
    returning kind, id, currency, sum`.execute(db);
  for (const row of result.rows) totals.add(row, row.sum);
  return totals;
}
