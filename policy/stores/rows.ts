import { CompiledQuery, sql } from 'kysely';
import type { Kysely } from 'kysely';
import { table } from './store.js';
import type { Cell, EngineName } from './store.js';

/** Where rows go: a `#` marks a column of type bigint. */
export interface Into {
  readonly table: string;
  readonly columns: readonly string[];
  /** What happens to a row whose key is there already. Default: the statement fails. */
  readonly conflict?: 'ignore';
}

export type Row = readonly (Cell | bigint)[];

/**
 * Inserts rows, inside a transaction. PostgreSQL gets one statement with all of them; SQLite, which is in this process, is quicker
 * with one prepared statement that is run for each.
 */
export async function insertRows<Schema>(
  engine: EngineName,
  db: Kysely<Schema>,
  into: Into,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  if (engine === 'postgresql') {
    await fromTable(engine, into, rows).execute(db);
    return;
  }
  await db.executeQuery(CompiledQuery.raw(forEach(statementOf(into)), rows as unknown[]));
}

/**
 * The same for rows that may be there already, which stay as they are; says of each whether it was added. `keys`: how many of
 * the columns, from the first on, are the key.
 */
export async function insertNew<Schema>(
  engine: EngineName,
  db: Kysely<Schema>,
  into: Omit<Into, 'conflict'> & { readonly keys: number },
  rows: readonly Row[],
): Promise<boolean[]> {
  if (rows.length === 0) return [];
  const ignoring: Into = { ...into, conflict: 'ignore' };
  if (engine === 'sqlite') {
    const text = forEach(statementOf(ignoring));
    const { rows: done } = await db.executeQuery<RowDone>(CompiledQuery.raw(text, rows as unknown[]));
    return done.map(({ changes }) => changes === 1);
  }
  const keys = namesOf(into).slice(0, into.keys);
  const { rows: added } = await sql<Record<string, unknown>>`
    ${fromTable(engine, ignoring, rows)} returning ${sql.join(keys.map((key) => sql.ref(key)))}`.execute(db);
  const found = new Set(added.map((row) => keys.map((key) => String(row[key])).join('\n')));
  return rows.map((row) => found.has(row.slice(0, into.keys).map(String).join('\n')));
}

/**
 * Inserts rows, or adds their `sums` to those of the rows that are there; returns what all of them are then. `keys`: how many of
 * the columns, from the first on, are the key.
 */
export async function addRows<Schema, Sums>(
  engine: EngineName,
  db: Kysely<Schema>,
  into: Omit<Into, 'conflict'> & { readonly keys: number; readonly sums: readonly string[] },
  rows: readonly Row[],
): Promise<Sums[]> {
  if (rows.length === 0) return [];
  const names = namesOf(into);
  const keys = names.slice(0, into.keys).join(', ');
  const added = into.sums.map((sum) => `${sum} = ${into.table}.${sum} + excluded.${sum}`).join(', ');
  const end = `on conflict (${keys}) do update set ${added} returning ${names.join(', ')}`;
  const query =
    engine === 'sqlite'
      ? CompiledQuery.raw(forEach(`${statementOf(into)} ${end}`), rows as unknown[])
      : sql`${fromTable(engine, into, rows)} ${sql.raw(end)}`.compile(db);
  return (await db.executeQuery<Sums>(query)).rows;
}

/** Of a statement that is run for each row of its parameters, and returns nothing by itself. */
export interface RowDone {
  readonly changes: number;
}

const EACH = '/* each */ ';

/** Has SQLite's store run a statement for each of its parameters, which are rows: one call for all of them. */
export function forEach(statement: string): string {
  return EACH + statement;
}

/** The statement that is run for each row; undefined where it is an ordinary one. */
export function eachStatement(text: string): string | undefined {
  return text.startsWith(EACH) ? text.slice(EACH.length) : undefined;
}

/** `insert into ... select ... from` the rows, for whatever may follow. */
function fromTable(engine: EngineName, into: Into, rows: readonly Row[]) {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'bigint' ? String(cell) : cell)));
  const values = into.columns.map((column, i) =>
    column.startsWith('#') ? sql`cast(value ->> ${sql.lit(i)} as bigint)` : sql`value ->> ${sql.lit(i)}`,
  );
  // SQLite takes the `on` of an upsert for that of a join, unless there is a `where`.
  return sql`insert into ${sql.table(into.table)} (${sql.join(namesOf(into).map((name) => sql.ref(name)))})
    select ${sql.join(values)} from ${table(engine, cells)} where true ${
      into.conflict === 'ignore' ? sql`on conflict do nothing` : sql``
    }`;
}

function statementOf(into: Into): string {
  const names = namesOf(into);
  const marks = names.map(() => '?').join(', ');
  const conflict = into.conflict === 'ignore' ? ' on conflict do nothing' : '';
  return `insert into ${into.table} (${names.join(', ')}) values (${marks})${conflict}`;
}

function namesOf({ columns }: Into): string[] {
  return columns.map((column) => column.replace('#', ''));
}
