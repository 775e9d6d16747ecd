/** Something that is due at a time; `TimerHeap` alone writes these. */
export interface Timed {
  /** Milliseconds since the heap's origin: small integers cost V8 no box. */
  due: number;
  /** Its place in the heap; -1: it is in none. */
  slot: number;
}

/** What is due, soonest first: a binary heap in which everything knows its place, so that it can be moved and taken out. */
export class TimerHeap<T extends Timed> {
  readonly #items: T[] = [];
  #origin: number | undefined;

  get size(): number {
    return this.#items.length;
  }

  /** The soonest time; undefined where nothing is due ever. */
  next(): number | undefined {
    const first = this.#items[0];
    return first === undefined ? undefined : first.due + (this.#origin ?? 0);
  }

  dueOf(item: T): number {
    return item.due + (this.#origin ?? 0);
  }

  /** Puts in what is not in yet and moves what is. Rounds up: nothing is due too soon. */
  set(item: T, due: number): void {
    // A whole number, so that adding it to a whole number is exact, and the time `next` says is late enough.
    this.#origin ??= Math.floor(due);
    item.due = Math.ceil(due - this.#origin);
    if (item.slot < 0) {
      item.slot = this.#items.length;
      this.#items.push(item);
    }
    this.#down(this.#up(item.slot));
  }

  delete(item: T): void {
    const { slot } = item;
    if (slot < 0) return;
    item.slot = -1;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#place(last, slot);
    this.#down(this.#up(slot));
  }

  /** Takes out what is due by `now`, one at a call. */
  pop(now: number): T | undefined {
    const first = this.#items[0];
    if (first === undefined || first.due + (this.#origin ?? 0) > now) return undefined;
    this.delete(first);
    return first;
  }

  #place(item: T, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
  }

  #up(slot: number): number {
    const item = this.#items[slot] as T;
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const parent = this.#items[above] as T;
      if (parent.due <= item.due) break;
      this.#place(parent, slot);
      slot = above;
    }
    this.#place(item, slot);
    return slot;
  }

  #down(slot: number): void {
    const item = this.#items[slot] as T;
    while (true) {
      let below = 2 * slot + 1;
      let child = this.#items[below];
      if (child === undefined) break;
      const right = this.#items[below + 1];
      if (right !== undefined && right.due < child.due) {
        child = right;
        below++;
      }
      if (child.due >= item.due) break;
      this.#place(child, slot);
      slot = below;
    }
    this.#place(item, slot);
  }
}
