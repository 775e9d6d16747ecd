import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cashier } from '../../policy/payment/index.js';
import type { PaymentPolicy, Verdict } from '../../policy/payment/index.js';
import { StoredBooks } from '../../policy/stores/io/books.js';
import { uuidV7 } from '../../policy/io/uuid.js';
import { placeAt } from '../../policy/stores/io/open.js';
import type { Clock } from './clock.js';
import type { PaymentConfig } from './load.js';
import type { RevocationWatch } from './revoking.js';

/** How often we say that we are alive, and look for PDPs that are not, milliseconds. */
const BEAT = 2000;
const SWEEP = 10_000;
const LOOK = 500;
/** How long an end waits for what is still being written. */
const PATIENCE = 5000;

export interface TillOptions {
  readonly policy: PaymentPolicy;
  readonly clock: Clock;
  readonly removed: (holder: string, verdict: Verdict) => void;
  readonly failed: (error: unknown) => void;
  /** What is revoked, for the policy to ask. */
  readonly revocations: RevocationWatch;
}

/** Where the configuration keeps its books: as `openStore` takes it. */
export function databaseOf(config: Pick<PaymentConfig, 'path' | 'store'>): string {
  return placeAt(config.store.database, config.path);
}

/** For commands that look into the books beside the PDP. */
export async function withBooks<Result>(
  config: Pick<PaymentConfig, 'path' | 'store'>,
  work: (books: StoredBooks) => Promise<Result>,
): Promise<Result> {
  const books = await StoredBooks.open(databaseOf(config), { instance: 'cli', connections: 1 });
  try {
    return await work(books);
  } finally {
    await books.close();
  }
}

/** The cashier with its books, clock and timers. */
export class Till {
  readonly cashier: Cashier;
  readonly #timers: NodeJS.Timeout[] = [];
  #alarm: NodeJS.Timeout | undefined;
  readonly #unwatch: () => void;
  #changing = Promise.resolve();
  #isClosed = false;

  static async open(config: PaymentConfig, options: TillOptions): Promise<Till> {
    const { connections, timeout, resume } = config.store;
    const books = await StoredBooks.open(databaseOf(config), {
      instance: randomBytes(8).toString('hex'),
      connections,
      timeout,
      resume,
      failed: options.failed,
    });
    try {
      await patiently(() => options.revocations.check(books), options.failed);
      await books.beat(Date.now());
    } catch (error) {
      // An open database would keep the process alive that could not start.
      await books.close();
      throw error;
    }
    return new Till(books, config, options);
  }

  private constructor(
    readonly books: StoredBooks,
    config: PaymentConfig,
    private readonly options: TillOptions,
  ) {
    const { holdTimeout, deadAfter } = config.store;
    this.cashier = new Cashier({
      policy: options.policy,
      books,
      newId: () => uuidV7(Date.now()),
      holdTimeout,
      removed: options.removed,
      sleep: (milliseconds) => sleep(milliseconds, undefined, { ref: false }),
      failed: options.failed,
    });
    this.#every(BEAT, () => this.#beat());
    this.#every(SWEEP, async () => {
      await books.sweep(Date.now() - deadAfter, options.clock());
    });
    this.#unwatch = books.store.watch(() => void this.changed());
    this.#arm();
  }

  /** Something in the database has changed, or what we make of it: what was revoked since takes its reservations along. */
  async changed(): Promise<void> {
    const { revocations, clock, failed } = this.options;
    this.#changing = this.#changing.then(async () => {
      try {
        if (!this.#isClosed && (await revocations.check(this.books)))
          await this.cashier.reevaluate(clock(), ({ verdict }) =>
            verdict.payment.credentials.some((credential) => revocations.why(credential) !== undefined),
          );
      } catch (error) {
        failed(error);
      }
    });
    await this.#changing;
  }

  /** What is held stays in the books, whatever becomes of our connections: PEPs bring it to the next PDP. */
  freeze(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#alarm);
    this.#unwatch();
    this.cashier.freeze();
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.freeze();
    await this.#changing;
    await this.cashier.written(PATIENCE);
    await this.books.close();
  }

  async #beat(): Promise<void> {
    if (await this.books.beat(Date.now())) return;
    // Another PDP took us for dead: we were stopped for too long, or cut off from the database.
    await this.cashier.renew(this.options.clock());
  }

  #every(milliseconds: number, run: () => Promise<void>): void {
    let isRunning = false;
    const timer = setInterval(() => {
      if (isRunning) return;
      isRunning = true;
      run()
        .catch(this.options.failed)
        .finally(() => {
          isRunning = false;
        });
    }, milliseconds);
    timer.unref();
    this.#timers.push(timer);
  }

  /** The cashier's deadlines; looked at now and then as well, for those that were set meanwhile. */
  #arm(): void {
    this.#alarm = setTimeout(() => void this.#ring(), Math.min(this.#wait(), LOOK));
    this.#alarm.unref();
  }

  #wait(): number {
    try {
      const now = this.options.clock();
      return Math.max(0, (this.cashier.nextTimeout(now) ?? Infinity) - now);
    } catch (error) {
      this.options.failed(error);
      return LOOK;
    }
  }

  async #ring(): Promise<void> {
    try {
      await this.cashier.handleTimeout(this.options.clock());
    } catch (error) {
      this.options.failed(error);
    }
    if (!this.#isClosed) this.#arm();
  }
}

/** A statement that stands alone is not tried again by the store: a connection lost just now is no reason not to start. */
export async function patiently(
  work: () => Promise<unknown>,
  failed: (error: unknown) => void,
): Promise<void> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      failed(error);
    }
    await sleep(LOOK);
  }
}
