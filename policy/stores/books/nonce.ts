import { sql } from 'kysely';
import type { NonceKey, NonceUse } from '../../payment/index.js';
import { insertNew } from '../rows.js';
import { column, forUpdate, table, TryAgain } from '../store.js';
import type { Cell } from '../store.js';
import type { Entry, FoundGrant, GrantContext } from './entry.js';
import type { GrantState } from './schema.js';

const NONCES = { table: 'nonces', columns: ['digest', 'grant_id'], keys: 1 };

/** Afterwards each entry has a result that refuses it, the grant that has its nonces already, or neither: it is new. */
export async function takeNonces(context: GrantContext, entries: readonly Entry[]): Promise<void> {
  const { db, engine } = context;
  // Of several in this batch the first asks for all of them; in the order of the key, as every PDP does.
  const asked = new Map<string, string>();
  for (const { request, digests } of entries)
    for (const digest of digests) if (!asked.has(digest)) asked.set(digest, request.id);
  const rows = [...asked].sort(([a], [b]) => (a < b ? -1 : 1));
  const added = await insertNew(engine, db, NONCES, rows);
  const owners = await grantsOf(
    context,
    rows.flatMap(([digest], i) => (added[i] ? [] : [digest])),
  );
  const undone: Cell[][] = [];
  const own = new Map<string, FoundGrant>();
  for (const entry of entries) {
    const { request, reservation, digests } = entry;
    let before: FoundGrant | undefined;
    let isNew = false;
    for (const [i, digest] of digests.entries()) {
      const owner = owners.get(digest) ?? own.get(digest);
      if (owner === undefined) {
        isNew = true;
        entry.pays.add(request.id);
        continue;
      }
      entry.pays.add(owner.id);
      if (owner.state === 'ended') entry.ended.add(owner.id);
      if (!owner.isTimed) entry.isEndless = true;
      if (owner.state === 'held') entry.isUnreported = true;
      const key = request.keys[i] as NonceKey;
      if (owner.reservation !== reservation) entry.result = { kind: 'spent', use: useOf(key, owner) };
      else if (owner.paidUntil !== undefined && owner.paidUntil <= request.now)
        entry.result = { kind: 'over', use: useOf(key, owner), paidUntil: owner.paidUntil };
      before = owner;
    }
    if (entry.result !== undefined) {
      // Of those that are in the table already nothing is this request's.
      for (const digest of digests)
        if (asked.get(digest) === request.id && !owners.has(digest)) undone.push([digest, request.id]);
      continue;
    }
    // Some of several payers' nonces may have been taken before: what is new makes a grant of its own.
    if (!isNew) entry.grant = before;
    else {
      const grant: FoundGrant = {
        id: request.id,
        reservation,
        state: 'held',
        since: request.now,
        paidUntil: undefined,
        isTimed: entry.payment.duration !== undefined,
      };
      if (!grant.isTimed) entry.isEndless = true;
      for (const digest of digests) if (!owners.has(digest)) own.set(digest, grant);
    }
  }
  if (undone.length > 0) await giveBack(context, undone);
}

function useOf(key: NonceKey, { id, reservation, since, state }: FoundGrant): NonceUse {
  return { ...key, grantId: id, reservation, since, state: state === 'released' ? 'held' : state };
}

/** By digest. Locked, so that they are not released meanwhile. */
async function grantsOf(
  { db, engine }: GrantContext,
  digests: readonly string[],
): Promise<Map<string, FoundGrant>> {
  const owners = new Map<string, FoundGrant>();
  if (digests.length === 0) return owners;
  const found = await sql<{
    digest: string;
    id: string;
    reservation: string;
    state: GrantState;
    granted_at: bigint;
    duration: bigint | null;
    paid_until: bigint | null;
  }>`
    select n.digest, g.id, g.reservation, g.state, g.granted_at, g.duration, g.paid_until
    from ${table(engine, column(digests))} join nonces n on n.digest = value ->> 0
    join grants g on g.id = n.grant_id order by g.id ${forUpdate(engine, 'g')}`.execute(db);
  for (const row of found.rows) {
    if (row.state === 'released') throw new TryAgain();
    owners.set(row.digest, {
      id: row.id,
      reservation: row.reservation,
      state: row.state,
      since: Number(row.granted_at),
      paidUntil: row.paid_until === null ? undefined : Number(row.paid_until),
      isTimed: row.duration !== null,
    });
  }
  // One was let go between the two statements: it can be taken now.
  if (owners.size < digests.length) throw new TryAgain();
  return owners;
}

/** Takes nonces from grants: rows of digest and grant. */
export async function giveBack(
  { db, engine }: Pick<GrantContext, 'db' | 'engine'>,
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  await sql`
    delete from nonces where (digest, grant_id) in
    (select value ->> 0, value ->> 1 from ${table(engine, rows)})`.execute(db);
}
