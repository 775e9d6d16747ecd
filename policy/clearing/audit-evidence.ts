import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { keyIdOf } from './accounts.js';
import type { Problems } from './audit.js';
import { chargeDigest } from './chain.js';
import { toMinor } from './currency.js';
import { contentDigest } from './deposit.js';
import type { Deposit } from './deposit.js';
import { Evidence, textProblem } from './evidence.js';
import type { DepositJudge } from './judge.js';
import type { ChargeRow, ClearingSchema, DepositRow } from './schema.js';
import { scales } from './views.js';

/** A charge, and what its entry says of it. */
type Charged = ChargeRow & { digest: string | null };

type Db = Kysely<ClearingSchema>;

const PAGE = 200;

/** Every text that was kept is the one that its digest names. */
export async function checkAssertions(
  db: Db,
  problems: Problems,
  breathe: () => Promise<void>,
): Promise<void> {
  for (let after = ''; ;) {
    const { rows } = await sql<{ digest: string; text: string }>`
      select * from csc_assertions where digest > ${after} order by digest limit ${PAGE}`.execute(db);
    for (const { digest, text } of rows) {
      const problem = textProblem(digest, text);
      if (problem !== undefined) problems.add({ what: 'assertion', text: `assertion ${digest} ${problem}` });
      after = digest;
    }
    await breathe();
    if (rows.length < PAGE) return;
  }
}

/** Every deposit is what was handed in, says what was booked, and still has its credentials. Returns how many there are. */
export async function checkDeposits(
  db: Db,
  problems: Problems,
  breathe: () => Promise<void>,
  judge: DepositJudge | undefined,
): Promise<number> {
  const scaleOf = await scales(db);
  let count = 0;
  for (let after = 0n; ;) {
    const { rows } = await sql<DepositRow>`
      select * from csc_deposits where number > ${after} order by number limit ${PAGE}`.execute(db);
    const through = rows.at(-1)?.number ?? after;
    const charges =
      await sql<Charged>`select c.*, e.digest from csc_charges c left join csc_entries e on e.seq = c.seq
      where c.deposit > ${after} and c.deposit <= ${through}`.execute(db);
    const digests = await textsOf(db, after, through, judge !== undefined);
    for (const row of rows) {
      count++;
      const add = (what: 'evidence' | 'charge' | 'not-granted', text: string): void =>
        problems.add({
          what,
          deposit: Number(row.number),
          entry: Number(row.first_seq),
          text: `deposit ${row.number} ${text}`,
        });
      const deposit = JSON.parse(row.evidence) as Deposit;
      const problem = evidenceProblem(row, deposit, scaleOf(row.currency));
      if (problem !== undefined) add('evidence', problem);
      const own = charges.rows.filter((charge) => charge.deposit === row.number);
      if (!isSpentBy(own, row, deposit)) add('charge', 'has not spent the nonces of its payers');
      for (const charge of own)
        if (charge.digest !== chargeDigest(row.content, charge))
          add(
            'charge',
            `is not what entry ${charge.seq} was booked for: its content, its payer or ${charge.provider}`,
          );
      const missing = deposit.credentials.filter((digest) => !digests.has(digest));
      for (const digest of missing) add('evidence', `has lost its credential ${digest}`);
      if (judge === undefined || missing.length > 0) continue;
      const evidence = new Evidence(Object.fromEntries(digests), judge.cache);
      const refused = judge.stillGranted(deposit, evidence);
      if (refused !== undefined) add('not-granted', `would not be granted now: ${refused}`);
    }
    after = through;
    await breathe();
    if (rows.length < PAGE) return count;
  }
}

function evidenceProblem(row: DepositRow, deposit: Deposit, scale: number): string | undefined {
  const content = contentDigest(deposit);
  if (content !== row.content)
    return `was changed: its digest is ${content}, it was booked with ${row.content}`;
  if (deposit.id !== row.id) return `is called \`${row.id}\`, its evidence \`${deposit.id}\``;
  if (deposit.currency !== row.currency || toMinor(deposit.amount, scale) !== row.amount)
    return `is booked as ${row.amount} ${row.currency}, its evidence says ${deposit.amount} ${deposit.currency}`;
  return undefined;
}

/** Nonces and deposits belong to each other one to one: a nonce of each payer, and no more. */
function isSpentBy(charges: readonly ChargeRow[], row: DepositRow, deposit: Deposit): boolean {
  const payers = deposit.payers.map(keyIdOf).sort();
  const charged = charges.map(({ payer }) => payer).sort();
  return (
    payers.length === charged.length &&
    payers.every((payer, i) => payer === charged[i]) &&
    charges.every(({ nonce, isp }) => nonce === deposit.nonce && isp === row.isp) &&
    charges.reduce((sum, { amount }) => sum + amount, 0n) === row.amount
  );
}

/** The credentials of some deposits; without their texts where these are not needed. */
async function textsOf(
  db: Db,
  after: bigint,
  through: bigint,
  whole: boolean,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ evidence: string }>`
    select evidence from csc_deposits where number > ${after} and number <= ${through}`.execute(db);
  const digests = [...new Set(rows.flatMap(({ evidence }) => (JSON.parse(evidence) as Deposit).credentials))];
  if (digests.length === 0) return new Map();
  const text = whole ? sql`text` : sql`''`;
  const found = await sql<{ digest: string; text: string }>`
    select digest, ${text} as text from csc_assertions where digest in (${sql.join(digests)})`.execute(db);
  return new Map(found.rows.map((row) => [row.digest, row.text]));
}
