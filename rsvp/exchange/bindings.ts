import type { Refreshed } from './advert.js';
import type { Neighbour } from './neighbour.js';

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
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** From now on this state is refreshed by this number, and by no earlier one. */
  bind(neighbour: Neighbour, id: number, state: Refreshed): void {
    if (state.boundTo === neighbour && state.boundId === (id | 0)) return;
    this.unbind(state);
    state.boundTo = neighbour;
    state.boundId = id | 0;
    state.boundNext = neighbour.bound.get(id);
    neighbour.bound.set(id, state);
    this.#size++;
  }

  unbind(state: Refreshed): void {
    const { boundTo: neighbour, boundId: id = 0, boundNext: next } = state;
    if (neighbour === undefined) return;
    const first = neighbour.bound.get(id);
    if (first !== state) {
      let before = first;
      while (before !== undefined && before.boundNext !== state) before = before.boundNext;
      if (before !== undefined) before.boundNext = next;
    } else if (next === undefined) neighbour.bound.delete(id);
    else neighbour.bound.set(id, next);
    this.#clear(state);
  }

  /** All that this neighbour's numbers stand for: it has begun a new epoch, or is forgotten. */
  drop(neighbour: Neighbour): void {
    for (const first of [...neighbour.bound.values()]) {
      neighbour.bound.delete(first.boundId ?? 0);
      let next: Refreshed | undefined;
      for (let state: Refreshed | undefined = first; state !== undefined; state = next) {
        next = state.boundNext;
        this.#clear(state);
      }
    }
  }

  order(neighbour: Neighbour, id: number, state: Refreshed): MessageOrder {
    const { boundTo, boundId = 0 } = state;
    if (boundTo !== neighbour) return 'trigger';
    // RFC 2961 4.5's comparison, which a wrap of the 32 bits does not upset.
    const ahead = (id - boundId) | 0;
    return ahead === 0 ? 'refresh' : ahead > 0 ? 'trigger' : 'stale';
  }

  #clear(state: Refreshed): void {
    state.boundTo = state.boundNext = undefined;
    this.#size--;
  }
}
