import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { forUpdate, table } from '../store.js';
import type { Cell, EngineName } from '../store.js';
import type { Hold } from '../../payment/index.js';
import { LIVE } from './grant.js';
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
  const held = heldBy(engine, holds);
  await sql`
    update grants set state = 'committed', committed_at = ${now}
    where state = 'held' and id in (select holders.grant_id from ${held})`.execute(db);
  const { rows: paid } = await sql<{ holder: string }>`
    select distinct holders.holder as holder from ${held} where live.state = 'committed'`.execute(db);
  return new Set(paid.map(({ holder }) => holder));
}

/** The rows of `holders` that are meant, with their grants as `live`. */
function heldBy(engine: EngineName, holds: readonly Hold[]): RawBuilder<unknown> {
  const pairs = holds.map(({ holder, reservation }): Cell[] => [reservation, holder]);
  return sql`${table(engine, pairs)} join grants live on live.reservation = value ->> 0 and ${LIVE}
    join holders on holders.grant_id = live.id and holders.holder = value ->> 1`;
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
  await sql`
    delete from holders where (grant_id, holder) in
    (select holders.grant_id, holders.holder from ${heldBy(engine, holds)})`.execute(db);
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
    and not exists (select 1 from grants live join holders on holders.grant_id = live.id
      where live.reservation = grants.reservation and ${LIVE}
      and (grants.state = 'committed' or live.id = grants.id))
    returning id, state, payers, nonce, totalled, sum, currency`.execute(db);
  await release(
    context,
    ended.rows.filter(({ state }) => state === 'released'),
  );
}

/** The reservations of grants, each once. */
export async function reservationsOf({ db, engine }: Context, grants: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ reservation: string }>`
    select distinct reservation from grants where id in
    (select value ->> 0 from ${table(engine, unique(grants))})`.execute(db);
  return rows.map(({ reservation }) => reservation);
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
