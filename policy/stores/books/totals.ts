import { toMillionths } from '../../payment/index.js';
import type { NonceKey, Payment, Spent } from '../../payment/index.js';
import { addRows } from '../rows.js';
import type { Row } from '../rows.js';
import type { GrantContext } from './entry.js';
import type { BooksSchema } from './schema.js';

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
    .map(([, { change, sum }]): Row => [change.kind, change.id, change.currency, sum]);
  const totals = new Totals();
  for (const row of await addRows<BooksSchema, TotalChange>(engine, db, TOTALS, rows))
    totals.add(row, row.sum);
  return totals;
}

const TOTALS = { table: 'totals', columns: ['kind', 'id', 'currency', '#sum'], keys: 3, sums: ['sum'] };
