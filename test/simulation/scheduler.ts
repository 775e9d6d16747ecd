/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Step {
  readonly at: number;
  readonly order: number;
  readonly run: () => unknown;
}

const MOST_STEPS = 20_000;

/**
 * Virtual time. Everything that happens is a step at a time that the seed has chosen; between two steps whatever has become
 * possible in promises runs to its end, so the seed alone says what happens before what.
 */
export class Scheduler {
  now = 0;
  readonly random: () => number;
  readonly #steps: Step[] = [];
  #count = 0;
  #ran = 0;

  constructor(readonly seed: number) {
    this.random = seeded(seed);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** From `low` up to `high`. */
  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  pick<Item>(all: readonly Item[]): Item {
    return all[Math.floor(this.random() * all.length)] as Item;
  }

  at(time: number, run: Step['run']): void {
    const steps = this.#steps;
    const step = { at: Math.max(Math.ceil(time), this.now), order: this.#count++, run };
    let child = steps.push(step) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!isEarlier(step, steps[parent] as Step)) break;
      steps[child] = steps[parent] as Step;
      child = parent;
    }
    steps[child] = step;
  }

  later(low: number, high: number, run: Step['run']): void {
    this.at(this.now + this.between(low, high), run);
  }

  /** Takes all steps up to a time. */
  async runUntil(end: number, between: () => void): Promise<void> {
    for (let next = this.#steps[0]; next !== undefined && next.at <= end; next = this.#steps[0]) {
      this.#take(next);
      const running = next.run();
      if (running instanceof Promise) await running;
      await quiet();
      between();
    }
    this.now = end;
  }

  /** The same where no step waits for anything. */
  run(end: number): void {
    for (let next = this.#steps[0]; next !== undefined && next.at <= end; next = this.#steps[0]) {
      this.#take(next);
      next.run();
    }
    this.now = end;
  }

  #take(next: Step): void {
    if (++this.#ran > MOST_STEPS)
      throw new Error(`${MOST_STEPS} steps by ${this.now} ms: nothing comes to rest`);
    this.#removeFirst();
    this.now = next.at;
  }

  #removeFirst(): void {
    const steps = this.#steps;
    const last = steps.pop() as Step;
    if (steps.length === 0) return;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= steps.length) break;
      if (child + 1 < steps.length && isEarlier(steps[child + 1] as Step, steps[child] as Step)) child++;
      if (!isEarlier(steps[child] as Step, last)) break;
      steps[parent] = steps[child] as Step;
      parent = child;
    }
    steps[parent] = last;
  }
}

function isEarlier(a: Step, b: Step): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** All promises that can go on have gone on. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
