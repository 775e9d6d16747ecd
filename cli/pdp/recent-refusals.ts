import type { WireObject } from '../../rsvp/wire/index.js';
import { flowKey } from '../flow.js';

export interface RecentRefusal {
  readonly errorObjects: readonly WireObject[];
  readonly reason: string;
}

/** More refused requests at once than these, and a PEP that asks late gets no reason. */
const MOST = 10_000;

/** Why requests were refused, until the PEP asks what to put into the error message (RFC 2749 3.7). */
export class RecentRefusals {
  readonly #byFlow = new Map<string, RecentRefusal>();
  readonly #flowOf = new Map<string, string>();

  remember(
    holder: string,
    pepId: string,
    message: string,
    objects: readonly WireObject[],
    errorObjects: readonly WireObject[],
    reason: string,
  ): void {
    this.forget(holder);
    const key = keyOf(pepId, message, objects);
    this.#byFlow.set(key, { errorObjects, reason });
    this.#flowOf.set(holder, key);
    if (this.#flowOf.size <= MOST) return;
    for (const oldest of this.#flowOf.keys()) {
      this.forget(oldest);
      return;
    }
  }

  find(pepId: string, message: string, objects: readonly WireObject[]): RecentRefusal | undefined {
    return this.#byFlow.get(keyOf(pepId, message, objects));
  }

  forget(holder: string): void {
    const key = this.#flowOf.get(holder);
    if (key === undefined) return;
    this.#flowOf.delete(holder);
    this.#byFlow.delete(key);
  }
}

function keyOf(pepId: string, message: string, objects: readonly WireObject[]): string {
  return `${pepId}\n${message}\n${flowKey(objects)}`;
}
