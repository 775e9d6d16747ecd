import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { EngineName, Store } from './store.js';

/** One step of a schema: statements, in order. */
export type Migration = (engine: EngineName) => readonly string[];

/** The steps of a schema, oldest first: a step is never changed once it was released, only followed by another. */
export interface Migrations {
  /** Names the schema in `schema_version`: several can share a database. */
  readonly name: string;
  readonly steps: readonly Migration[];
}

/** The database is of a newer version of this program. */
export class SchemaTooNew extends Error {
  constructor(name: string, found: number, known: number) {
    super(
      `the database has version ${found} of \`${name}\`, this program knows ${known}: use a newer program on it`,
    );
    this.name = 'SchemaTooNew';
  }
}

/** Brings the database to the newest version; all of it in one transaction, so that a crash leaves the old one. */
export async function migrate<Schema>(
  store: Pick<Store<Schema>, 'engine' | 'transaction'>,
  { name, steps }: Migrations,
): Promise<void> {
  await store.transaction(async (db) => {
    await run(
      db,
      'create table if not exists schema_version (name text primary key, version bigint not null)',
    );
    await sql`insert into schema_version (name, version) values (${name}, 0) on conflict (name) do nothing`.execute(
      db,
    );
    // Of several processes that start at once, one does it.
    const lock = store.engine === 'sqlite' ? sql`` : sql`for update`;
    const { rows } = await sql<{
      version: bigint;
    }>`select version from schema_version where name = ${name} ${lock}`.execute(db);
    const version = Number(rows[0]?.version ?? 0);
    if (version > steps.length) throw new SchemaTooNew(name, version, steps.length);
    for (const step of steps.slice(version))
      for (const statement of step(store.engine)) await run(db, statement);
    if (version < steps.length)
      await sql`update schema_version set version = ${steps.length} where name = ${name}`.execute(db);
  });
}

async function run<Schema>(db: Kysely<Schema>, statement: string): Promise<void> {
  await sql.raw(statement).execute(db);
}
