import { TimerHeap } from './heap.js';
import type { Timed } from './heap.js';
import { IdTable } from './id-table.js';
import type { Retransmission } from './options.js';
import type { Outgoing } from './outgoing.js';
import type { Told } from './told.js';

/** A message that was sent and not yet acknowledged. */
export class Pending implements Timed {
  due = 0;
  slot = -1;
  /** Rn and Rk (RFC 2961 6.3). */
  count = 1;
  interval: number;

  constructor(
    /** Message_Identifier. */
    readonly id: number,
    /** State, whose message is made anew, or a message that is sent once. */
    readonly what: Told | Outgoing,
    readonly parameters: Retransmission,
  ) {
    this.interval = parameters.interval;
  }
}

/** Sends again what was not acknowledged, at intervals that grow (RFC 2961 6). */
export class Retransmitter {
  readonly #heap = new TimerHeap<Pending>();
  readonly #pending = new IdTable<Pending>();

  get size(): number {
    return this.#pending.size;
  }

  get(id: number): Pending | undefined {
    return this.#pending.get(id);
  }

  values(): Iterable<Pending> {
    return this.#pending.values();
  }

  /** It is being sent for the first time. */
  add(now: number, pending: Pending): void {
    this.cancel(pending.id);
    this.#pending.set(pending.id, pending);
    this.#heap.set(pending, now + pending.interval);
  }

  /** Acknowledged, or overtaken by something newer. */
  cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#heap.delete(pending);
  }

  next(): number | undefined {
    return this.#heap.next();
  }

  /** What is to be sent again, or was sent Rl times in vain (`isOver`) and is given up. */
  take(now: number): { readonly pending: Pending; readonly isOver: boolean } | undefined {
    const pending = this.#heap.pop(now);
    if (pending === undefined) return undefined;
    const { limit, delta } = pending.parameters;
    if (pending.count >= limit) {
      this.#pending.delete(pending.id);
      return { pending, isOver: true };
    }
    pending.count++;
    pending.interval *= 1 + delta;
    this.#heap.set(pending, now + pending.interval);
    return { pending, isOver: false };
  }
}
