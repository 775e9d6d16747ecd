import type { Advert } from './advert.js';
import { TimerHeap } from './heap.js';
import type { Timed } from './heap.js';

/** What is known of an advert besides itself. There may be 100,000 of these: nothing is kept twice. */
export class Told implements Timed {
  due = 0;
  slot = -1;

  constructor(readonly advert: Advert) {}
}

/** When each advert is told again by a whole message: after R times a factor from 0.5 to 1.5 (RFC 2205 3.7). */
export class Refresher {
  readonly #told = new Map<Advert, Told>();
  readonly #heap = new TimerHeap<Told>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get size(): number {
    return this.#told.size;
  }

  /** It is being told now. */
  tell(now: number, advert: Advert): void {
    let told = this.#told.get(advert);
    if (told === undefined) {
      told = new Told(advert);
      this.#told.set(advert, told);
    }
    this.#schedule(now, told);
  }

  forget(advert: Advert): void {
    const told = this.#told.get(advert);
    if (told === undefined) return;
    this.#told.delete(advert);
    this.#heap.delete(told);
  }

  next(): number | undefined {
    return this.#heap.next();
  }

  /** One advert that has to be told by now; it is due again later. */
  take(now: number): Advert | undefined {
    const told = this.#heap.pop(now);
    if (told === undefined) return undefined;
    this.#schedule(now, told);
    return told.advert;
  }

  #schedule(now: number, told: Told): void {
    this.#heap.set(told, now + told.advert.refreshPeriod * (0.5 + this.#random()));
  }
}
