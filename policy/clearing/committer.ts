/**
 * Group commit: what comes while a transaction is under way waits, and goes into the next one together. A transaction costs what
 * its flush to disk costs, however much is in it.
 */
export class Committer<Item, Answer> {
  #waiting: Waiting<Item, Answer>[] = [];
  #running: Promise<void> | undefined;

  constructor(
    private readonly commit: (items: readonly Item[]) => Promise<readonly Answer[]>,
    /** Items of one transaction; a single request may have more. */
    private readonly most = 1000,
  ) {}

  /** One answer an item, once all of them are durable. Rejects with what `commit` rejects with: nothing was done then. */
  submit(items: readonly Item[]): Promise<readonly Answer[]> {
    if (items.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Those who come in the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#take();
      try {
        const answers = await this.commit(group.flatMap(({ items }) => items));
        let at = 0;
        for (const { items, resolve } of group) resolve(answers.slice(at, (at += items.length)));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = undefined;
  }

  #take(): Waiting<Item, Answer>[] {
    let count = 0;
    let size = 0;
    for (const { items } of this.#waiting) {
      if (count > 0 && size + items.length > this.most) break;
      size += items.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}

interface Waiting<Item, Answer> {
  readonly items: readonly Item[];
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: unknown) => void;
}
