import { sql } from 'kysely';
import { forUpdate, table } from '../store.js';
import type { Cell } from '../store.js';
import type { Hold } from '../../payment/index.js';
import { HOLDS } from './grant.js';
import type { GrantContext } from './grant.js';
import { addTotals } from './totals.js';
import type { TotalChange } from './totals.js';

type Context = Pick<GrantContext, 'db' | 'engine'>;

/** PEPs have reported success: what they hold is owed. Returns the holders that have paid. */
export async function commitAll(
  { db, engine }: Context,
  holds: readonly Hold[],
  now: number,
): Promise<ReadonlySet<string>> {
  const reservations = table(engine, unique(holds.map(({ reservation }) => reservation)));
  const holders = table(engine, unique(holds.map(({ holder }) => holder)));
  await sql`
    update grants set state = 'committed', committed_at = ${now}
    where state = 'held' and reservation in (select value ->> 0 from ${reservations})
    and exists (select 1 from holders where holder in (select value ->> 0 from ${holders}) and ${HOLDS})`.execute(
    db,
  );
  const { rows: paid } = await sql<{ holder: string }>`
    select distinct holder from holders join grants on ${HOLDS}
    where holder in (select value ->> 0 from ${holders}) and grants.state = 'committed'`.execute(db);
  return new Set(paid.map(({ holder }) => holder));
}

/**
 * Holders are gone. What nobody holds any more has ended; and a payment that no PEP has reported success of is released once
 * nobody is left who was told Install for it, even if others have its reservation for another payment.
 */
export async function endHolders(
  context: Context,
  holders: readonly string[],
  reservations: readonly string[],
  now: number,
  resume: number,
): Promise<void> {
  const { db, engine } = context;
  const { rows } = await sql<{ reservation: string }>`
    delete from holders where holder in (select value ->> 0 from ${table(engine, unique(holders))})
    returning reservation`.execute(db);
  await endUnheld(context, [...reservations, ...rows.map(({ reservation }) => reservation)], now, resume);
}

/**
 * Ends those of the reservations that nobody holds. `resume` is for how long, in milliseconds, one without a paid time may
 * come back: a router that was away asks again for what was paid.
 */
export async function endUnheld(
  context: Context,
  reservations: readonly string[],
  now: number,
  resume: number,
): Promise<void> {
  if (reservations.length === 0) return;
  const { db, engine } = context;
  const asked = sql`select value ->> 0 from ${table(engine, unique(reservations))}`;
  // Locked first: whoever takes one of them meanwhile, at another PDP, has become a holder or waits here.
  const { rows } = await sql<{ id: string }>`
    select id from grants where state in ('held', 'committed') and reservation in (${asked})
    order by id ${forUpdate(engine)}`.execute(db);
  if (rows.length === 0) return;
  const ended = await sql<Ended>`
    update grants set ended_at = ${now},
      state = case state when 'held' then 'released' else 'ended' end,
      paid_until = case when state = 'committed' and paid_until is null then ${now + resume} else paid_until end
    where state in ('held', 'committed') and reservation in (${asked})
    and not exists (select 1 from holders where holders.reservation = grants.reservation
      and (grants.state = 'committed' or ${HOLDS}))
    returning id, state, payers, totalled, sum, currency`.execute(db);
  await release(
    context,
    ended.rows.filter(({ state }) => state === 'released'),
  );
}

interface Ended {
  readonly id: string;
  readonly state: string;
  readonly payers: string;
  readonly totalled: string;
  readonly sum: bigint;
  readonly currency: string;
}

/** Their nonces can be spent again, and their sums were never paid. */
async function release({ db, engine }: Context, grants: readonly Ended[]): Promise<void> {
  if (grants.length === 0) return;
  await sql`
    delete from nonces where grant_id in (select value ->> 0 from ${table(
      engine,
      grants.map(({ id }) => [id]),
    )})`.execute(db);
  await addTotals({ db, engine }, grants.flatMap(undone));
}

/** What a grant has added to the totals, taken back. */
function undone({ payers, totalled, sum, currency }: Ended): TotalChange[] {
  const list = (json: string): string[] => JSON.parse(json) as string[];
  return [
    ...list(totalled).map((id): TotalChange => ({ kind: 'credential', id, currency, sum: -sum })),
    ...list(payers).map((id): TotalChange => ({ kind: 'payer', id, currency, sum: -sum })),
  ];
}

function unique(names: readonly string[]): Cell[][] {
  return [...new Set(names)].map((name) => [name]);
}
