import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Labels are from our own words: no account, no nonce. */
export class ClearingMetrics {
  readonly registry = new Registry();
  readonly #answers: Counter;
  readonly #requests: Counter;
  readonly #seconds: Histogram;

  constructor(entries: () => Promise<number>) {
    const registers = [this.registry];
    this.#answers = new Counter({
      name: 'bandex_clearing_answers_total',
      help: 'Deposits and holds by answer',
      labelNames: ['of', 'answer'],
      registers,
    });
    this.#requests = new Counter({
      name: 'bandex_clearing_requests_total',
      help: 'HTTP requests by route and status',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'bandex_clearing_request_seconds',
      help: 'Time from the head of a request to its answer',
      labelNames: ['route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    });
    new Gauge({
      name: 'bandex_clearing_entries',
      help: 'Entries of the ledger',
      registers,
      async collect() {
        // The other numbers are wanted most when the database is away.
        this.set(await entries().catch(() => NaN));
      },
    });
    collectDefaultMetrics({ register: this.registry });
  }

  answered(of: 'deposit' | 'hold', answers: readonly { readonly answer: string }[]): void {
    for (const { answer } of answers) this.#answers.inc({ of, answer });
  }

  requested(route: string, status: number, seconds: number): void {
    this.#requests.inc({ route, status });
    this.#seconds.observe({ route }, seconds);
  }
}
