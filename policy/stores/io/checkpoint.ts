import Database from 'better-sqlite3';
import { parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * How often the log is written back to the file while there is something in it, milliseconds. A commit that comes while the
 * disk flushes the file waits for that as well: little at a time, and often. Less often writes less, as a page that changes again
 * is written once, but 200 in place of 15 doubles the p99 of a grant.
 */
const EVERY = 15;
/** A process that commits less than this is left alone: it ends before the thread would pay. */
const MANY = 8;
/** Pages in the log from which on it is begun anew. */
const LONG = 8192;
/** Pages that the writer itself writes back for that, between two transactions. */
const FEW = 100;
/** Passes in a row at most: of one who writes faster than this the log does not end. */
const PASSES = 20;

/** What `PRAGMA wal_checkpoint` answers: pages in the log, and of these written back. */
interface Checkpoint {
  readonly log: number;
  readonly checkpointed: number;
}

/**
 * Writes SQLite's log back to the database file in a thread of its own, so that no commit has to wait for it: of the pages
 * that a checkpoint writes most are read from all over the file, and it ends with a flush. It is a PASSIVE one, which no
 * reader or writer waits for. But SQLite flushes the file, and begins the log anew, only after a checkpoint that has found
 * its end, which a single pass rarely does while others write. So it makes one pass after the other, each shorter than the one
 * before, until nothing was added meanwhile; and when the log is long, the writer writes the last few pages itself.
 */
export class Checkpointer {
  #worker: Worker | undefined;
  #commits = 0;
  #isBusy = false;
  #isToFinish = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly file: string,
    private readonly database: Database.Database,
  ) {
    this.#timer = setInterval(() => this.#tick(), EVERY);
    this.#timer.unref();
  }

  /** To be called between two transactions. */
  finish(): void {
    if (!this.#isToFinish) return;
    this.#isToFinish = false;
    this.database.pragma('wal_checkpoint(PASSIVE)');
  }

  committed(): void {
    this.#commits++;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#worker?.terminate();
  }

  #tick(): void {
    if (this.#isBusy || this.#commits < (this.#worker === undefined ? MANY : 1)) return;
    this.#commits = 0;
    this.#isBusy = true;
    this.#worker ??= this.#start();
    this.#worker.postMessage('checkpoint');
  }

  #start(): Worker {
    const worker = new Worker(new URL(import.meta.url), { workerData: { checkpoint: this.file } });
    worker.unref();
    worker.on('message', ({ log, checkpointed }: Checkpoint) => {
      this.#isBusy = false;
      this.#isToFinish = log >= LONG && log - checkpointed <= FEW;
    });
    // Without it SQLite's own checkpoints do: slower, and nothing is lost.
    worker.on('error', () => clearInterval(this.#timer));
    return worker;
  }
}

const ours = workerData as { readonly checkpoint?: string } | null;

if (parentPort !== null && ours?.checkpoint !== undefined) {
  const port = parentPort;
  const database = new Database(ours.checkpoint, { timeout: 5000 });
  database.pragma('synchronous = FULL');
  const pass = (): Checkpoint => (database.pragma('wal_checkpoint(PASSIVE)') as [Checkpoint])[0];
  port.on('message', () => {
    let last = pass();
    for (let i = 0; i < PASSES && last.log > 0; i++) {
      const next = pass();
      const isAtEnd = next.log === last.log;
      last = next;
      if (isAtEnd) break;
    }
    port.postMessage(last);
  });
}
