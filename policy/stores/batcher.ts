/** When things happen: the event loop (`io/timing.ts`), or whoever plays it. */
export interface Timing {
  /** Runs once those who ask at the same time have asked. */
  readonly defer: (run: () => void) => void;
  /** Runs after so many milliseconds; returns how to cancel. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
}

export interface BatcherOptions<Item, Result> {
  /** Does all of them; one result each, in their order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Items in one batch at most. */
  readonly most: number;
  /**
   * Does an error say nothing about single items? Otherwise they are done one by one, to spare the others. Left out, it
   * always concerns all.
   */
  readonly concernsAll?: (error: unknown) => boolean;
  /**
   * How long an item waits for its result before whoever asked is told that there is none, milliseconds. It is not begun
   * then; where it was, it may yet be done.
   */
  readonly patience?: {
    readonly timing: Timing;
    readonly timeout: number;
    readonly timedOut: () => Error;
  };
}

/**
 * Group commit: what is asked while a batch is under way goes into the next one, so that many answers share one flush of
 * the disk. A transaction costs what its flush costs, however much is in it.
 */
export class Batcher<Item, Result> {
  #waiting: Waiting<Item, Result>[] = [];
  #isRunning = false;
  #isScheduled = false;
  #idle: (() => void)[] = [];

  constructor(private readonly options: BatcherOptions<Item, Result>) {}

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { patience } = this.options;
      const entry: Waiting<Item, Result> = { item, resolve, reject, isLate: false };
      entry.cancel = patience?.timing.after(patience.timeout, () => {
        entry.isLate = true;
        reject(patience.timedOut());
      });
      this.#waiting.push(entry);
      this.#schedule();
    });
  }

  /** A result each, in their order. They may be done in several batches: if one fails, others may have been done. */
  addAll(items: readonly Item[]): Promise<Result[]> {
    return Promise.all(items.map((item) => this.add(item)));
  }

  /** Resolves when nothing is waiting. */
  drained(): Promise<void> {
    if (!this.#isRunning && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#isRunning || this.#isScheduled) return;
    this.#isScheduled = true;
    const defer = this.options.patience?.timing.defer ?? queueMicrotask;
    defer(() => {
      this.#isScheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const batch = this.#waiting.splice(0, this.options.most).filter(({ isLate }) => !isLate);
    if (batch.length > 0) await this.#runBatch(batch);
    this.#isRunning = false;
    if (this.#waiting.length > 0) this.#schedule();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const { run, concernsAll } = this.options;
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach((entry, i) => {
        entry.cancel?.();
        entry.resolve(results[i] as Result);
      });
    } catch (error) {
      if (batch.length > 1 && concernsAll?.(error) === false) {
        // Who was told meanwhile that there is no answer is not begun.
        for (const entry of batch) if (!entry.isLate) await this.#runBatch([entry]);
        return;
      }
      for (const entry of batch) {
        entry.cancel?.();
        entry.reject(error as Error);
      }
    }
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  cancel?: (() => void) | undefined;
  isLate: boolean;
}
