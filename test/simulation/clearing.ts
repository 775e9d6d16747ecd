import { CredentialCache, parsePrincipal } from '../../policy/keynote/index.js';
import { ClearingCentre, DEFAULT_TERMS, Directory, keyId } from '../../policy/clearing/index.js';
import type {
  ClearingSchema,
  Deposit,
  DepositAnswer,
  DepositJudge,
  KnownAccount,
} from '../../policy/clearing/index.js';
import { toMillionths } from '../../policy/payment/index.js';
import { BooksDeposits } from '../../policy/stores/books/deposit-source.js';
import type { StoredBooks } from '../../policy/stores/io/books.js';
import type { Store } from '../../policy/stores/store.js';
import { principal } from '../../policy/payment/test/world.js';
import { CURRENCY } from './checks.js';
import type { Model } from './model.js';
import type { Scheduler } from './scheduler.js';
import { TroubledStore } from './store.js';
import type { Owner, Troubles } from './store.js';

export const PAYERS = [principal('alice'), principal('mallory')] as const;

const ISP: KnownAccount = {
  ...{ id: 'nick', kind: 'isp', keys: [parsePrincipal(principal('nick'))], frozen: false },
  limit: new Map(),
};
const PROVIDER: KnownAccount = {
  ...{ id: 'martha', kind: 'provider', keys: [parsePrincipal(principal('martha'))], frozen: false },
  limit: new Map(),
};
const CHARGED = new Map(
  PAYERS.map((payer) => {
    const key = parsePrincipal(payer);
    const id = keyId(key);
    return [payer, { payer: id, principal: payer, name: key.fingerprint, account: id, provider: 'martha' }];
  }),
);

/** Stands in for KeyNote at the clearing centre: pays what it is asked for. The ledger is the real one. */
const JUDGE = {
  terms: { ...DEFAULT_TERMS, currencies: new Map([[CURRENCY, 6]]) },
  directory: new Directory([ISP, PROVIDER]),
  cache: new CredentialCache(),
  judge: (_isp: unknown, { payers, amount }: Deposit) => ({
    reason: 'pays',
    charges: payers.map((payer, i) => {
      const sum = BigInt(toMillionths(amount));
      const share = sum / BigInt(payers.length);
      return { ...CHARGED.get(payer), amount: i === 0 ? sum - share * BigInt(payers.length - 1) : share };
    }),
  }),
} as unknown as DepositJudge;

export async function prepareClearing(store: Store<ClearingSchema>): Promise<void> {
  await new ClearingCentre({ store, judge: JUDGE }).start(0);
}

/** The clearing centre, and the loop that hands in what the books say is due. */
export class SimulatedClearing {
  readonly #centre: ClearingCentre;
  isQuiet = false;
  readonly #lives = { csc: 0, depositor: 0 };

  constructor(
    private readonly scheduler: Scheduler,
    store: Store<ClearingSchema>,
    private readonly books: StoredBooks,
    private readonly model: Model,
    troubles: () => Troubles,
  ) {
    const owner = alwaysRunning(scheduler);
    const troubled = new TroubledStore(store, owner, troubles, () => Promise.resolve());
    this.#centre = new ClearingCentre({ store: troubled, judge: JUDGE });
    this.#loop();
  }

  /** What it has under way is lost; of a commit nobody hears. */
  crash(who: 'csc' | 'depositor'): void {
    this.#lives[who]++;
  }

  #loop(): void {
    this.scheduler.later(500, this.isQuiet ? 8000 : 4000, () => {
      void this.#round().catch(() => undefined);
      this.#loop();
    });
  }

  /** Hands in some of what is due: in any order, twice, or too late for the answer. */
  async #round(): Promise<void> {
    const { scheduler } = this;
    const life = this.#lives.depositor;
    const request = await new BooksDeposits(this.books).next(10);
    if (request.deposits.length === 0) return;
    const shuffled = { ...request, deposits: [...request.deposits].sort(() => scheduler.random() - 0.5) };
    const times = !this.isQuiet && scheduler.chance(0.15) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      await this.#travel();
      const csc = this.#lives.csc;
      const answers = await this.#centre.deposit(ISP, shuffled, scheduler.now);
      const lost = this.#lives.csc !== csc || (!this.isQuiet && scheduler.chance(0.15));
      this.#note(answers, shuffled.deposits);
      if (lost) continue;
      await this.#travel();
      if (this.#lives.depositor !== life) return;
      await this.#record(answers);
    }
  }

  async #record(answers: readonly DepositAnswer[]): Promise<void> {
    const records = answers.map(({ id, answer, reason }) => ({
      ...{ id, answer: reason, state: answer === 'duplicate' ? ('accepted' as const) : answer },
    }));
    await this.books.recordDeposits(records, this.scheduler.now);
    if (!this.isQuiet && this.scheduler.chance(0.1))
      await this.books.recordDeposits(records, this.scheduler.now);
  }

  #note(answers: readonly DepositAnswer[], deposits: readonly Deposit[]): void {
    answers.forEach(({ answer, reason }, i) => {
      const { nonce, reservation } = deposits[i] as Deposit;
      this.model.tell(this.scheduler.now, `deposit of ${nonce} for ${reservation}: ${answer}`);
      if (answer === 'accepted' || answer === 'duplicate')
        this.model.paid(nonce, reservation, answer === 'accepted');
      else this.model.broken(`the deposit of ${nonce} for ${reservation} is ${answer}: ${reason}`);
    });
  }

  #travel(): Promise<void> {
    return new Promise((resolve) => this.scheduler.later(1, 400, resolve));
  }
}

/** A process whose death is told otherwise: by its answers, which nobody hears. */
export function alwaysRunning(scheduler: Scheduler): Owner {
  return { scheduler, whenRunning: (run) => run(true) };
}
