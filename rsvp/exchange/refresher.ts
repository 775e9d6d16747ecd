import type { Advert } from './advert.js';
import { TimerHeap } from './heap.js';
import { IdTable } from './id-table.js';
import { Summary, summaryKey } from './summary.js';
import type { SummaryTarget } from './summary.js';
import { Told } from './told.js';

/** What a refresher has to know of the world around it. */
export interface RefreshRules {
  /** Where this is refreshed by number; undefined: it is refreshed by whole messages. */
  summaryOf(now: number, advert: Advert): SummaryTarget | undefined;
  /** How many identifiers one Srefresh takes. */
  capacityOf(target: SummaryTarget): number;
  /** One in how many refreshes is whole; 0: none. */
  wholeEvery(interfaceIndex: number): number;
  random(): number;
}

/** What has to be sent now. */
export type Due =
  | { readonly kind: 'whole'; readonly told: Told }
  | {
      readonly kind: 'summary';
      readonly target: SummaryTarget;
      readonly named: readonly Told[];
      /** Those whose turn it is to be sent whole, or that cannot be refreshed by number any more. */
      readonly whole: readonly Told[];
    };

/**
 * When each advert is told again. By whole messages: after R times a factor from 0.5 to 1.5 (RFC 2205 3.7). By number
 * (RFC 2961 5): each neighbour's state is a ring, in the order in which it was refreshed, and one Srefresh after the other
 * takes the oldest from it, as often as it takes to go round once in R. So there are no timers but one a neighbour, and no
 * bursts, however the state came about. That is no longer than whole messages would leave it: never more than 1.5 R.
 */
export class Refresher {
  #size = 0;
  readonly #byId = new IdTable<Told>();
  readonly #summaries = new Map<string, Summary>();
  readonly #heap = new TimerHeap<Told | Summary>();
  readonly #rules: RefreshRules;
  #origin = NaN;

  constructor(rules: RefreshRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#size;
  }

  byId(id: number): Told | undefined {
    return this.#byId.get(id);
  }

  /** The entry of an advert; it has no number and no timer yet. */
  enter(advert: Advert): Told {
    if (advert.told === undefined) {
      advert.told = new Told(advert);
      this.#size++;
    }
    return advert.told;
  }

  /** Its Message_Identifier from now on; 0: none. */
  number(told: Told, id: number): void {
    if (told.id !== 0) this.#byId.delete(told.id);
    told.id = id | 0;
    if (told.id !== 0) this.#byId.set(told.id, told);
  }

  forget(advert: Advert): Told | undefined {
    const { told } = advert;
    if (told === undefined) return undefined;
    advert.told = undefined;
    this.#size--;
    if (told.id !== 0) this.#byId.delete(told.id);
    this.#heap.delete(told);
    this.#leave(told);
    return told;
  }

  /** It was just sent whole: when and how it is refreshed next. */
  sent(now: number, told: Told): void {
    const { advert, id } = told;
    const target = id === 0 ? undefined : this.#rules.summaryOf(now, advert);
    const { summary } = told;
    if (target !== undefined && summary?.key === summaryKey(target, advert.refreshPeriod)) {
      summary.remove(told);
      summary.append(told, this.#since(now));
      told.rounds = 0;
      return;
    }
    this.#leave(told);
    if (target === undefined) this.#heap.set(told, now + advert.refreshPeriod * (0.5 + this.#rules.random()));
    else {
      this.#heap.delete(told);
      this.#join(now, told, target);
    }
  }

  next(): number | undefined {
    return this.#heap.next();
  }

  /** What is due by now; all that is to be sent whole has to be reported to `sent`. */
  take(now: number): Due | undefined {
    const due = this.#heap.pop(now);
    if (due === undefined) return undefined;
    if (due instanceof Summary) return this.#round(now, due);
    // It stays in force even if its message cannot be made.
    this.#heap.set(due, now + due.advert.refreshPeriod);
    return { kind: 'whole', told: due };
  }

  /** A small number, which costs V8 no box. */
  #since(now: number): number {
    if (Number.isNaN(this.#origin)) this.#origin = Math.floor(now);
    return Math.floor(now - this.#origin);
  }

  #join(now: number, told: Told, target: SummaryTarget): void {
    const { refreshPeriod } = told.advert;
    const key = summaryKey(target, refreshPeriod);
    let summary = this.#summaries.get(key);
    if (summary === undefined) {
      summary = new Summary(key, target, refreshPeriod);
      this.#summaries.set(key, summary);
    }
    summary.append(told, this.#since(now));
    // So that those who join at the same time are not sent whole at the same time.
    told.rounds = Math.floor(this.#rules.random() * this.#rules.wholeEvery(target.interface));
    this.#pace(now, summary);
  }

  #leave(told: Told): void {
    const { summary } = told;
    if (summary === undefined) return;
    summary.remove(told);
    if (summary.size > 0) return;
    this.#heap.delete(summary);
    this.#summaries.delete(summary.key);
  }

  /** A summary that has grown has to be quicker. */
  #pace(now: number, summary: Summary): void {
    if (summary.slot >= 0 && summary.size <= this.#rules.capacityOf(summary.target)) return;
    const due = now + this.#interval(summary);
    if (summary.slot < 0 || due < this.#heap.dueOf(summary)) this.#heap.set(summary, due);
  }

  #interval(summary: Summary): number {
    const share = Math.min(1, this.#rules.capacityOf(summary.target) / summary.size);
    return summary.refreshPeriod * share * (0.5 + this.#rules.random());
  }

  #round(now: number, summary: Summary): Due {
    const { target, refreshPeriod } = summary;
    const wholeEvery = this.#rules.wholeEvery(target.interface);
    const named: Told[] = [];
    const whole: Told[] = [];
    const most = Math.min(summary.size, this.#rules.capacityOf(target));
    for (let i = 0; i < most; i++) {
      const told = summary.first as Told;
      summary.remove(told);
      summary.append(told, this.#since(now));
      const goes = this.#rules.summaryOf(now, told.advert);
      const isStill = goes !== undefined && summaryKey(goes, told.advert.refreshPeriod) === summary.key;
      if (isStill && (wholeEvery === 0 || ++told.rounds < wholeEvery)) {
        told.isNamed = true;
        named.push(told);
      } else whole.push(told);
    }
    const oldest = this.#origin + (summary.first?.due ?? 0);
    this.#heap.set(summary, Math.min(now + this.#interval(summary), oldest + 1.5 * refreshPeriod));
    return { kind: 'summary', target, named, whole };
  }
}
