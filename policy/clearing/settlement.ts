import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { EngineName } from '../stores/store.js';
import { Journal } from './journal.js';
import { big, insert } from './rows.js';
import type { BatchRow, ClearingSchema } from './schema.js';

type Db = Kysely<ClearingSchema>;

interface Owed {
  readonly account: string;
  readonly provider: string;
  readonly isp: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly charges: bigint;
}

/**
 * Moves what users owe to those who settle for them, and states what each of these owes each ISP: a batch for each provider, ISP
 * and currency, of everything up to now. None where there is nothing new, so doing it twice does no harm.
 */
export async function settle(engine: EngineName, db: Db, now: number): Promise<BatchRow[]> {
  const journal = await Journal.open(engine, db, now);
  const { head } = journal;
  const after = head.settled;
  const through = head.seq;
  const { rows } =
    await sql<Owed>`select account, provider, isp, currency, cast(sum(amount) as bigint) as amount,
      count(*) as charges from csc_charges where seq > ${after} and seq <= ${through}
    group by provider, isp, currency, account order by provider, isp, currency, account`.execute(db);
  const batches: BatchRow[] = [];
  for (const row of rows) {
    const { account, provider, isp, currency } = row;
    const amount = big(row.amount);
    let batch = batches.at(-1);
    if (batch?.provider !== provider || batch.isp !== isp || batch.currency !== currency) {
      batch = {
        ...{ number: ++head.batches, provider, isp, currency, amount: 0n, charges: 0n },
        ...{ after_seq: after, through_seq: through, at: journal.at, paid_at: null },
      };
      batches.push(batch);
    }
    batch.amount += amount;
    batch.charges += big(row.charges);
    // A provider that paid by itself owes it already.
    if (account === provider) continue;
    const { number } = batch;
    const booking = { transaction: `S${number}`, kind: 'settlement', reference: number, digest: '' } as const;
    journal.transfer(booking, { from: provider, to: account, currency, amount });
    journal.addUnsettled(provider, currency, -amount);
  }
  if (batches.length === 0) return [];
  // The entries of this settlement are no charges: the next one begins behind them.
  head.settled = head.seq;
  await insert(engine, db, 'csc_batches', batches);
  await journal.close();
  return batches;
}

export type Paid =
  { readonly answer: 'paid' | 'was-paid'; readonly batch: BatchRow } | { readonly answer: 'unknown' };

/** Books that a provider has paid what a batch says. */
export async function payBatch(engine: EngineName, db: Db, number: bigint, now: number): Promise<Paid> {
  const journal = await Journal.open(engine, db, now);
  const { rows } = await sql<BatchRow>`select * from csc_batches where number = ${number}`.execute(db);
  const [batch] = rows;
  if (batch === undefined) return { answer: 'unknown' };
  if (batch.paid_at !== null) return { answer: 'was-paid', batch };
  const { provider, isp, currency, amount } = batch;
  const booking = { transaction: `P${number}`, kind: 'payment', reference: number, digest: '' } as const;
  journal.transfer(booking, { from: isp, to: provider, currency, amount });
  await sql`update csc_batches set paid_at = ${journal.at} where number = ${number}`.execute(db);
  await journal.close();
  return { answer: 'paid', batch: { ...batch, paid_at: journal.at } };
}
