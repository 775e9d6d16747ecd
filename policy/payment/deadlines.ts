/** What is due when, the earliest first: a binary heap. */
export class Deadlines<Item> {
  readonly #heap: { readonly at: number; readonly item: Item }[] = [];

  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  add(at: number, item: Item): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push({ at, item });
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent]?.at ?? 0) <= at) break;
      [heap[i], heap[parent]] = [heap[parent] as (typeof heap)[0], heap[i] as (typeof heap)[0]];
      i = parent;
    }
  }

  /** Takes the earliest, if it is due. */
  take(now: number): Item | undefined {
    const heap = this.#heap;
    const [first] = heap;
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first.item;
  }

  #sink(): void {
    const heap = this.#heap;
    const at = (i: number): number => heap[i]?.at ?? Infinity;
    for (let i = 0; ;) {
      const left = 2 * i + 1;
      const least = at(left + 1) < at(left) ? left + 1 : left;
      if (at(least) >= at(i)) return;
      [heap[i], heap[least]] = [heap[least] as (typeof heap)[0], heap[i] as (typeof heap)[0]];
      i = least;
    }
  }
}
