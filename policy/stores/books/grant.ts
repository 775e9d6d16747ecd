import { sql } from 'kysely';
import { toMillionths } from '../../payment/index.js';
import type { GrantRequest, GrantResult } from '../../payment/index.js';
import { insertRows } from '../rows.js';
import type { Row } from '../rows.js';
import { column, table } from '../store.js';
import type { Cell } from '../store.js';
import { entryOf, roundsOf } from './entry.js';
import type { Entry, GrantContext } from './entry.js';
import { giveBack, takeNonces } from './nonce.js';
import { paidUntil, topUps } from './paid-time.js';
import { addTotals, spentOf, totalsOf } from './totals.js';
import type { TotalChange } from './totals.js';

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
      JSON.stringify(Object.fromEntries(request.verdict.attributes)),
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

/** What had ended is asked for again within the time it was paid for. */
async function resume({ db, engine }: GrantContext, entries: readonly Entry[]): Promise<void> {
  const ended = column(entries.flatMap((entry) => [...entry.ended]));
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
