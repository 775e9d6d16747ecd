import { partyName } from '../../policy/payment/index.js';
import type { Quarantine, Quarantined } from '../../policy/payment/index.js';
import { QuarantineTable } from '../../policy/stores/books/quarantine.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import type { Store } from '../../policy/stores/store.js';

export interface SyncOptions {
  readonly now: () => number;
  /** What somebody else has changed. */
  readonly changed: (change: ReturnType<Quarantine['load']>) => void;
  readonly failed: (error: unknown) => void;
}

/** Between two looks at the table, milliseconds: when many fail at once, so that it is read for all of them. */
const PAUSE = 200;
const RETRY = 1000;
const PRUNE = 600_000;

/**
 * Keeps the quarantine and its table the same: what begins here is written, what others wrote is read. One thing at a time, and
 * never while somebody waits for it; what cannot be written is kept and tried again.
 */
export class QuarantineSync {
  readonly #table: QuarantineTable;
  readonly #pending = new Map<string, Quarantined>();
  readonly #unwatch: () => void;
  readonly #pruning: NodeJS.Timeout;
  #stamp = '';
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isAsked = false;
  #isClosed = false;

  /** Reads who is in quarantine already. */
  static async open(
    store: Store<BooksSchema>,
    quarantine: Quarantine,
    options: SyncOptions,
  ): Promise<QuarantineSync> {
    const sync = new QuarantineSync(store, quarantine, options);
    await sync.#prune();
    await sync.#read();
    return sync;
  }

  private constructor(
    store: Store<BooksSchema>,
    private readonly quarantine: Quarantine,
    private readonly options: SyncOptions,
  ) {
    this.#table = new QuarantineTable(store);
    this.#unwatch = store.watch(() => this.#ask(PAUSE));
    this.#pruning = setInterval(() => void this.#prune().catch(options.failed), PRUNE);
    this.#pruning.unref();
  }

  add(begun: readonly Quarantined[]): void {
    for (const one of begun) this.#pending.set(partyName(one), one);
    this.#ask(0);
  }

  /** Writes what is waiting, once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    clearInterval(this.#pruning);
    clearTimeout(this.#timer);
    await this.#running;
    try {
      await this.#table.put([...this.#pending.values()]);
    } catch (error) {
      this.options.failed(error);
    }
  }

  #ask(wait: number): void {
    this.#isAsked = true;
    if (this.#isClosed || this.#timer !== undefined || this.#running !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#run();
    }, wait);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    this.#isAsked = false;
    let wait = PAUSE;
    try {
      await this.#write();
      await this.#read();
    } catch (error) {
      this.options.failed(error);
      this.#isAsked = true;
      wait = RETRY;
    }
    this.#running = undefined;
    if (this.#isAsked) this.#ask(wait);
  }

  async #write(): Promise<void> {
    const batch = [...this.#pending.entries()];
    await this.#table.put(batch.map(([, one]) => one));
    for (const [name, one] of batch) if (this.#pending.get(name) === one) this.#pending.delete(name);
  }

  async #read(): Promise<void> {
    const stamp = await this.#table.stamp();
    if (stamp === this.#stamp) return;
    const rows = await this.#table.list();
    this.#stamp = stamp;
    const change = this.quarantine.load([...rows, ...this.#pending.values()], this.options.now());
    this.options.changed(change);
  }

  async #prune(): Promise<void> {
    await this.#table.prune(this.options.now());
  }
}
