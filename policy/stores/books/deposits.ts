import { sql } from 'kysely';
import { table } from '../store.js';
import type { Cell } from '../store.js';
import type { BooksSchema, DepositState } from './schema.js';
import { addTotals } from './totals.js';
import type { GrantContext } from './entry.js';

type Context = Pick<GrantContext, 'db' | 'engine'>;
type Grant = BooksSchema['grants'];

/** A payment that is owed to us, with the credentials that prove it, by digest. */
export interface Due {
  readonly grants: readonly Grant[];
  readonly credentials: Readonly<Record<string, string>>;
}

/** Committed payments that no clearing centre has answered for, the oldest first. */
export async function readDue({ db, engine }: Context, limit: number): Promise<Due> {
  const { rows: grants } = await sql<Grant>`
    select * from grants where deposit is null and state in ('committed', 'ended')
    order by committed_at, id limit ${limit}`.execute(db);
  const digests = new Set(grants.flatMap(({ credentials }) => JSON.parse(credentials) as string[]));
  const { rows } = await sql<BooksSchema['credentials']>`
    select digest, text from credentials where digest in
    (select value ->> 0 from ${table(
      engine,
      [...digests].map((digest) => [digest]),
    )})`.execute(db);
  return { grants, credentials: Object.fromEntries(rows.map(({ digest, text }) => [digest, text])) };
}

export async function countDue({ db }: Pick<Context, 'db'>): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`
    select count(*) as count from grants where deposit is null and state in ('committed', 'ended')`.execute(
    db,
  );
  return Number(rows[0]?.count ?? 0);
}

export interface DepositRecord {
  readonly id: string;
  readonly state: DepositState;
  /** JSON. */
  readonly answer: string;
}

/** Writes answers down; an accepted payment is no exposure any more. A second answer for one changes nothing. */
export async function recordDeposits(
  context: Context,
  records: readonly DepositRecord[],
  now: number,
): Promise<void> {
  if (records.length === 0) return;
  const { db, engine } = context;
  const rows = [...records]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, state, answer }): Cell[] => [id, state, answer]);
  const { rows: accepted } = await sql<Pick<Grant, 'deposit' | 'payers' | 'sum' | 'currency'>>`
    update grants set deposit = value ->> 1, answer = value ->> 2, deposited_at = ${now}
    from ${table(engine, rows)} where grants.id = value ->> 0 and grants.deposit is null
    returning grants.deposit, grants.payers, grants.sum, grants.currency`.execute(db);
  await addTotals(
    context,
    accepted
      .filter(({ deposit }) => deposit === 'accepted')
      .flatMap(({ payers, sum, currency }) =>
        (JSON.parse(payers) as string[]).map((id) => ({ kind: 'payer' as const, id, currency, sum: -sum })),
      ),
  );
}

/** What was refused is due again: its cause may be gone. Returns how many there are. */
export async function retryRefused({ db }: Pick<Context, 'db'>): Promise<number> {
  const { numAffectedRows } =
    await sql`update grants set deposit = null, answer = null, deposited_at = null where deposit = 'refused'`.execute(
      db,
    );
  return Number(numAffectedRows ?? 0);
}
