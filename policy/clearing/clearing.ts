import { Batcher } from '../stores/batcher.js';
import type { Store } from '../stores/store.js';
import { acceptDeposits, duplicateOf } from './accept.js';
import type { HandedIn } from './accept.js';
import { keyIdOf } from './accounts.js';
import type { Directory, KnownAccount } from './accounts.js';
import { audit } from './audit.js';
import type { AuditReport } from './audit.js';
import { contentDigest } from './deposit.js';
import type { Assertions, Claim, DepositAnswer, DepositRequest, Hold, HoldAnswer } from './deposit.js';
import { findKnown } from './desk.js';
import type { Named } from './desk.js';
import { Evidence } from './evidence.js';
import { placeHolds, releaseHold } from './holds.js';
import type { AskedHold } from './holds.js';
import type { DepositJudge, Judgement } from './judge.js';
import type { ClearingSchema } from './schema.js';
import { payBatch, settle } from './settlement.js';
import { statement } from './statement.js';
import type { Statement, StatementQuery } from './statement.js';
import { syncAccounts } from './sync.js';
import { scales, viewAccounts, viewBatch, viewBatches } from './views.js';
import type { AccountView, BatchView } from './views.js';

export interface ClearingOptions {
  readonly store: Store<ClearingSchema>;
  readonly judge: DepositJudge;
  /** Awaited between judgements, so that others have their turn. */
  readonly breathe?: () => Promise<void>;
}

const JUDGED_AT_ONCE = 16;
/** Deposits, or holds, of one transaction. */
const MOST_AT_ONCE = 1000;

export type Payment =
  { readonly answer: 'paid' | 'was-paid'; readonly batch: BatchView } | { readonly answer: 'unknown' };

/** The clearing and settlement centre: what it can be asked, whoever asks and by whatever way. `now`: milliseconds since 1970. */
export class ClearingCentre {
  readonly #store: Store<ClearingSchema>;
  readonly #judge: DepositJudge;
  readonly #deposits: Batcher<[HandedIn, number], DepositAnswer>;
  readonly #holds: Batcher<[AskedHold, number], HoldAnswer>;

  constructor(private readonly options: ClearingOptions) {
    const { store } = options;
    this.#store = store;
    this.#judge = options.judge;
    this.#deposits = new Batcher({
      run: (items) =>
        store.transaction((db) => acceptDeposits(store.engine, db, items.map(first), latest(items))),
      most: MOST_AT_ONCE,
    });
    this.#holds = new Batcher({
      run: (items) =>
        store.transaction((db) => placeHolds(store.engine, db, items.map(first), latest(items))),
      most: MOST_AT_ONCE,
    });
  }

  get directory(): Directory {
    return this.#judge.directory;
  }

  /** Tells the database of the accounts and currencies of the configuration; before anything else. */
  async start(now: number): Promise<void> {
    const { engine } = this.#store;
    const { currencies } = this.#judge.terms;
    await this.#store.transaction((db) => syncAccounts(engine, db, this.directory, currencies, now));
  }

  /** An answer for each deposit, in order; durable when it is given. Throws `StoreUnavailable`. */
  async deposit(isp: KnownAccount, request: DepositRequest, now: number): Promise<readonly DepositAnswer[]> {
    const evidence = this.#evidence(request.assertions);
    const handedIn = request.deposits.map((deposit): HandedIn => {
      let judgement: Judgement | undefined;
      return {
        ...this.#named(isp, deposit),
        deposit,
        judgement: () => (judgement ??= this.#judge.judge(isp, deposit, evidence, now)),
        texts: () => evidence.texts(deposit.credentials),
      };
    });
    // What is known already is not judged again: it may be too old by now, and its answer was lost.
    const known = await findKnown(this.#store.engine, this.#store.db, handedIn.filter(isStorable));
    const unknown = handedIn.filter((one) => duplicateOf(one, known) === undefined);
    await this.#inTurns(unknown, (one) => one.judgement());
    const answers = await this.#deposits.addAll(handedIn.filter(isStorable).map((one) => [one, now]));
    let at = 0;
    return handedIn.map(
      (one) => (isStorable(one) ? answers[at++] : undefined) ?? refused(one.id, one.judgement()),
    );
  }

  async hold(
    isp: KnownAccount,
    request: { readonly assertions: Assertions; readonly holds: readonly Hold[] },
    now: number,
  ): Promise<readonly HoldAnswer[]> {
    const evidence = this.#evidence(request.assertions);
    const { maxHold } = this.#judge.terms;
    const asked: AskedHold[] = [];
    await this.#inTurns(request.holds, (hold) => {
      const { expiresAt, ...claim } = hold;
      const expires = Date.parse(expiresAt);
      const isTime = expires > now && expires <= now + maxHold;
      const judgement = isTime
        ? this.#judge.judge(isp, claim, evidence, now)
        : {
            refused: `expiresAt \`${expiresAt.slice(0, 40)}\` is not a time within ${maxHold / 1000} seconds from now`,
          };
      asked.push({ ...this.#named(isp, claim), currency: hold.currency, expires, judgement });
    });
    const answers = await this.#holds.addAll(asked.filter(isStorable).map((one) => [one, now]));
    let at = 0;
    return asked.map(
      (one) => (isStorable(one) ? answers[at++] : undefined) ?? refused(one.id, one.judgement),
    );
  }

  release(isp: string, id: string): Promise<boolean> {
    return this.#store.transaction((db) => releaseHold(db, isp, id));
  }

  async settle(now: number): Promise<readonly BatchView[]> {
    const { engine, db } = this.#store;
    const batches = await this.#store.transaction((inside) => settle(engine, inside, now));
    const scaleOf = await scales(db);
    return batches.map((batch) => viewBatch(batch, scaleOf(batch.currency)));
  }

  async paid(batch: number, now: number): Promise<Payment> {
    const { engine, db } = this.#store;
    const paid = await this.#store.transaction((inside) => payBatch(engine, inside, BigInt(batch), now));
    if (paid.answer === 'unknown') return paid;
    return { ...paid, batch: viewBatch(paid.batch, (await scales(db))(paid.batch.currency)) };
  }

  accounts(now: number, only?: string): Promise<readonly AccountView[]> {
    return viewAccounts(this.#store.db, now, only);
  }

  settlements(of?: string): Promise<readonly BatchView[]> {
    return viewBatches(this.#store.db, of);
  }

  statement(query: StatementQuery): Promise<Statement | undefined> {
    return statement(this.#store.db, query);
  }

  /** `verify`: also asks the policy of now about every payment again. */
  audit(options: { readonly verify?: boolean } = {}): Promise<AuditReport> {
    return audit(this.#store, options.verify === true ? this.#judge : undefined, this.options.breathe);
  }

  /** How many entries the ledger has; throws where the database is away. */
  async entries(): Promise<number> {
    const { seq } = await this.#store.db.selectFrom('csc_head').select('seq').executeTakeFirstOrThrow();
    return Number(seq);
  }

  /** When everything that was submitted has its answer. */
  async idle(): Promise<void> {
    await Promise.all([this.#deposits.drained(), this.#holds.drained()]);
  }

  async close(): Promise<void> {
    await this.idle();
    await this.#store.close();
  }

  #evidence(assertions: Assertions): Evidence {
    return new Evidence(assertions, this.#judge.cache);
  }

  #named(isp: KnownAccount, claim: Claim): Named & { readonly content: string; readonly scale: number } {
    return {
      isp: isp.id,
      id: claim.id,
      nonce: claim.nonce,
      payers: [...new Set(claim.payers.flatMap((payer) => keyIdOf(payer) ?? []))],
      content: contentDigest(claim),
      scale: this.#judge.terms.currencies.get(claim.currency) ?? 0,
    };
  }

  async #inTurns<Item>(items: readonly Item[], work: (item: Item) => void): Promise<void> {
    for (const [i, item] of items.entries()) {
      if (i % JUDGED_AT_ONCE === JUDGED_AT_ONCE - 1) await this.options.breathe?.();
      work(item);
    }
  }
}

function first<Item>([item]: readonly [Item, number]): Item {
  return item;
}

/** A group is booked at the time of the last that came. */
function latest(items: readonly (readonly [unknown, number])[]): number {
  return items.reduce((last, [, now]) => Math.max(last, now), 0);
}

/** What goes into a statement to be looked for: no database takes a NUL. The judge refuses the others. */
function isStorable({ id, nonce }: Named): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(id + nonce);
}

function refused(id: string, judgement: Judgement): { id: string; answer: 'refused'; reason: string } {
  return { id, answer: 'refused', reason: judgement.refused ?? 'its name cannot be stored' };
}
