import type { Refreshed } from './advert.js';
import type { Neighbour } from './neighbour.js';

/** A neighbour's Message_Identifier and the state that it refreshes. */
export class Bound {
  /** Another state that came in the same message: a Resv of style FF describes several. */
  next: Bound | undefined;

  constructor(
    readonly neighbour: Neighbour,
    readonly id: number,
    readonly state: Refreshed,
  ) {}
}

/** How a message with a MESSAGE_ID relates to the one that its state came from (RFC 2961 4.5). */
export type MessageOrder =
  /** Something new: to be processed fully. */
  | 'trigger'
  /** Nothing new. */
  | 'refresh'
  /** Overtaken by a later one: to be ignored. */
  | 'stale';

/** Received state, found by the number that its sender gave it, and the other way round. */
export class Bindings {
  readonly #byState = new Map<Refreshed, Bound>();

  get size(): number {
    return this.#byState.size;
  }

  /** From now on this state is refreshed by this number, and by no earlier one. */
  bind(neighbour: Neighbour, id: number, state: Refreshed): void {
    const earlier = this.#byState.get(state);
    if (earlier?.neighbour === neighbour && earlier.id === (id | 0)) return;
    if (earlier !== undefined) this.#unlink(earlier);
    const bound = new Bound(neighbour, id | 0, state);
    bound.next = neighbour.bound.get(id);
    neighbour.bound.set(id, bound);
    this.#byState.set(state, bound);
  }

  unbind(state: Refreshed): void {
    const bound = this.#byState.get(state);
    if (bound === undefined) return;
    this.#byState.delete(state);
    this.#unlink(bound);
  }

  /** All that this neighbour's numbers stand for: it has begun a new epoch, or is forgotten. */
  drop(neighbour: Neighbour): void {
    for (const first of [...neighbour.bound.values()]) {
      neighbour.bound.delete(first.id);
      for (let bound: Bound | undefined = first; bound !== undefined; bound = bound.next)
        this.#byState.delete(bound.state);
    }
  }

  order(neighbour: Neighbour, id: number, state: Refreshed): MessageOrder {
    const bound = this.#byState.get(state);
    if (bound?.neighbour !== neighbour) return 'trigger';
    // RFC 2961 4.5's comparison, which a wrap of the 32 bits does not upset.
    const ahead = (id - bound.id) | 0;
    return ahead === 0 ? 'refresh' : ahead > 0 ? 'trigger' : 'stale';
  }

  #unlink(bound: Bound): void {
    const { neighbour, id, next } = bound;
    const first = neighbour.bound.get(id);
    if (first === bound) {
      if (next === undefined) neighbour.bound.delete(id);
      else neighbour.bound.set(id, next);
      return;
    }
    for (let before = first; before !== undefined; before = before.next) {
      if (before.next !== bound) continue;
      before.next = next;
      return;
    }
  }
}
