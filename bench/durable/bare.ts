import Database from 'better-sqlite3';
import pg from 'pg';
import { openStore } from '../../policy/stores/io/open.js';
import type { Migrations } from '../../policy/stores/migrate.js';

/** The rows of one batch, by table: what the engine is given to insert. */
export type Batch = Readonly<Record<string, readonly (readonly unknown[])[]>>;

/** An engine without us: its own driver, the same tables, rows ready-made, one transaction a batch, durable. */
export interface Bare {
  insert(batch: Batch): Promise<void> | void;
  close(): Promise<void> | void;
}

/** `columns`: of each table, in the order of its rows. */
export async function openBare(
  place: string,
  migrations: Migrations,
  columns: Readonly<Record<string, readonly string[]>>,
): Promise<Bare> {
  await (await openStore(place, migrations)).close();
  return place.startsWith('postgresql:') ? barePostgres(place, columns) : bareSqlite(place, columns);
}

function bareSqlite(file: string, columns: Readonly<Record<string, readonly string[]>>): Bare {
  const db = new Database(file);
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'cache_size = -8192']) db.pragma(pragma);
  const statements = new Map(
    Object.entries(columns).map(([table, names]) => [
      table,
      db.prepare(
        `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')}) on conflict do nothing`,
      ),
    ]),
  );
  return {
    insert: db.transaction((batch: Batch) => {
      for (const [table, rows] of Object.entries(batch)) {
        const statement = statements.get(table);
        for (const row of rows) statement?.run(...row);
      }
    }),
    close: () => void db.close(),
  };
}

async function barePostgres(
  url: string,
  columns: Readonly<Record<string, readonly string[]>>,
): Promise<Bare> {
  const client = new pg.Client(url);
  await client.connect();
  return {
    insert: async (batch) => {
      await client.query('begin');
      for (const [table, rows] of Object.entries(batch)) {
        const names = columns[table] ?? [];
        const values = rows.map(
          (_, i) => `(${names.map((__, j) => `$${i * names.length + j + 1}`).join(', ')})`,
        );
        await client.query({
          name: `${table} ${rows.length}`,
          text: `insert into ${table} (${names.join(', ')}) values ${values.join(', ')} on conflict do nothing`,
          values: rows.flat(),
        });
      }
      await client.query('commit');
    },
    close: () => client.end(),
  };
}
