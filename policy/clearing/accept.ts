import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { table } from '../stores/store.js';
import type { EngineName } from '../stores/store.js';
import { chargeDigest } from './chain.js';
import { checkCredit } from './credit.js';
import type { Deposit, DepositAnswer, Receipt, Use } from './deposit.js';
import { Books, findKnown } from './desk.js';
import type { Known, Named } from './desk.js';
import type { Judgement } from './judge.js';
import { Journal } from './journal.js';
import { iso } from './plausible.js';
import { ClaimRefused } from './refuse.js';
import { insert } from './rows.js';
import type { AccountRow, ChargeRow, ClearingSchema, DepositRow } from './schema.js';

/** A deposit on its way into the ledger. */
export interface HandedIn extends Named {
  readonly deposit: Deposit;
  /** `contentDigest` */
  readonly content: string;
  /** Asked only where the ledger does not know it. The same answer every time. */
  readonly judgement: () => Judgement;
  readonly scale: number;
  /** Digest and text of its credentials. */
  readonly texts: () => Iterable<[string, string]>;
}

/**
 * Takes deposits into the ledger, in order, inside one transaction: the nonce, the deposit, its entries, the balances and the
 * holds that it ends, all of it or nothing. One answer each.
 */
export async function acceptDeposits(
  engine: EngineName,
  db: Kysely<ClearingSchema>,
  handedIn: readonly HandedIn[],
  now: number,
): Promise<DepositAnswer[]> {
  const journal = await Journal.open(engine, db, now);
  const known = await findKnown(engine, db, handedIn);
  const accounts = handedIn.flatMap((one) => [one.isp, ...accountsOf(one, known)]);
  const books = await Books.load(engine, db, accounts, handedIn, journal.at);
  const till = new Till(journal, known, books);
  const answers = handedIn.map((one) => till.answer(one));
  await till.write(engine, db);
  return answers;
}

function accountsOf(one: HandedIn, known: Known): string[] {
  if (duplicateOf(one, known) !== undefined) return [];
  const judgement = one.judgement();
  if (judgement.refused !== undefined) return [];
  return judgement.charges.flatMap(({ account, provider }) => [account, provider]);
}

/** The very same deposit, accepted before: under its own name, or under another. */
export function duplicateOf(one: Named & { readonly content: string }, known: Known): DepositRow | undefined {
  const isSame = (row: DepositRow | undefined): row is DepositRow =>
    row?.isp === one.isp && row.content === one.content;
  const named = known.named(one.isp, one.id);
  if (isSame(named)) return named;
  const spent = known.spent(one.payers, one.nonce);
  return spent.length === 1 && isSame(spent[0]) ? spent[0] : undefined;
}

class Till {
  readonly #deposits = new Map<string, DepositRow>();
  readonly #spent = new Map<string, DepositRow>();
  readonly #charges: ChargeRow[] = [];
  readonly #accounts = new Map<string, AccountRow>();
  readonly #assertions = new Map<string, string>();

  constructor(
    private readonly journal: Journal,
    private readonly before: Known,
    private readonly books: Books,
  ) {}

  answer(one: HandedIn): DepositAnswer {
    const { id, isp, payers, nonce } = one;
    const duplicate = duplicateOf(one, this.#known);
    if (duplicate !== undefined)
      return {
        id,
        answer: 'duplicate',
        reason: `was accepted as deposit ${duplicate.number} at ${iso(duplicate.at)}`,
        receipt: receiptOf(duplicate),
      };
    const judgement = one.judgement();
    if (judgement.refused !== undefined) return { id, answer: 'refused', reason: judgement.refused };
    const [first] = this.#known.spent(payers, nonce);
    if (first !== undefined) return doubleSpent(one, first);
    const named = this.#known.named(isp, id);
    if (named !== undefined)
      return { id, answer: 'refused', reason: `id \`${id}\` names another deposit, number ${named.number}` };
    try {
      const { charges } = judgement;
      checkCredit(this.books, { isp, id, nonce, currency: one.deposit.currency, scale: one.scale, charges });
      return { id, answer: 'accepted', reason: judgement.reason, receipt: this.#book(one, judgement) };
    } catch (error) {
      if (!(error instanceof ClaimRefused)) throw error;
      return { id, answer: 'refused', reason: error.message };
    }
  }

  async write(engine: EngineName, db: Kysely<ClearingSchema>): Promise<void> {
    if (this.#charges.length === 0) return;
    await insert(engine, db, 'csc_accounts', [...this.#accounts.values()], 'ignore');
    const texts = [...this.#assertions].map(([digest, text]) => ({ digest, text }));
    await insert(engine, db, 'csc_assertions', texts, 'ignore');
    await insert(engine, db, 'csc_deposits', [...this.#deposits.values()]);
    await insert(engine, db, 'csc_charges', this.#charges);
    const nonces = this.#charges.map(({ payer, nonce }) => [payer, nonce]);
    await sql`delete from csc_holds where (payer, nonce) in
      (select value ->> 0, value ->> 1 from ${table(engine, nonces)})`.execute(db);
    await this.journal.close();
  }

  get #known(): Known {
    return {
      named: (isp, id) => this.#deposits.get(`${isp} ${id}`) ?? this.before.named(isp, id),
      spent: (payers, nonce) => {
        const now = payers.flatMap((payer) => this.#spent.get(`${payer} ${nonce}`) ?? []);
        return [...new Set([...this.before.spent(payers, nonce), ...now])];
      },
    };
  }

  #book(one: HandedIn, { charges }: Extract<Judgement, { charges: unknown }>): Receipt {
    const { journal, books } = this;
    const { isp, id, nonce, deposit, content } = one;
    const { currency } = deposit;
    const number = ++journal.head.deposits;
    const booked = { transaction: `D${number}`, kind: 'deposit', reference: number } as const;
    const firstSeq = journal.head.seq + 1n;
    for (const { payer, principal, name, account, provider, amount } of charges) {
      const booking = { ...booked, digest: chargeDigest(content, { payer, provider }) };
      const [debit] = journal.transfer(booking, { from: account, to: isp, currency, amount });
      const hold = books.hold(payer, nonce);
      if (hold !== undefined) books.removeHold(hold);
      books.owe(account, currency, amount);
      books.owe(isp, currency, -amount);
      if (provider !== account) {
        books.owe(provider, currency, amount);
        journal.addUnsettled(provider, currency, amount);
      }
      const charge = {
        payer,
        nonce,
        deposit: number,
        account,
        provider,
        isp,
        currency,
        amount,
        seq: debit.seq,
      };
      this.#charges.push(charge);
      if (books.account(account) === undefined)
        this.#accounts.set(account, userAccount(account, name, principal));
    }
    const row: DepositRow = {
      ...{ number, isp, id, content, currency, evidence: JSON.stringify(deposit) },
      amount: charges.reduce((sum, { amount }) => sum + amount, 0n),
      at: journal.at,
      first_seq: firstSeq,
      last_seq: journal.head.seq,
      hash: journal.head.hash,
    };
    this.#deposits.set(`${isp} ${id}`, row);
    for (const { payer } of charges) this.#spent.set(`${payer} ${nonce}`, row);
    for (const [digest, text] of one.texts()) this.#assertions.set(digest, text);
    return receiptOf(row);
  }
}

function userAccount(id: string, name: string, principal: string): AccountRow {
  const keys = JSON.stringify([principal]);
  return { id, name, kind: 'user', keys, limits: '{}', frozen: 0n, configured: 0n };
}

function doubleSpent(one: HandedIn, row: DepositRow): DepositAnswer {
  const first = useOf(row);
  const second = useOf({ isp: one.isp, id: one.id, evidence: JSON.stringify(one.deposit) });
  return {
    id: one.id,
    answer: 'double-spent',
    reason: `the nonce \`${one.nonce}\` has paid ${first.isp} for ${first.reservation} on ${first.grantedAt} (deposit ${row.number})`,
    first: { ...first, receipt: receiptOf(row) },
    second,
  };
}

function useOf({ isp, id, evidence }: Pick<DepositRow, 'isp' | 'id' | 'evidence'>): Use {
  const { reservation, pepId, amount, currency, nonce, grantedAt } = JSON.parse(evidence) as Deposit;
  return { isp, id, reservation, pepId, amount, currency, nonce, grantedAt };
}

export function receiptOf(row: DepositRow): Receipt {
  const first = Number(row.first_seq);
  const count = Number(row.last_seq) - first + 1;
  return {
    deposit: Number(row.number),
    entries: Array.from({ length: count }, (_, i) => first + i),
    at: iso(row.at),
    hash: row.hash,
  };
}
