import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { eachStatement } from '../rows.js';
import type { RowDone } from '../rows.js';
import type { Store } from '../store.js';
import { StoreUnavailable, TryAgain } from '../store.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { Checkpointer } from './checkpoint.js';
import type { OpenOptions } from './open.js';

/** How often another process's changes are looked for, milliseconds. */
const POLL = 100;
/**
 * How long a statement itself waits for another process's lock, milliseconds: it holds up all else here, another
 * connection of this process included. After that it is tried again in turns.
 */
const BLOCK = 5;
const TURN = 2;
/** Statements that are kept prepared. */
const STATEMENTS = 256;

export function openSqlite<Schema>(file: string, options: OpenOptions = {}): Store<Schema> {
  const { patience = 5000 } = options;
  const database = open(file);
  const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: new Prepared(database) }) });
  const frame = {
    begin: database.prepare('begin immediate'),
    commit: database.prepare('commit'),
    rollback: database.prepare('rollback'),
  };
  const checkpointer = file === ':memory:' ? undefined : new Checkpointer(file, database);
  return {
    engine: 'sqlite',
    db,
    transaction: async (work) => {
      const result = await db.connection().execute((connection) => {
        checkpointer?.finish();
        return transact(connection, database, frame, work, patience);
      });
      checkpointer?.committed();
      return result;
    },
    watch: (changed) => watch(file, changed),
    close: async () => {
      await checkpointer?.close();
      await db.destroy();
    },
  };
}

/** What a transaction begins and ends with. */
type Frame = Readonly<Record<'begin' | 'commit' | 'rollback', Database.Statement>>;

function open(file: string): Database.Database {
  try {
    const database = new Database(file, { timeout: BLOCK });
    // Another process may be about to do the same.
    database.pragma('busy_timeout = 5000');
    database.pragma('journal_mode = WAL');
    database.pragma(`busy_timeout = ${BLOCK}`);
    database.pragma('synchronous = FULL');
    // 8 MiB: a commit that has balanced a tree goes through the whole cache, for SQLite swaps pages by way of a number that lies
    // behind all others, and then looks for pages behind the end of the file. The system caches the rest.
    database.pragma('cache_size = -8192');
    // 64 MiB: where the checkpointer does not keep up, a checkpoint within a commit.
    database.pragma('wal_autocheckpoint = 16384');
    database.defaultSafeIntegers(true);
    return database;
  } catch (error) {
    throw new StoreUnavailable(`cannot open \`${file}\`: ${(error as Error).message}`, { cause: error });
  }
}

/** The write lock is taken at once: a transaction that reads first and writes later could find the file changed. */
async function transact<Schema, Result>(
  db: Kysely<Schema>,
  database: Database.Database,
  { begin, commit, rollback }: Frame,
  work: (db: Kysely<Schema>) => Promise<Result>,
  patience: number,
): Promise<Result> {
  const until = performance.now() + patience;
  for (;;) {
    try {
      begin.run();
      const result = await work(db);
      commit.run();
      return result;
    } catch (error) {
      if (database.inTransaction) rollback.run();
      if ((error instanceof TryAgain || isLocked(error)) && performance.now() < until) {
        await sleep(TURN);
        continue;
      }
      if (error instanceof TryAgain) throw new StoreUnavailable(error.message, { cause: error });
      if (isUnavailable(error))
        throw new StoreUnavailable(`the database is not available: ${error.message}`, { cause: error });
      throw error;
    }
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}

/** Locked for longer than our patience, full, not readable. */
function isUnavailable(error: unknown): error is Error {
  return (
    error instanceof Database.SqliteError &&
    /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|CORRUPT|NOTADB)/.test(error.code)
  );
}

/** `PRAGMA data_version` changes when another connection has committed. */
function watch(file: string, changed: () => void): () => void {
  if (file === ':memory:') return () => undefined;
  const database = new Database(file, { readonly: true });
  const read = database.prepare('pragma data_version').pluck();
  let version = read.get();
  const timer = setInterval(() => {
    const now = read.get();
    if (now === version) return;
    version = now;
    changed();
  }, POLL);
  timer.unref();
  return () => {
    clearInterval(timer);
    database.close();
  };
}

/** Keeps statements prepared: the same few are run over and over. */
class Prepared implements SqliteDatabase {
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(private readonly database: Database.Database) {}

  prepare(text: string): SqliteStatement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const each = eachStatement(text);
    const statement =
      each === undefined
        ? (this.database.prepare(text) as unknown as SqliteStatement)
        : new EachRow(this.database.prepare(each));
    // DDL makes prepared statements stale, and is not run twice.
    if (/^\s*(create|drop|alter)\b/i.test(text)) return statement;
    if (this.#statements.size >= STATEMENTS) {
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    this.#statements.set(text, statement);
    return statement;
  }

  close(): void {
    this.database.close();
  }
}

/** Runs a statement for each of its parameters, which are rows: gives what each returns, or else how many rows it has changed. */
class EachRow implements SqliteStatement {
  readonly reader = true;

  constructor(private readonly statement: Database.Statement) {}

  all(rows: readonly unknown[]): unknown[] {
    const { statement } = this;
    if (statement.reader) return rows.map((row) => statement.get(row));
    return rows.map((row): RowDone => ({ changes: statement.run(row).changes }));
  }

  run(): never {
    throw new TypeError('a statement for each row tells of each');
  }

  iterate(): never {
    throw new TypeError('a statement for each row is no query');
  }
}
