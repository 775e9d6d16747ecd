import { sql } from 'kysely';
import type { Kysely, RawBuilder } from 'kysely';

export type EngineName = 'sqlite' | 'postgresql';

/** A database that is open, with tables as `Schema` has them. */
export interface Store<Schema> {
  readonly engine: EngineName;
  /** For statements that stand alone. */
  readonly db: Kysely<Schema>;
  /**
   * Runs a transaction; done when it is durable. It is run again after a serialization failure, a deadlock, or a
   * connection that was lost with the outcome unknown, so `work` must do the same however often it is run: it names its
   * rows itself. Throws `StoreUnavailable` once `patience` has passed without a database.
   */
  transaction<Result>(work: (db: Kysely<Schema>) => Promise<Result>): Promise<Result>;
  /** Calls back, within a second, when another process may have changed something; returns how to stop. */
  watch(changed: () => void): () => void;
  close(): Promise<void>;
}

/** The database cannot be reached, or does not answer: nothing is known to have happened. */
export class StoreUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailable';
  }
}

/** Must be thrown inside `transaction` where what was read is gone already: all of it is done again. */
export class TryAgain extends Error {
  constructor() {
    super('what was read has changed');
    this.name = 'TryAgain';
  }
}

/** A value that JSON can carry into a statement. */
export type Cell = string | number | boolean | null;

/**
 * Rows as a table with one column, `value`, a JSON array each: `select value ->> 0 from ${table(engine, rows)}`. One
 * parameter whatever the number of rows, so the statement is prepared once.
 */
export function table(engine: EngineName, rows: readonly (readonly Cell[])[]): RawBuilder<unknown> {
  const json = JSON.stringify(rows);
  return engine === 'sqlite'
    ? sql`json_each(${json})`
    : sql`jsonb_array_elements(cast(${json} as jsonb)) as rows(value)`;
}

/** Each once, as the rows of a table with one column. */
export function column(values: Iterable<string>): Cell[][] {
  return [...new Set(values)].map((value) => [value]);
}

/** `for update`, where the engine has row locks; SQLite's writers are alone anyway. */
export function forUpdate(engine: EngineName, of?: string): RawBuilder<unknown> {
  if (engine === 'sqlite') return sql``;
  return of === undefined ? sql`for update` : sql`for update of ${sql.ref(of)}`;
}

/** Tells `watch` of other processes that something has changed, once this transaction is committed. */
export async function notify<Schema>(engine: EngineName, db: Kysely<Schema>): Promise<void> {
  // SQLite tells by itself: PRAGMA data_version.
  if (engine === 'postgresql') await sql`select pg_notify(${CHANNEL}, '')`.execute(db);
}

export const CHANNEL = 'bandex';
