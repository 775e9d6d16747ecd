import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { column, forUpdate, table } from '../store.js';
import type { Cell, EngineName } from '../store.js';
import type { Hold } from '../../payment/index.js';
import { nonceDigest } from './digest.js';
import type { GrantContext } from './entry.js';
import { giveBack } from './nonce.js';
import { timedUntil } from './paid-time.js';
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

/**
 * The rows of `holders` that are meant, with their grants as `live`: of each holder, for what its nonces have paid for of its
 * reservation. Another one may have had such a nonce since.
 */
function heldBy(engine: EngineName, holds: readonly Hold[]): RawBuilder<unknown> {
  const rows = holds.flatMap(({ holder, reservation, keys }) =>
    keys.map((key): Cell[] => [nonceDigest(key), holder, reservation]),
  );
  return sql`${table(engine, rows)} join nonces on nonces.digest = value ->> 0
    join grants live on live.id = nonces.grant_id and live.reservation = value ->> 2
    join holders on holders.grant_id = live.id and holders.holder = value ->> 1`;
}

/** Holders are gone: what nobody holds any more of those who showed its nonces has ended. */
export async function endHolders(
  context: Context,
  holds: readonly Hold[],
  now: number,
  resume: number,
): Promise<void> {
  const { db, engine } = context;
  const { rows } = await sql<{ grant_id: string }>`
    delete from holders where (grant_id, holder) in
    (select holders.grant_id, holders.holder from ${heldBy(engine, holds)}) returning grant_id`.execute(db);
  await endUnheld(
    context,
    rows.map(({ grant_id }) => grant_id),
    now,
    resume,
  );
}

/**
 * Ends those of the grants that nobody holds: owed, if a PEP has reported success, or released. `resume` is for how long, in
 * milliseconds, one without a paid time may come back: a router that was away asks again for what was paid.
 */
export async function endUnheld(
  context: Context,
  grants: readonly string[],
  now: number,
  resume: number,
): Promise<void> {
  if (grants.length === 0) return;
  const { db, engine } = context;
  const asked = sql`select value ->> 0 from ${table(engine, column(grants))}`;
  // Locked first: whoever takes one of them meanwhile, at another PDP, has become a holder or waits here.
  const { rows } = await sql<{ id: string }>`
    select id from grants where state in ('held', 'committed') and id in (${asked})
    order by id ${forUpdate(engine)}`.execute(db);
  if (rows.length === 0) return;
  const ended = await sql<Ended>`
    update grants set ended_at = ${now},
      state = case state when 'held' then 'released' else 'ended' end,
      paid_until = case when state = 'committed' and paid_until is null then ${now + resume} else paid_until end
    where state in ('held', 'committed') and id in (${asked})
    and not exists (select 1 from holders where holders.grant_id = grants.id)
    returning id, state, payers, nonce, totalled, sum, currency`.execute(db);
  await release(
    context,
    ended.rows.filter(({ state }) => state === 'released'),
  );
}

/**
 * Until when a holder has its reservation, milliseconds: of the time that anybody has paid for it the latest end; undefined
 * where the holder showed a payment without an end, 0 where there is none.
 */
export async function readPaidUntil(context: Context, hold: Hold): Promise<number | undefined> {
  const { db, engine } = context;
  const { rows } = await sql`
    select 1 as one from ${heldBy(engine, [hold])}
    where live.duration is null and live.state in ('held', 'committed') limit 1`.execute(db);
  if (rows.length > 0) return undefined;
  return (await timedUntil(context, [hold.reservation])).get(hold.reservation) ?? 0;
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
    (JSON.parse(payers) as string[]).map((payer): Cell[] => [nonceDigest({ payer, nonce }), id]),
  );
  await giveBack({ db, engine }, rows);
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
