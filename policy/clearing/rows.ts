import type { Kysely } from 'kysely';
import { addRows, insertRows } from '../stores/rows.js';
import type { Row } from '../stores/rows.js';
import type { EngineName } from '../stores/store.js';
import type { BalanceRow, ClearingSchema } from './schema.js';

/* Many rows in one statement, the same on both engines: see `table`. */

type Table = keyof ClearingSchema;

/** The columns of each table that rows are added to; a `#` marks a bigint. */
const COLUMNS = {
  csc_assertions: ['digest', 'text'],
  csc_accounts: ['id', 'name', 'kind', 'keys', 'limits', '#frozen', '#configured'],
  csc_deposits: [
    ...['#number', 'isp', 'id', 'content', 'evidence', 'currency'],
    ...['#amount', '#at', '#first_seq', '#last_seq', 'hash'],
  ],
  csc_charges: [
    ...['payer', 'nonce', '#deposit', 'account', 'provider', 'isp', 'currency', '#amount', '#seq'],
  ],
  csc_entries: [
    ...['#seq', 'transaction_id', 'account', 'counterparty', 'currency', '#amount'],
    ...['kind', '#reference', 'digest', '#at', 'hash'],
  ],
  csc_balances: ['account', 'currency', '#balance', '#unsettled'],
  csc_holds: [
    ...['payer', 'nonce', 'isp', 'id', 'content', 'account', 'provider', 'currency', '#amount', '#expires'],
  ],
  csc_batches: [
    ...['#number', 'provider', 'isp', 'currency', '#amount', '#charges'],
    ...['#after_seq', '#through_seq', '#at', '#paid_at'],
  ],
} as const satisfies Partial<Record<Table, readonly string[]>>;

type Filled = keyof typeof COLUMNS;

/** Adds rows. `ignore`: those that are there stay as they are. */
export async function insert<Name extends Filled>(
  engine: EngineName,
  db: Kysely<ClearingSchema>,
  name: Name,
  rows: readonly ClearingSchema[Name][],
  conflict: 'fail' | 'ignore' = 'fail',
): Promise<void> {
  const into = { table: name, columns: COLUMNS[name], ...(conflict === 'ignore' ? { conflict } : {}) };
  await insertRows(engine, db, into, rowsOf(name, rows));
}

/** Adds to balances, those that are not there being zero. */
export async function upsertBalances(
  engine: EngineName,
  db: Kysely<ClearingSchema>,
  changes: readonly BalanceRow[],
): Promise<void> {
  const sums = ['balance', 'unsettled'];
  const into = { table: 'csc_balances', columns: COLUMNS.csc_balances, keys: 2, sums };
  await addRows(engine, db, into, rowsOf('csc_balances', changes));
}

function rowsOf<Name extends Filled>(name: Name, rows: readonly ClearingSchema[Name][]): Row[] {
  const names = COLUMNS[name].map((column) => column.replace('#', ''));
  return rows.map((row) => names.map((column) => row[column as keyof typeof row] as Row[number]));
}

/** A bigint that an engine's sum may have made something else of. */
export function big(value: bigint | number | string | null): bigint {
  return value === null ? 0n : BigInt(value);
}
