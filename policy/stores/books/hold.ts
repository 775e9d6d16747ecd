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
  const pairs = holds.map(({ holder, reservation }): Cell[] => [reservation, holder]);
  const held = sql`${table(engine, pairs)} join holders h on h.reservation = value ->> 0 and h.holder = value ->> 1`;
  await sql`
    update grants set state = 'committed', committed_at = ${now}
    where state = 'held' and id in (select h.grant_id from ${held})`.execute(db);
  const { rows: paid } = await sql<{ holder: string }>`
    select distinct h.holder as holder from ${held} join grants g on g.id = h.grant_id
    where g.state = 'committed'`.execute(db);
  return new Set(paid.map(({ holder }) => holder));
}

/**
 * Holders are gone. What nobody holds any more has ended; and a payment that no PEP has reported success of is released once
 * nobody is left who was told Install for it, even if others have its reservation for another payment.
 */
export async function endHolders(
  context: Context,
  holds: readonly Hold[],
  now: number,
  resume: number,
): Promise<void> {
  const { db, engine } = context;
  const rows = holds.map(({ holder, reservation }): Cell[] => [reservation, holder]);
  await sql`
    delete from holders where (reservation, holder) in
    (select value ->> 0, value ->> 1 from ${table(engine, rows)})`.execute(db);
  const reservations = holds.map(({ reservation }) => reservation);
  await endUnheld(context, reservations, now, resume);
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
    returning id, state, payers, nonce, totalled, sum, currency`.execute(db);
  await release(
    context,
    ended.rows.filter(({ state }) => state === 'released'),
  );
}

interface Ended {
  readonly id: string;
  readonly state: string;
  readonly payers: string;
  readonly nonce: string;
  readonly totalled: string;
  readonly sum: bigint;
  readonly currency: string;
}

/** Their nonces can be spent again, and their sums were never paid. */
async function release({ db, engine }: Context, grants: readonly Ended[]): Promise<void> {
  if (grants.length === 0) return;
  const rows = grants.flatMap(({ id, payers, nonce }) =>
    (JSON.parse(payers) as string[]).map((payer): Cell[] => [payer, nonce, id]),
  );
  await sql`
    delete from nonces where (payer, nonce, grant_id) in
    (select value ->> 0, value ->> 1, value ->> 2 from ${table(engine, rows)})`.execute(db);
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
