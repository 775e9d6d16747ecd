/** A map of bounded size: what was not asked for or set for the longest time goes first. */
export class Recent<Value> {
  readonly #entries = new Map<string, Value>();
  /**
   * Stands before the oldest entry: each that it comes to is deleted. A new iterator would pass by all that were deleted since
   * the map last grew, thousands for each entry in a flood.
   */
  readonly #oldest = this.#entries.keys();

  constructor(private readonly most: number) {
    if (!(most >= 1)) throw new RangeError('most: at least 1');
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.most) return;
    const { value: oldest } = this.#oldest.next();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  values(): IterableIterator<Value> {
    return this.#entries.values();
  }
}
