import { spawnSync } from 'node:child_process';
import { sql } from 'kysely';
import type { ClearingSchema } from '../../policy/clearing/index.js';
import { CLEARING_MIGRATIONS } from '../../policy/clearing/index.js';
import { BOOKS_MIGRATIONS } from '../../policy/stores/books/schema.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import { openStore } from '../../policy/stores/io/open.js';
import type { Attempt } from './routers.js';

interface GrantRow {
  readonly id: string;
  readonly nonce: string;
  readonly reservation: string;
  readonly state: string;
  readonly deposit: string | null;
}

export interface Places {
  readonly books: string;
  readonly clearing: string;
}

export interface Found {
  /** Nonces that are charged. */
  readonly charged: number;
  /** Of these, those that a router committed and still holds. */
  readonly committed: number;
  readonly entries: number;
  readonly problems: readonly string[];
}

/** How many payments have no answer of the clearing centre, and how many await a report. */
export async function outstanding(books: string): Promise<{ due: number; held: number }> {
  const store = await openStore<BooksSchema>(books, BOOKS_MIGRATIONS);
  const { rows } = await sql<{ due: bigint; held: bigint }>`
    select coalesce(sum(case when state in ('committed', 'ended') and deposit is null then 1 else 0 end), 0) as due,
      coalesce(sum(case when state = 'held' then 1 else 0 end), 0) as held from grants`.execute(store.db);
  await store.close();
  return { due: Number(rows[0]?.due ?? 0), held: Number(rows[0]?.held ?? 0) };
}

/** Compares what the routers know with what is in the databases. */
export async function verify(
  places: Places,
  attempts: readonly Attempt[],
  audit: readonly string[],
): Promise<Found> {
  const problems: string[] = [];
  const expect = (isTrue: boolean, text: string): void => {
    if (!isTrue) problems.push(text);
  };
  const books = await openStore<BooksSchema>(places.books, BOOKS_MIGRATIONS);
  const clearing = await openStore<ClearingSchema>(places.clearing, CLEARING_MIGRATIONS);
  const { rows: grants } =
    await sql<GrantRow>`select id, nonce, reservation, state, deposit from grants`.execute(books.db);
  const { rows: nonces } = await sql<{ grant_id: string }>`select grant_id from nonces`.execute(books.db);
  const { rows: totals } = await sql<{
    id: string;
    sum: bigint;
  }>`select id, sum from totals where kind = 'payer'`.execute(books.db);
  const { rows: charges } = await sql<{
    nonce: string;
    amount: bigint;
  }>`select nonce, amount from csc_charges`.execute(clearing.db);
  const { rows: sums } = await sql<{ currency: string; sum: bigint; entries: bigint }>`
    select currency, cast(sum(amount) as bigint) as sum, count(*) as entries from csc_entries group by currency`.execute(
    clearing.db,
  );
  await books.close();
  await clearing.close();

  const charged = new Map<string, GrantRow>();
  for (const grant of grants) {
    const { nonce, state, deposit, id } = grant;
    expect(state !== 'held', `grant ${id} of ${nonce} is still held`);
    if (state === 'released') continue;
    expect(
      !charged.has(nonce),
      `nonce ${nonce} was granted to ${charged.get(nonce)?.reservation} and ${grant.reservation}`,
    );
    charged.set(nonce, grant);
    expect(deposit === 'accepted', `the deposit of ${nonce} is ${deposit}`);
    expect(
      attempts.some((one) => one.nonce === nonce && one.wasReported && isOf(grant, one)),
      `${nonce} is charged for ${grant.reservation}, of which no router reported success`,
    );
  }
  const installed = attempts.filter((one) => one.isInstalled && !one.isGone);
  const holding = new Map<string, number>();
  let committed = 0;
  for (const { nonce, port, pep, handle, wasReported } of installed) {
    const other = holding.get(nonce);
    expect(other === undefined || other === port, `nonce ${nonce} pays for ports ${port} and ${other}`);
    holding.set(nonce, port);
    if (!wasReported) continue;
    committed++;
    const grant = charged.get(nonce);
    const isCharged = grant !== undefined && isOf(grant, { port });
    expect(
      isCharged,
      `${pep}/${handle} committed ${nonce} for port ${port}; charged: ${grant?.reservation ?? 'nothing'}`,
    );
  }
  const owners = new Set(grants.flatMap(({ id, state }) => (state === 'released' ? [] : [id])));
  for (const { grant_id } of nonces)
    expect(owners.has(grant_id), `the nonce of grant ${grant_id} is taken for nothing`);
  expect(nonces.length === charged.size, `${nonces.length} nonces are taken, ${charged.size} charged`);

  const paid = new Map<string, number>();
  for (const { nonce } of charges) paid.set(nonce, (paid.get(nonce) ?? 0) + 1);
  for (const [nonce, count] of paid) expect(count === 1, `${nonce} was paid ${count} times`);
  for (const nonce of charged.keys()) expect(paid.has(nonce), `${nonce} was never paid`);
  expect(paid.size === charged.size, `${paid.size} were paid, ${charged.size} charged`);
  for (const { id, sum } of totals) expect(sum === 0n, `${id} still owes ${sum}`);
  for (const { currency, sum } of sums) expect(sum === 0n, `the ledger sums to ${sum} ${currency}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, audit, { encoding: 'utf8' });
  expect(status === 0, `the audit says ${status}: ${stdout.slice(0, 1000)} ${stderr.slice(-500)}`);
  return { charged: charged.size, committed, entries: Number(sums[0]?.entries ?? 0), problems };
}

/** `192.0.2.7/17/5018 ...`: the session with its port. */
function isOf({ reservation }: Pick<GrantRow, 'reservation'>, { port }: Pick<Attempt, 'port'>): boolean {
  return reservation.split(' ')[0]?.endsWith(`/${port}`) === true;
}
