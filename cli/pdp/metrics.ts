import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Where the numbers come from when somebody asks for them. */
export interface Gauges {
  readonly connections: () => number;
  readonly handles: () => number;
  readonly stateOctets: () => number;
  readonly cache: () => { readonly hits: number; readonly misses: number; readonly size: number };
}

export type Outcome = 'install' | 'remove' | 'error';

/** From 10 microseconds, a decision from the cache, to a second, which nobody should wait. */
const BUCKETS = [
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1,
];
/** Labels are from our own words, but there is an end to them. */
const MOST_CAUSES = 100;

/** Counts are plain numbers, handed over when the metrics are read: a decision pays for an addition. */
export class PdpMetrics {
  readonly registry = new Registry();
  readonly #decisions = new Map<string, { outcome: Outcome; reason: string; count: number }>();
  readonly #removed = new Map<string, number>();
  readonly #malformed = new Map<string, number>();
  readonly #seconds: Histogram;
  #reloads = { ok: 0, failed: 0 };

  constructor(gauges: Gauges) {
    const registers = [this.registry];
    this.#seconds = new Histogram({
      name: 'bandex_pdp_decision_seconds',
      help: 'Time from a request to its decision',
      buckets: BUCKETS,
      registers,
    });
    const decisions = this.#decisions;
    new Counter({
      name: 'bandex_pdp_decisions_total',
      help: 'Decisions by outcome (install, remove, error) and reason',
      labelNames: ['outcome', 'reason'],
      registers,
      collect() {
        this.reset();
        for (const { outcome, reason, count } of decisions.values()) this.inc({ outcome, reason }, count);
      },
    });
    const removed = this.#removed;
    new Counter({
      name: 'bandex_pdp_removed_total',
      help: 'Reservations that were taken back, by reason',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset();
        for (const [reason, count] of removed) this.inc({ reason }, count);
      },
    });
    const malformed = this.#malformed;
    new Counter({
      name: 'bandex_pdp_malformed_total',
      help: "Peers' mistakes by cause",
      labelNames: ['cause'],
      registers,
      collect() {
        this.reset();
        for (const [cause, count] of malformed) this.inc({ cause }, count);
      },
    });
    const reloads = (): typeof this.reloads => this.reloads;
    new Counter({
      name: 'bandex_pdp_reloads_total',
      help: 'Reloads of the configuration by result',
      labelNames: ['result'],
      registers,
      collect() {
        this.reset();
        for (const [result, count] of Object.entries(reloads())) this.inc({ result }, count);
      },
    });
    const gauge = (name: string, help: string, value: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    };
    gauge('bandex_pdp_connections', 'Connections of PEPs', gauges.connections);
    gauge('bandex_pdp_handles', 'Installed request states', gauges.handles);
    gauge('bandex_pdp_state_octets', 'Octets of request states', gauges.stateOctets);
    gauge(
      'bandex_pdp_cached_credentials',
      'Verified credentials that are remembered',
      () => gauges.cache().size,
    );
    new Counter({
      name: 'bandex_pdp_credential_cache_total',
      help: 'Credentials looked up, by result',
      labelNames: ['result'],
      registers,
      collect() {
        this.reset();
        const { hits, misses } = gauges.cache();
        this.inc({ result: 'hit' }, hits);
        this.inc({ result: 'miss' }, misses);
      },
    });
    collectDefaultMetrics({ register: this.registry });
  }

  get reloads(): { readonly ok: number; readonly failed: number } {
    return this.#reloads;
  }

  /** `reason` is one of a closed list. */
  decided(outcome: Outcome, reason: string, seconds: number): void {
    const key = `${outcome} ${reason}`;
    const entry = this.#decisions.get(key);
    if (entry === undefined) this.#decisions.set(key, { outcome, reason, count: 1 });
    else entry.count++;
    this.#seconds.observe(seconds);
  }

  /** `reason` is one of a closed list. */
  removed(reason: string): void {
    this.#removed.set(reason, (this.#removed.get(reason) ?? 0) + 1);
  }

  /** Numbers in the problem are left out: they are the peer's, and there would be no end to the causes. */
  malformed(problem: string): void {
    let cause = problem.replace(/`[^`]*`/g, '`...`').replace(/\d+/g, 'N');
    if (!this.#malformed.has(cause) && this.#malformed.size >= MOST_CAUSES) cause = 'other';
    this.#malformed.set(cause, (this.#malformed.get(cause) ?? 0) + 1);
  }

  reloaded(result: 'ok' | 'failed'): void {
    this.#reloads[result]++;
  }
}
