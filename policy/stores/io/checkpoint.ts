import Database from 'better-sqlite3';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** How often the log is written back to the file while there is something in it, milliseconds. */
const EVERY = 250;
/** A process that commits less than this is left alone: it ends before the thread would pay. */
const MANY = 64;

/**
 * Writes SQLite's log back to the database file in a thread of its own, so that no commit has to wait for it: of the pages
 * that a checkpoint writes most are read from all over the file, and it ends with a flush. It is a PASSIVE one, which no
 * reader or writer waits for. Where it does not keep up, SQLite's own checkpoint comes at last, and finds little to do.
 */
export class Checkpointer {
  #worker: Worker | undefined;
  #commits = 0;
  #isBusy = false;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly file: string) {
    this.#timer = setInterval(() => this.#tick(), EVERY);
    this.#timer.unref();
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
    const worker = new Worker(new URL(import.meta.url), { workerData: this.file });
    worker.unref();
    worker.on('message', () => (this.#isBusy = false));
    // Without it SQLite's own checkpoints do: slower, and nothing is lost.
    worker.on('error', () => clearInterval(this.#timer));
    return worker;
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const database = new Database(workerData as string, { timeout: 5000 });
  database.pragma('synchronous = FULL');
  port.on('message', () => port.postMessage(database.pragma('wal_checkpoint(PASSIVE)')));
}
