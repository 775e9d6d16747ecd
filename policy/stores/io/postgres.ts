import { Kysely, PostgresDialect } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { CHANNEL, StoreUnavailable, TryAgain } from '../store.js';
import type { Store } from '../store.js';
import type { OpenOptions } from './open.js';

/**
 * How often changes are looked for without being told, milliseconds: a notification may be lost with its connection, and not
 * every server that speaks this protocol has them.
 */
const POLL = 400;
const RETRY = { first: 5, most: 250 } as const;

export function openPostgres<Schema>(url: string, options: OpenOptions = {}): Store<Schema> {
  const { patience = 5000, connections = 4, failed = () => undefined } = options;
  const config: pg.PoolConfig = {
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: patience,
    keepAlive: true,
    types: TYPES,
  };
  const pool = new pg.Pool(config);
  // A connection that is lost while idle; the pool makes another.
  pool.on('error', failed);
  // One that is lost while it is lent, between two statements, tells nobody but its own listeners, and the next statement.
  pool.on('connect', (client) => client.on('error', failed));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return {
    engine: 'postgresql',
    db,
    transaction: (work) => transact(db, work, patience, failed),
    watch: (changed) => new Listener(config, changed, failed).stop,
    close: () => db.destroy(),
  };
}

const INT8 = 20;

/** `bigint` stays exact, as it does with SQLite. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: unknown): unknown =>
    oid === INT8 ? (value: string) => BigInt(value) : (builtIn as TypeParsers)(oid, format),
};
const builtIn: unknown = pg.types.getTypeParser;
type TypeParsers = (oid: number, format: unknown) => unknown;

async function transact<Schema, Result>(
  db: Kysely<Schema>,
  work: (db: Kysely<Schema>) => Promise<Result>,
  patience: number,
  failed: (error: Error) => void,
): Promise<Result> {
  const until = performance.now() + patience;
  for (let wait: number = RETRY.first; ; wait = Math.min(wait * 2, RETRY.most)) {
    try {
      return await db.transaction().setIsolationLevel('read committed').execute(work);
    } catch (error) {
      const kind = kindOf(error);
      if (kind === 'ours') throw error;
      if (kind === 'unavailable') failed(error as Error);
      if (performance.now() > until) {
        throw new StoreUnavailable(`the database is not available: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    await sleep(wait * (0.5 + Math.random() / 2));
  }
}

/**
 * `again`: nothing has happened, and the same may succeed. `unavailable`: the connection or the server is gone, and with it
 * perhaps the answer to a commit.
 */
function kindOf(error: unknown): 'again' | 'unavailable' | 'ours' {
  if (error instanceof TryAgain) return 'again';
  if (!(error instanceof Error)) return 'ours';
  const { code = '', constraint = '' } = error as { code?: string; constraint?: string };
  // Serialization failure, deadlock; and two processes that create the same table at once.
  if (['40001', '40P01', '42P07'].includes(code) || (code === '23505' && constraint.startsWith('pg_')))
    return 'again';
  if (/^(08|57P|53|XX)/.test(code) || /^E[A-Z]+$/.test(code)) return 'unavailable';
  return /connection|terminated|timeout/i.test(error.message) && code === '' ? 'unavailable' : 'ours';
}

/** LISTEN on a connection of its own, and a look now and then. */
class Listener {
  #client: pg.Client | undefined;
  #isStopped = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly config: pg.ClientConfig,
    private readonly changed: () => void,
    private readonly failed: (error: Error) => void,
  ) {
    this.#timer = setInterval(() => {
      this.changed();
      if (this.#client === undefined) this.#connect();
    }, POLL);
    this.#timer.unref();
    this.#connect();
  }

  readonly stop = (): void => {
    this.#isStopped = true;
    clearInterval(this.#timer);
    void this.#client?.end().catch(() => undefined);
  };

  #connect(): void {
    const client = new pg.Client(this.config);
    this.#client = client;
    client.on('notification', () => this.changed());
    const gone = (error: Error): void => {
      if (this.#client === client) this.#client = undefined;
      if (!this.#isStopped) this.failed(error);
      void client.end().catch(() => undefined);
    };
    client.on('error', gone);
    client.on('end', () => {
      if (this.#client === client) this.#client = undefined;
    });
    client
      .connect()
      .then(() => client.query(`listen ${CHANNEL}`), gone)
      .catch(gone);
  }
}
