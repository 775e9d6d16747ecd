import type { Hold, NonceKey } from './books.js';
import type { Payment, PaymentRequest, Verdict } from './decide.js';

export type Granted = Verdict & { readonly payment: Payment };

export interface Shown {
  readonly key: NonceKey;
  /** On the check that has it; undefined for one of long ago, which others have topped up since. */
  readonly verdict: Granted | undefined;
}

/** Verdicts kept of what was shown for one reservation: they are long, and a reservation may be topped up for months. */
const MOST_VERDICTS = 8;

/** Adds what was shown now. */
export function show(shown: Map<string, Shown>, keys: readonly NonceKey[], verdict: Granted): void {
  for (const key of keys) {
    const name = nameOfKey(key);
    shown.delete(name);
    shown.set(name, { key, verdict });
  }
  let surplus = shown.size - MOST_VERDICTS * keys.length;
  for (const [name, one] of shown) {
    if (surplus-- <= 0) break;
    if (one.verdict !== undefined) shown.set(name, { ...one, verdict: undefined });
  }
}

/** What a PEP's request holds at this moment. */
export interface Held {
  /** Without its objects: they were judged, and are long. */
  readonly request: PaymentRequest;
  verdict: Granted;
  /** What it was granted for, by `nameOfKey`, the oldest first. */
  readonly shown: Map<string, Shown>;
  state: 'held' | 'committed';
  paidUntil: number | undefined;
  /** Until when a PEP may report success, while it is `held`. */
  readonly holdUntil: number;
  /** Something else is being granted to its holder: until that is decided nothing is taken back. */
  isAsking: boolean;
}

export function nameOfKey({ payer, nonce }: NonceKey): string {
  return `${payer}\n${nonce}`;
}

/** As the books know it. */
export function holdOf({ request, verdict, shown }: Held): Hold {
  const keys = Array.from(shown.values(), ({ key }) => key);
  return { holder: request.holder, reservation: verdict.payment.reservation, keys };
}

/** All of these, by holder, and by PEP and session. */
export class HeldReservations {
  readonly #byHolder = new Map<string, Held>();
  readonly #byPlace = new Map<string, Set<Held>>();

  get size(): number {
    return this.#byHolder.size;
  }

  of(holder: string): Held | undefined {
    return this.#byHolder.get(holder);
  }

  all(): Held[] {
    return [...this.#byHolder.values()];
  }

  /** The most that this PEP was granted for a session in one reservation, bit/s; undefined where nothing was. */
  bandwidth(pepId: string, session: string): number | undefined {
    const there = this.#byPlace.get(place(pepId, session));
    if (there === undefined) return undefined;
    let most = 0;
    for (const { verdict } of there) most = Math.max(most, verdict.payment.bandwidth);
    return most;
  }

  add(held: Held): void {
    this.remove(held.request.holder);
    this.#byHolder.set(held.request.holder, held);
    const at = place(held.request.pepId, held.verdict.payment.session);
    const there = this.#byPlace.get(at);
    if (there === undefined) this.#byPlace.set(at, new Set([held]));
    else there.add(held);
  }

  remove(holder: string): Held | undefined {
    const held = this.#byHolder.get(holder);
    if (held === undefined) return undefined;
    this.#byHolder.delete(holder);
    const at = place(held.request.pepId, held.verdict.payment.session);
    const there = this.#byPlace.get(at);
    there?.delete(held);
    if (there?.size === 0) this.#byPlace.delete(at);
    return held;
  }
}

/** A session's name holds no newline. */
function place(pepId: string, session: string): string {
  return `${pepId}\n${session}`;
}
