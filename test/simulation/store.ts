import type { Kysely } from 'kysely';
import { StoreUnavailable } from '../../policy/stores/store.js';
import type { Store } from '../../policy/stores/store.js';
import type { Scheduler } from './scheduler.js';

/** Whose transactions these are: a process that can be stopped, and killed at any instant. */
export interface Owner {
  readonly scheduler: Scheduler;
  /** Goes on with it when the process runs; `false`: it is dead, and this was under way when it died. */
  whenRunning(run: (isAlive: boolean) => void | Promise<void>): void | Promise<void>;
}

/** How often what goes wrong, of all transactions. */
export interface Troubles {
  /** Nothing has happened. */
  readonly before: number;
  /** It was done and undone. */
  readonly aborted: number;
  /** It was done, and nobody heard. */
  readonly unknown: number;
  /** It was done, nobody heard, and the store did it again, as its contract says. */
  readonly twice: number;
  /** It took seconds. */
  readonly slow: number;
}

export const NO_TROUBLES: Troubles = { before: 0, aborted: 0, unknown: 0, twice: 0, slow: 0 };

class Aborted extends Error {}

/** A database as one process sees it: transactions take their time, and fail in every way that the contract allows. */
export class TroubledStore<Schema> implements Store<Schema> {
  readonly engine = 'sqlite';
  readonly db: Kysely<Schema>;

  constructor(
    private readonly base: Store<Schema>,
    private readonly owner: Owner,
    private readonly troubles: () => Troubles,
    private readonly ran: () => Promise<void>,
  ) {
    this.db = base.db;
  }

  transaction<Result>(work: (db: Kysely<Schema>) => Promise<Result>): Promise<Result> {
    const { scheduler } = this.owner;
    const { slow } = this.troubles();
    return new Promise((resolve, reject) => {
      const [low, high] = scheduler.chance(slow) ? [1000, 9000] : [1, 60];
      scheduler.later(low, high, () =>
        this.owner.whenRunning(async (isAlive) => {
          // A commit that was on its way when the process died is done, or is not.
          if (!isAlive) {
            if (scheduler.chance(0.5)) await this.#run(work);
            return;
          }
          try {
            resolve(await this.#attempt(work));
          } catch (error) {
            reject(error);
          }
        }),
      );
    });
  }

  watch(): () => void {
    return () => undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #attempt<Result>(work: (db: Kysely<Schema>) => Promise<Result>): Promise<Result> {
    const { before, aborted, unknown, twice } = this.troubles();
    let chance = this.owner.scheduler.random();
    if ((chance -= before) < 0) throw new StoreUnavailable('the database was away');
    if ((chance -= aborted) < 0) {
      const undone = this.base.transaction(async (db) => {
        await work(db);
        throw new Aborted();
      });
      await undone.catch((error: unknown) => {
        if (!(error instanceof Aborted)) throw error;
      });
      throw new StoreUnavailable('the database went away before the commit');
    }
    const result = await this.#run(work);
    if ((chance -= unknown) < 0) throw new StoreUnavailable('the database went away during the commit');
    return (chance -= twice) < 0 ? this.#run(work) : result;
  }

  async #run<Result>(work: (db: Kysely<Schema>) => Promise<Result>): Promise<Result> {
    const result = await this.base.transaction(work);
    await this.ran();
    return result;
  }
}
