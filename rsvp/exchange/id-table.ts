/**
 * What a Message_Identifier (32 bits) stands for. Open addressing over flat arrays: some 20 octets an entry, where a `Map`
 * takes twice that, and there are as many entries as there is state.
 */
export class IdTable<T extends object> {
  #ids = new Int32Array(8);
  #values = emptyValues<T>(8);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    return this.#values[this.#find(id | 0)];
  }

  set(id: number, value: T): void {
    if (this.#size * 4 >= this.#ids.length * 3) this.#resize(this.#ids.length * 2);
    const at = this.#find(id | 0);
    if (this.#values[at] === undefined) this.#size++;
    this.#ids[at] = id;
    this.#values[at] = value;
  }

  delete(id: number): void {
    const mask = this.#ids.length - 1;
    let hole = this.#find(id | 0);
    if (this.#values[hole] === undefined) return;
    this.#size--;
    // What was pushed on past the hole moves back into it, so that no search ends there too soon.
    for (let at = (hole + 1) & mask; this.#values[at] !== undefined; at = (at + 1) & mask) {
      const home = this.#home(this.#ids[at] as number);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#ids[hole] = this.#ids[at] as number;
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    this.#values[hole] = undefined;
    if (this.#ids.length > 8 && this.#size * 8 < this.#ids.length) this.#resize(this.#ids.length / 2);
  }

  *values(): Generator<T> {
    for (const value of this.#values) if (value !== undefined) yield value;
  }

  /** Where this id is, or the free place where it would be. */
  #find(id: number): number {
    const mask = this.#ids.length - 1;
    let at = this.#home(id);
    while (this.#values[at] !== undefined && this.#ids[at] !== id) at = (at + 1) & mask;
    return at;
  }

  /** Identifiers that a peer chose to collide are no danger to one lookup: it ends after as many steps as there are ids of it. */
  #home(id: number): number {
    const mixed = Math.imul(id ^ (id >>> 16), 0x45d9f3b);
    return (mixed ^ (mixed >>> 15)) & (this.#ids.length - 1);
  }

  #resize(capacity: number): void {
    const ids = this.#ids;
    const values = this.#values;
    this.#ids = new Int32Array(capacity);
    this.#values = emptyValues<T>(capacity);
    for (const [i, value] of values.entries()) {
      if (value === undefined) continue;
      const at = this.#find(ids[i] as number);
      this.#ids[at] = ids[i] as number;
      this.#values[at] = value;
    }
  }
}

function emptyValues<T>(capacity: number): (T | undefined)[] {
  return new Array<T | undefined>(capacity).fill(undefined);
}
