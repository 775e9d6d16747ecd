const SLOTS = 12;

/**
 * How often something has happened within a time that ends now, in a fixed number of octets: the time is cut into slots, and a
 * slot is forgotten as a whole. So nothing within the time is ever missed, and what is up to a twelfth older may still count.
 */
export class SlidingCount {
  /** One more than the time has: the oldest is partly within it. */
  readonly #slots = new Uint32Array(SLOTS + 1);
  #newest = -Infinity;
  #total = 0;

  /** Counts one more at `now`; returns how many there were in the `within` milliseconds before. */
  add(now: number, within: number): number {
    // A clock that was set back does not take anything away.
    const slot = Math.max(Math.floor((now * SLOTS) / within), this.#newest);
    if (slot - this.#newest > SLOTS) {
      this.#slots.fill(0);
      this.#total = 0;
    } else for (let old = this.#newest + 1; old <= slot; old++) this.#empty(old);
    this.#newest = slot;
    const at = slot % this.#slots.length;
    this.#slots[at] = (this.#slots[at] ?? 0) + 1;
    return ++this.#total;
  }

  #empty(slot: number): void {
    const at = slot % this.#slots.length;
    this.#total -= this.#slots[at] ?? 0;
    this.#slots[at] = 0;
  }
}
