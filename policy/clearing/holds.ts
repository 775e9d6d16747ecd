import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { EngineName } from '../stores/store.js';
import { checkCredit } from './credit.js';
import type { HoldAnswer } from './deposit.js';
import { Books, findKnown } from './desk.js';
import type { Known, Named } from './desk.js';
import type { Judgement } from './judge.js';
import { Journal } from './journal.js';
import { iso } from './plausible.js';
import { ClaimRefused } from './refuse.js';
import { insert } from './rows.js';
import type { ClearingSchema, HoldRow } from './schema.js';

/** A hold that is asked for. */
export interface AskedHold extends Named {
  readonly content: string;
  readonly currency: string;
  readonly scale: number;
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly judgement: Judgement;
}

/** Reserves credit for checks before they are deposited, inside one transaction. One answer each. */
export async function placeHolds(
  engine: EngineName,
  db: Kysely<ClearingSchema>,
  asked: readonly AskedHold[],
  now: number,
): Promise<HoldAnswer[]> {
  const journal = await Journal.open(engine, db, now);
  await sql`delete from csc_holds where expires <= ${journal.at}`.execute(db);
  const known = await findKnown(engine, db, asked);
  const accounts = asked.flatMap(({ isp, judgement }) => [
    isp,
    ...(judgement.refused === undefined ? judgement.charges : []).flatMap((one) => [
      one.account,
      one.provider,
    ]),
  ]);
  const books = await Books.load(engine, db, accounts, asked, journal.at);
  const placed: HoldRow[] = [];
  const answers = asked.map((one) => {
    try {
      return answer(one, known, books, placed);
    } catch (error) {
      if (!(error instanceof ClaimRefused)) throw error;
      return { id: one.id, answer: 'refused', reason: error.message } as const;
    }
  });
  await insert(engine, db, 'csc_holds', placed);
  return answers;
}

function answer(one: AskedHold, known: Known, books: Books, placed: HoldRow[]): HoldAnswer {
  const { id, isp, content, nonce, currency, scale, expires, judgement } = one;
  if (judgement.refused !== undefined) throw new ClaimRefused(judgement.refused);
  const { charges } = judgement;
  const [spent] = known.spent(one.payers, nonce);
  if (spent !== undefined)
    return {
      id,
      answer: 'double-spent',
      reason: `the nonce \`${nonce}\` was spent by deposit ${spent.number}`,
    };
  const mine = charges
    .flatMap(({ payer }) => books.hold(payer, nonce) ?? [])
    .filter((hold) => hold.isp === isp);
  const [first] = mine;
  if (first !== undefined) {
    if (mine.length !== charges.length || mine.some((hold) => hold.content !== content || hold.id !== id))
      throw new ClaimRefused(`the nonce \`${nonce}\` is held for \`${first.id}\` already`);
    return { id, answer: 'duplicate', reason: 'is held already', expiresAt: iso(first.expires) };
  }
  checkCredit(books, { isp, id, nonce, currency, scale, charges });
  for (const { payer, account, provider, amount } of charges) {
    const hold: HoldRow = {
      ...{ payer, nonce, isp, id, content, account, provider, currency, amount },
      expires: BigInt(expires),
    };
    books.addHold(hold);
    placed.push(hold);
  }
  return { id, answer: 'held', reason: judgement.reason, expiresAt: iso(expires) };
}

/** Frees what an ISP held under a name; false where there is nothing. */
export async function releaseHold(db: Kysely<ClearingSchema>, isp: string, id: string): Promise<boolean> {
  const { rows } = await sql`delete from csc_holds where isp = ${isp} and id = ${id} returning nonce`.execute(
    db,
  );
  return rows.length > 0;
}
