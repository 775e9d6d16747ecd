import { setTimeout as sleep } from 'node:timers/promises';
import { PepClient, RequestError } from '../../cops/io/index.js';
import { resv } from './town.js';

/** One reservation of a router's, and what it was told about it. */
export interface Attempt {
  readonly nonce: string;
  /** Tells reservations apart. */
  readonly port: number;
  readonly pep: string;
  readonly handle: string;
  isInstalled: boolean;
  /** It was reported that it is installed. */
  wasReported: boolean;
  /** Deleted by us, or by the PEP because no answer came. */
  isGone: boolean;
}

const PORTS = 60_000;

/** Nonces that are shown by several routers, for reservations of their own. */
class Customer {
  #nonces = 0;
  #ports = 0;
  readonly #recent: string[] = [];

  constructor(private readonly random: () => number) {}

  nonce(): string {
    if (this.#recent.length > 0 && this.random() < 0.3)
      return this.#recent[Math.floor(this.random() * this.#recent.length)] as string;
    const nonce = `n${++this.#nonces}`;
    this.#recent.push(nonce);
    if (this.#recent.length > 8) this.#recent.shift();
    return nonce;
  }

  port(): number {
    return 1024 + (++this.#ports % PORTS);
  }
}

/** Real PEPs that ask, report, delete and hold, as fast as they are answered; and the record of what they know. */
export class Routers {
  readonly attempts: Attempt[] = [];
  /** By PEP and handle. */
  readonly #known = new Map<string, Attempt>();
  readonly #peps: PepClient[];
  readonly #customer: Customer;
  #isWorking = true;
  readonly #workers: Promise<void>[];
  /** Requests without an answer. */
  unanswered = 0;

  constructor(
    pdps: readonly number[],
    private readonly random: () => number,
    count = 4,
  ) {
    this.#customer = new Customer(random);
    this.#peps = Array.from({ length: count }, (_, n) => this.#pep(n, pdps));
    this.#workers = this.#peps.flatMap((pep) => [this.#work(pep), this.#work(pep)]);
  }

  /** Nothing new is asked, nothing deleted. */
  async rest(): Promise<void> {
    this.#isWorking = false;
    await Promise.all(this.#workers);
  }

  /** All are connected, and no request is without an answer. */
  async settled(): Promise<void> {
    for (const pep of this.#peps) await pep.opened();
  }

  async close(): Promise<void> {
    await Promise.all(this.#peps.map((pep) => pep.close()));
  }

  /** What the PEPs say is installed now. */
  installed(): Attempt[] {
    return this.attempts.filter((attempt) => attempt.isInstalled && !attempt.isGone);
  }

  #pep(n: number, ports: readonly number[]): PepClient {
    const order = n % 2 === 0 ? ports : [...ports].reverse();
    const pep = new PepClient({
      pdps: order.map((port) => ({ host: '127.0.0.1', port })),
      pepId: `router-${n}`,
      limits: { retryLeast: 50, retryMost: 400, openTimeout: 2000, requestTimeout: 6000, cacheTime: 60_000 },
    });
    pep.on('decision', ({ handle, decisions }) => {
      const attempt = this.#known.get(nameOf(pep, handle));
      if (attempt !== undefined)
        attempt.isInstalled = decisions.every(({ command }) => command === 'install');
    });
    pep.on('failed', ({ handle, failure }) => {
      const attempt = this.#known.get(nameOf(pep, handle));
      if (attempt !== undefined && failure.kind !== 'error') attempt.isGone = true;
    });
    return pep;
  }

  async #work(pep: PepClient): Promise<void> {
    while (this.#isWorking) {
      await this.#ask(pep);
      await sleep(this.random() * 60);
    }
  }

  async #ask(pep: PepClient): Promise<void> {
    const { random } = this;
    const nonce = this.#customer.nonce();
    const port = this.#customer.port();
    try {
      const { handle, decisions } = await pep.request(resv(nonce, port));
      const isInstalled = decisions.every(({ command }) => command === 'install');
      const attempt: Attempt = {
        ...{ nonce, port, pep: pep.options.pepId, handle },
        ...{ isInstalled, wasReported: false, isGone: false },
      };
      this.attempts.push(attempt);
      this.#known.set(nameOf(pep, handle), attempt);
      if (!isInstalled) this.#delete(pep, attempt);
      else if (random() < 0.85) this.#report(pep, attempt);
      else if (random() < 0.5) {
        pep.report(handle, 'failure');
        this.#delete(pep, attempt);
      }
      if (isInstalled && random() < 0.9) void sleep(random() * 4000).then(() => this.#delete(pep, attempt));
    } catch (error) {
      // Trouble leaves a request without an answer; an error for an answer is a mistake of ours.
      if (!(error instanceof RequestError) || error.failure.kind === 'error') throw error;
      this.unanswered++;
    }
  }

  #report(pep: PepClient, attempt: Attempt): void {
    if (!attempt.isInstalled || attempt.isGone) return;
    attempt.wasReported = true;
    pep.report(attempt.handle, 'success');
  }

  #delete(pep: PepClient, attempt: Attempt): void {
    if (attempt.isGone || (!this.#isWorking && attempt.isInstalled)) return;
    attempt.isGone = true;
    pep.delete(attempt.handle);
  }
}

function nameOf({ options }: PepClient, handle: string): string {
  return `${options.pepId}/${handle}`;
}
