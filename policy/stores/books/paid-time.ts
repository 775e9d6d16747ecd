import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { column, forUpdate, table } from '../store.js';
import type { Cell } from '../store.js';
import type { Entry, GrantContext } from './entry.js';

/** When the time that each pays for is over: a later check adds to what is left. */
export async function topUps(
  { db, engine }: GrantContext,
  entries: readonly Entry[],
): Promise<readonly (number | undefined)[]> {
  const timed = entries.filter(({ payment }) => payment.duration !== undefined);
  if (timed.length === 0) return [];
  const until = new Map<string, number>();
  await lockReservations(
    { db, engine },
    timed.map(({ reservation }) => reservation),
  );
  // Locked: what another PDP ends or releases meanwhile must not be counted. Paid time that ended early still counts.
  const { rows } = await sql<{ reservation: string; until: bigint }>`
    select reservation, paid_until as until from grants
    where duration is not null and state <> 'released'
    and reservation in (select value ->> 0 from ${table(
      engine,
      column(timed.map(({ reservation }) => reservation)),
    )}) order by id ${forUpdate(engine)}`.execute(db);
  for (const row of rows)
    until.set(row.reservation, Math.max(until.get(row.reservation) ?? 0, Number(row.until)));
  return entries.map(({ request, payment, reservation }) => {
    if (payment.duration === undefined) return undefined;
    const from = Math.max(until.get(reservation) ?? 0, request.now);
    until.set(reservation, from + payment.duration * 1000);
    return until.get(reservation);
  });
}

/** Of two who buy time for one reservation at two PDPs the second adds to what the first has bought. */
async function lockReservations(
  { db, engine }: Pick<GrantContext, 'db' | 'engine'>,
  reservations: readonly string[],
): Promise<void> {
  // SQLite's writers are alone anyway.
  if (engine === 'sqlite') return;
  const keys = [...new Set(reservations)].map((reservation) =>
    createHash('sha256').update(reservation).digest().readBigInt64BE(),
  );
  const rows = keys.sort((a, b) => (a < b ? -1 : 1)).map((key): Cell[] => [String(key)]);
  await sql`select pg_advisory_xact_lock(cast(value ->> 0 as bigint)) from ${table(engine, rows)}`.execute(
    db,
  );
}

/** By entry; those are not in it that have something without an end. */
export async function paidUntil(
  context: GrantContext,
  entries: readonly Entry[],
): Promise<ReadonlyMap<Entry, number>> {
  const timed = entries.filter(({ isEndless }) => !isEndless);
  const ends = await timedUntil(
    context,
    timed.map(({ reservation }) => reservation),
  );
  const until = new Map<Entry, number>();
  for (const entry of timed) {
    const end = ends.get(entry.reservation);
    if (end !== undefined) until.set(entry, end);
  }
  return until;
}

/** The latest end of the time that was paid for, by reservation. */
export async function timedUntil(
  { db, engine }: Pick<GrantContext, 'db' | 'engine'>,
  reservations: readonly string[],
): Promise<Map<string, number>> {
  if (reservations.length === 0) return new Map();
  const { rows } = await sql<{ reservation: string; until: bigint }>`
    select reservation, max(paid_until) as until from grants
    where duration is not null and state <> 'released'
    and reservation in (select value ->> 0 from ${table(engine, column(reservations))}) group by reservation`.execute(
    db,
  );
  return new Map(rows.map(({ reservation, until }) => [reservation, Number(until)]));
}
