import { sql } from 'kysely';
import { MEMORY, PARTY_KINDS } from '../../payment/index.js';
import type { Party, Quarantined } from '../../payment/index.js';
import { notify, table } from '../store.js';
import type { Cell, Store } from '../store.js';
import type { BooksSchema } from './schema.js';

type QuarantineStore = Store<Pick<BooksSchema, 'quarantine'>>;

/** Rows that are kept: no PDP takes notice of more. */
const MOST_ROWS = 30_000;

/** Who is in quarantine, or was within `MEMORY`, for all PDPs of a database. */
export class QuarantineTable {
  readonly #engine: QuarantineStore['engine'];

  constructor(private readonly store: QuarantineStore) {
    this.#engine = store.engine;
  }

  async list(): Promise<Quarantined[]> {
    const { rows } = await sql<BooksSchema['quarantine']>`
      select kind, id, since, until, failures, reason from quarantine
      order by until desc, kind, id limit ${MOST_ROWS}`.execute(this.store.db);
    const known = rows.filter(({ kind }) => (PARTY_KINDS as readonly string[]).includes(kind));
    return known.map(
      ({ kind, id, since, until, failures, reason }) =>
        ({
          kind,
          id,
          since: Number(since),
          until: Number(until),
          failures: Number(failures),
          reason,
        }) as Quarantined,
    );
  }

  /** Another text, where the table is another. */
  async stamp(): Promise<string> {
    const { rows } = await sql<{ stamp: string }>`
      select cast(count(*) as text) || ' ' || cast(coalesce(sum(until), 0) as text) as stamp from quarantine`.execute(
      this.store.db,
    );
    return rows[0]?.stamp ?? '';
  }

  /** Adds to it; of two PDPs that do so at once, the later end counts. */
  async put(entries: readonly Quarantined[]): Promise<void> {
    if (entries.length === 0) return;
    const rows = [...entries]
      .sort((a, b) => (a.kind + a.id < b.kind + b.id ? -1 : 1))
      .map(({ kind, id, since, until, failures, reason }): Cell[] => [
        kind,
        id,
        since,
        until,
        failures,
        reason,
      ]);
    await this.store.transaction(async (db) => {
      await sql`
        insert into quarantine (kind, id, since, until, failures, reason)
        select value ->> 0, value ->> 1, cast(value ->> 2 as bigint), cast(value ->> 3 as bigint),
          cast(value ->> 4 as bigint), value ->> 5
        from ${table(this.#engine, rows)} where true
        on conflict (kind, id) do update set since = excluded.since, until = excluded.until,
          failures = excluded.failures, reason = excluded.reason
        where excluded.until > quarantine.until`.execute(db);
      await notify(this.#engine, db);
    });
  }

  /** Sets them free, and forgets what they did; returns how many of them were in it at `now`. */
  async release(parties: readonly Party[], now: number): Promise<number> {
    const asked = table(
      this.#engine,
      parties.map(({ kind, id }) => [kind, id]),
    );
    return this.store.transaction(async (db) => {
      const { rows } = await sql<{ until: bigint }>`
        delete from quarantine where (kind, id) in (select value ->> 0, value ->> 1 from ${asked})
        returning until`.execute(db);
      await notify(this.#engine, db);
      return rows.filter(({ until }) => Number(until) > now).length;
    });
  }

  /** Forgets whose time was over long ago; and, of too many, those whose time is over first. */
  async prune(now: number, most = MOST_ROWS): Promise<void> {
    await this.store.transaction(async (db) => {
      await sql`
        delete from quarantine where until <= ${now - MEMORY} or until <= coalesce(
          (select until from quarantine order by until desc limit 1 offset ${most}), 0)`.execute(db);
    });
  }
}
