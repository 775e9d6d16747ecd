import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { toMillionths } from '../../payment/index.js';
import type { GrantRequest, GrantResult, NonceKey, NonceUse, Payment } from '../../payment/index.js';
import { insertNew, insertRows } from '../rows.js';
import type { Row } from '../rows.js';
import { forUpdate, table, TryAgain } from '../store.js';
import type { Cell, EngineName } from '../store.js';
import { nonceDigest } from './nonce.js';
import type { BooksSchema, GrantState } from './schema.js';
import { addTotals, spentOf, totalsOf } from './totals.js';
import type { TotalChange } from './totals.js';

/** What a batch of grants is written with. */
export interface GrantContext {
  readonly engine: EngineName;
  readonly db: Kysely<BooksSchema>;
  /** This PDP. */
  readonly instance: string;
  /** Credentials that are known to be written down, by digest. */
  readonly known: { has(digest: string): boolean; add(digest: string): void };
}

interface Entry {
  readonly request: GrantRequest;
  readonly payment: Payment;
  readonly reservation: string;
  result: GrantResult | undefined;
  /** The grant that has its nonces: its own, or the one before. */
  grant: FoundGrant | undefined;
  /** `nonceDigest` of each of its nonces. */
  readonly digests: readonly string[];
  /** Ids of the grants that have its nonces, once it is granted. */
  readonly pays: Set<string>;
  /** Ids of those among them that had ended. */
  readonly ended: Set<string>;
  /** Does one of them pay for no certain time? */
  isEndless: boolean;
  /** Has no PEP reported success of one of them? */
  isUnreported: boolean;
}

interface FoundGrant {
  readonly id: string;
  readonly reservation: string;
  state: GrantState;
  readonly since: number;
  readonly paidUntil: number | undefined;
  readonly isTimed: boolean;
}

/**
 * Writes down what was granted, in the order in which it was asked; one statement a table, whatever the number. A nonce is
 * taken by inserting it: of all who try, at any PDP, one does.
 */
export async function writeGrants(
  context: GrantContext,
  requests: readonly GrantRequest[],
): Promise<readonly GrantResult[]> {
  const results = new Map<GrantRequest, GrantResult>();
  for (const round of roundsOf(requests.map(entryOf))) {
    const written = await writeRound(context, round);
    round.forEach(({ request }, i) => results.set(request, written[i] as GrantResult));
  }
  return requests.map((request) => results.get(request) as GrantResult);
}

function entryOf(request: GrantRequest): Entry {
  const { payment } = request.verdict;
  if (payment === undefined) throw new TypeError('request.verdict: has no payment');
  const { reservation } = payment;
  return {
    request,
    payment,
    reservation,
    result: undefined,
    grant: undefined,
    digests: request.keys.map(nonceDigest),
    pays: new Set(),
    ended: new Set(),
    isEndless: false,
    isUnreported: false,
  };
}

/**
 * Whether a nonce of several is taken hangs on the others: who shares some of them with a request before, or all of them for
 * another reservation, is written once that one is decided. Nearly always there is one round.
 */
function roundsOf(entries: readonly Entry[]): Entry[][] {
  const rounds: Entry[][] = [];
  let rest = entries;
  while (rest.length > 0) {
    const wishes = new Map<string, string>();
    const now: Entry[] = [];
    const later: Entry[] = [];
    for (const entry of rest) {
      const { digests, reservation } = entry;
      const wish = digests.length === 1 ? '' : `${digests.join(' ')} ${reservation}`;
      const isNow = digests.every((digest) => (wishes.get(digest) ?? wish) === wish);
      (isNow ? now : later).push(entry);
      for (const digest of digests) wishes.set(digest, isNow ? wish : LATER);
    }
    rounds.push(now);
    rest = later;
  }
  return rounds;
}

/** Equal to no wish. */
const LATER = 'later';

async function writeRound(context: GrantContext, entries: readonly Entry[]): Promise<GrantResult[]> {
  await takeNonces(context, entries);
  const fresh = entries.filter(({ result, grant }) => result === undefined && grant === undefined);
  await insertGrants(context, await takeTotals(context, fresh));
  // Whoever joined a grant of this batch that the totals refused is refused with it.
  const refused = new Map(fresh.map(({ request, result }) => [request.id, result]));
  for (const entry of entries) for (const id of entry.pays) entry.result ??= refused.get(id);
  const held = entries.filter(({ result }) => result === undefined);
  await resume(context, held);
  await insertHolders(context, held);
  const until = await paidUntil(context, held);
  return entries.map((entry): GrantResult => {
    const { request, result, grant } = entry;
    return (
      result ?? {
        kind: 'granted',
        // Its own id: the answer to the commit before was lost.
        again: grant !== undefined && grant.id !== request.id,
        state: grant === undefined || entry.isUnreported ? 'held' : 'committed',
        paidUntil: until.get(entry),
      }
    );
  });
}

const NONCES = { table: 'nonces', columns: ['digest', 'grant_id'], keys: 1 };
const CREDENTIALS = { table: 'credentials', columns: ['digest', 'text'], conflict: 'ignore' } as const;
const GRANTS = {
  table: 'grants',
  columns: [
    ...[
      'id',
      'reservation',
      'session',
      'pep_id',
      'handle',
      'link_name',
      'amount',
      '#sum',
      'currency',
      'nonce',
    ],
    ...['payers', '#duration', 'attributes', 'checks', 'credentials', 'totalled', 'requesters', 'state'],
    ...['#granted_at', '#paid_until'],
  ],
};
const HOLDERS = {
  table: 'holders',
  columns: ['grant_id', 'holder', 'pep_id', 'handle', 'instance', '#since'],
  conflict: 'ignore',
} as const;

/** Afterwards each entry has a result that refuses it, the grant that has its nonces already, or neither: it is new. */
async function takeNonces(context: GrantContext, entries: readonly Entry[]): Promise<void> {
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

/** Adds to the totals, and judges again whoever hangs on them; returns those that are still granted. */
async function takeTotals(context: GrantContext, entries: readonly Entry[]): Promise<Entry[]> {
  if (entries.length === 0) return [];
  const changes = entries.map(({ request, payment }) => totalsOf(payment, request.keys));
  const sums = await addTotals(context, changes.flat());
  const granted: Entry[] = [];
  const undone: TotalChange[] = [];
  const nonces: Cell[][] = [];
  // What the database has now holds all of this batch: each sees what came before it.
  for (const change of changes.flat()) sums.add(change, -change.sum);
  entries.forEach((entry, i) => {
    const own = changes[i] ?? [];
    const { totalled, isExposureLimited } = entry.payment;
    if (totalled.length > 0 || isExposureLimited) {
      const verdict = entry.request.recheck(spentOf(sums, entry.payment, entry.request.keys));
      if (!verdict.granted) {
        entry.result = { kind: 'refused', verdict };
        undone.push(...own.map((change) => ({ ...change, sum: -change.sum })));
        nonces.push(...entry.digests.map((digest): Cell[] => [digest, entry.request.id]));
        return;
      }
    }
    for (const change of own) sums.add(change, change.sum);
    granted.push(entry);
  });
  if (undone.length > 0) await addTotals(context, undone);
  if (nonces.length > 0) await giveBack(context, nonces);
  return granted;
}

async function insertGrants(context: GrantContext, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const { db, engine, known } = context;
  const texts = new Map<string, string>();
  const until = await topUps(context, entries);
  const rows = entries.map(({ request, payment, reservation }, i): Cell[] => {
    const common = payment.credentials.filter((credential) => !payment.checks.includes(credential));
    const digests = common.map(({ digest, text }) => {
      if (!known.has(digest)) texts.set(digest, text);
      return digest;
    });
    return [
      request.id,
      reservation,
      payment.session,
      request.pepId,
      request.handle,
      request.linkName ?? null,
      payment.amount,
      toMillionths(payment.amount),
      payment.currency,
      payment.nonce,
      JSON.stringify(request.keys.map(({ payer }) => payer)),
      payment.duration ?? null,
      textOf(request.verdict.attributes),
      JSON.stringify([...new Set(payment.checks.map(({ text }) => text))]),
      JSON.stringify([...new Set(digests)]),
      JSON.stringify([...new Set(payment.totalled)]),
      JSON.stringify(payment.requesters),
      'held',
      request.now,
      until[i] ?? null,
    ];
  });
  if (texts.size > 0) {
    const sorted = [...texts.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    await insertRows(engine, db, CREDENTIALS, sorted);
    for (const digest of texts.keys()) known.add(digest);
  }
  await insertRows(engine, db, GRANTS, rows);
}

/** As JSON: half the time, and a fraction of the garbage, of making an object of them first. */
function textOf(attributes: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of attributes)
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  return `{${text}}`;
}

/** When the time that each pays for is over: a later check adds to what is left. */
async function topUps(
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

/** What had ended is asked for again within the time it was paid for. */
async function resume({ db, engine }: GrantContext, entries: readonly Entry[]): Promise<void> {
  const ended = entries.flatMap((entry) => [...entry.ended].map((id) => [id]));
  if (ended.length === 0) return;
  await sql`
    update grants set state = 'committed', ended_at = null,
      paid_until = case when duration is null then null else paid_until end
    where state = 'ended' and id in (select value ->> 0 from ${table(engine, ended)})`.execute(db);
}

async function insertHolders(
  { db, engine, instance }: GrantContext,
  entries: readonly Entry[],
): Promise<void> {
  const rows = entries.flatMap(({ request, pays }): Row[] => {
    const { holder, pepId, handle, now } = request;
    const own = ownHolder(instance, holder);
    return [...pays].map((grant) => [grant, own, pepId, handle, instance, now]);
  });
  await insertRows(engine, db, HOLDERS, rows);
}

/** A holder's name among those of all PDPs. */
export function ownHolder(instance: string, holder: string): string {
  return `${instance}/${holder}`;
}

/** By entry; those are not in it that have something without an end. */
async function paidUntil(
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

/** Each once, as the rows of a table with one column. */
export function column(values: Iterable<string>): Cell[][] {
  return [...new Set(values)].map((value) => [value]);
}
