import { sql } from 'kysely';
import type { Books, GrantRequest, GrantResult, Hold, RevocationRecord } from '../../payment/index.js';
import { countDue, readDue, recordDeposits, retryRefused } from '../books/deposits.js';
import type { DepositRecord, Due } from '../books/deposits.js';
import { ownHolder, writeGrants } from '../books/grant.js';
import type { GrantContext } from '../books/entry.js';
import { commitAll, endHolders, endUnheld, readPaidUntil } from '../books/hold.js';
import { countRevocations, readRevocations, writeRevocation } from '../books/revocations.js';
import { BOOKS_MIGRATIONS } from '../books/schema.js';
import type { BooksSchema } from '../books/schema.js';
import { StoreUnavailable } from '../store.js';
import type { Store } from '../store.js';
import { Batcher } from '../batcher.js';
import type { Timing } from '../batcher.js';
import { EVENT_LOOP } from './timing.js';
import { openStore } from './open.js';
import type { OpenOptions } from './open.js';

export interface BooksOptions extends OpenOptions {
  /** Names this run of this PDP among all: random. */
  readonly instance: string;
  /** For how long a reservation without a paid time may come back once nobody holds it, milliseconds. Default 5 min. */
  readonly resume?: number;
  /** How long the answer to a request may wait for the database, milliseconds. Default 10 s. */
  readonly timeout?: number;
  /** Operations in one transaction at most. Default 512. */
  readonly batch?: number;
  /** Default: the event loop's. */
  readonly timing?: Timing;
}

type Operation =
  | { readonly kind: 'grant'; readonly request: GrantRequest }
  | { readonly kind: 'commit'; readonly hold: Hold; readonly now: number }
  | { readonly kind: 'end'; readonly hold: Hold; readonly now: number }
  | { readonly kind: 'settle'; readonly now: number };
type Result = GrantResult | 'committed' | 'gone' | undefined;

const MINUTE = 60_000;
/** Digests of credentials that are known to be written down. */
const MOST_KNOWN = 10_000;

/** The books in a database: what is asked at the same time is written in one transaction. */
export class StoredBooks implements Books {
  readonly #batcher: Batcher<Operation, Result>;
  readonly #known = new Set<string>();
  readonly #resume: number;
  /** Holders of whom nobody knows whether they were written down: they were told no. */
  readonly #doubtful = new Set<Hold>();
  /** Another PDP has taken us for dead, and nobody was told yet. */
  #isMissed = false;

  static async open(place: string, options: BooksOptions): Promise<StoredBooks> {
    return new StoredBooks(await openStore<BooksSchema>(place, BOOKS_MIGRATIONS, options), options);
  }

  constructor(
    readonly store: Store<BooksSchema>,
    private readonly options: BooksOptions,
  ) {
    this.#resume = options.resume ?? 5 * MINUTE;
    this.#batcher = new Batcher({
      run: (operations) => this.#write(operations),
      most: options.batch ?? 512,
      concernsAll: (error) => error instanceof StoreUnavailable,
      patience: {
        timing: options.timing ?? EVENT_LOOP,
        timeout: options.timeout ?? 10_000,
        timedOut: () => new StoreUnavailable('the database did not answer in time'),
      },
    });
  }

  async grant(request: GrantRequest): Promise<GrantResult> {
    try {
      return (await this.#batcher.add({ kind: 'grant', request })) as GrantResult;
    } catch (error) {
      this.#doubt(request);
      throw error;
    }
  }

  async commit(hold: Hold, now: number): Promise<'committed' | 'gone'> {
    return (await this.#batcher.add({ kind: 'commit', hold, now })) as 'committed' | 'gone';
  }

  async end(hold: Hold, now: number): Promise<void> {
    await this.#batcher.add({ kind: 'end', hold, now });
  }

  paidUntil(hold: Hold): Promise<number | undefined> {
    return readPaidUntil(this.store, this.#own(hold));
  }

  /** Says that this PDP is alive; false, once, where another one took it for dead, and ended what it held. */
  async beat(now: number): Promise<boolean> {
    const { instance } = this.options;
    await this.store.transaction(async (db) => {
      const { numAffectedRows } =
        await sql`update instances set seen_at = ${now} where id = ${instance}`.execute(db);
      if (numAffectedRows === 1n) return;
      // Remembered here: of a commit whose answer is lost, the next try finds nothing amiss.
      this.#isMissed = true;
      await sql`insert into instances (id, seen_at) values (${instance}, ${now})`.execute(db);
    });
    const isMissed = this.#isMissed;
    this.#isMissed = false;
    return !isMissed;
  }

  /**
   * Ends what PDPs held that were not heard of since `deadline`: their PEPs had the time to come back. And what we were told
   * too late, or never, that we hold: every write does that, but there may be none.
   */
  async sweep(deadline: number, now: number): Promise<number> {
    if (this.#doubtful.size > 0) await this.#batcher.add({ kind: 'settle', now });
    return this.store.transaction(async (db) => {
      const context = { db, engine: this.store.engine };
      const { instance } = this.options;
      await sql`delete from instances where seen_at < ${deadline} and id <> ${instance}`.execute(db);
      // Also of one that was taken for dead before, wrote once more, and was gone before it could say that it lives.
      const { rows: held } = await sql<{ grant_id: string }>`
        delete from holders where instance <> ${instance} and instance not in (select id from instances)
        returning grant_id`.execute(db);
      await endUnheld(
        context,
        held.map(({ grant_id }) => grant_id),
        now,
        this.#resume,
      );
      return held.length;
    });
  }

  /** What is owed to us: see `readDue`. */
  due(limit: number): Promise<Due> {
    return readDue(this.store, limit);
  }

  /** False where the same statement was there before. */
  revoke(record: RevocationRecord): Promise<boolean> {
    return this.store.transaction((db) => writeRevocation({ db, engine: this.store.engine }, record));
  }

  revocations(): Promise<RevocationRecord[]> {
    return readRevocations(this.store);
  }

  countRevocations(): Promise<number> {
    return countRevocations(this.store);
  }

  countDue(): Promise<number> {
    return countDue(this.store);
  }

  /** What was refused is due again; returns how many there are. */
  retryRefused(): Promise<number> {
    return retryRefused(this.store);
  }

  recordDeposits(records: readonly DepositRecord[], now: number): Promise<void> {
    return this.store.transaction((db) => recordDeposits({ db, engine: this.store.engine }, records, now));
  }

  /** Writes what is waiting, and closes the database. */
  async close(): Promise<void> {
    await this.#batcher.drained();
    await this.store.close();
  }

  /** Commits, then ends, then grants: what is let go in this turn can be taken in it. */
  async #write(operations: readonly Operation[]): Promise<readonly Result[]> {
    const { engine } = this.store;
    if (this.#doubtful.size > 0) await this.#endDoubtful(Math.max(...operations.map(timeOf)));
    const results = new Map<Operation, Result>();
    const digests = new Set<string>();
    const known = {
      has: (digest: string): boolean => this.#known.has(digest),
      add: (digest: string): void => void digests.add(digest),
    };
    await this.store.transaction(async (db) => {
      // What an attempt before this one has written is undone.
      digests.clear();
      const context: GrantContext = { engine, db, instance: this.options.instance, known };
      const commits = operations.filter((one) => one.kind === 'commit');
      if (commits.length > 0) {
        const paid = await commitAll(
          context,
          commits.map(({ hold }) => this.#own(hold)),
          latest(commits),
        );
        for (const one of commits)
          results.set(one, paid.has(this.#own(one.hold).holder) ? 'committed' : 'gone');
      }
      const ends = operations.filter((one) => one.kind === 'end');
      const grants = operations.filter((one) => one.kind === 'grant');
      if (ends.length > 0)
        await endHolders(
          context,
          ends.map(({ hold }) => this.#own(hold)),
          latest(ends),
          this.#resume,
        );
      if (grants.length > 0) {
        const requests = grants.map(({ request }) => request);
        const granted = await writeGrants(context, requests);
        grants.forEach((one, i) => results.set(one, granted[i]));
        const left = requests.flatMap(({ leaving }, i) =>
          leaving === undefined || granted[i]?.kind !== 'granted' ? [] : [this.#own(leaving)],
        );
        if (left.length > 0)
          await endHolders(context, left, Math.max(...requests.map(({ now }) => now)), this.#resume);
      }
    });
    for (const digest of digests) this.#remember(digest);
    return operations.map((one) => results.get(one));
  }

  /** Among the holders of all PDPs. */
  #own(hold: Hold): Hold {
    return { ...hold, holder: ownHolder(this.options.instance, hold.holder) };
  }

  #doubt({ holder, verdict, keys }: GrantRequest): void {
    if (verdict.payment === undefined) return;
    const { reservation } = verdict.payment;
    this.#doubtful.add({ holder, reservation, keys });
  }

  /** In a transaction of its own: were it run again together with grants to the same holders, it would undo these. */
  async #endDoubtful(now: number): Promise<void> {
    const { engine } = this.store;
    const doubtful = [...this.#doubtful];
    const holds = doubtful.map((hold) => this.#own(hold));
    await this.store.transaction((db) => endHolders({ db, engine }, holds, now, this.#resume));
    for (const hold of doubtful) this.#doubtful.delete(hold);
  }

  #remember(digest: string): void {
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.add(digest);
  }
}

function latest(operations: readonly { readonly now: number }[]): number {
  return operations.reduce((most, { now }) => Math.max(most, now), 0);
}

function timeOf(operation: Operation): number {
  return operation.kind === 'grant' ? operation.request.now : operation.now;
}
