import { toHex } from '../../rsvp/wire/octets.js';
import type { ContextDecision } from '../wire/decision.js';
import type { PepRequest } from './options.js';

/** What the PEP remembers under a handle. */
export interface PepState {
  /** In hex. */
  readonly handle: string;
  request: PepRequest;
  /** The objects of the REQ, as they are sent every time; LPDP decisions and Integrity come behind. */
  body: Uint8Array;
  decisions: readonly ContextDecision[] | undefined;
  /** Who made them; `lpdp` must be told to the PDP. */
  source: 'pdp' | 'lpdp' | undefined;
  /** Are they the answer to the request in its present form? */
  isCurrent: boolean;
  /** The PDP has not been asked about it in its present form. */
  unasked: boolean;
  /** A PDP has been told of it, and must be told of its end. */
  isKnown: boolean;
  /** What has been said since was said to another PDP than the last one with which all was in sync. */
  isElsewhere: boolean;
  /** Place of its last REQ among what was sent, for `Deletes`. */
  askedAt: number;
  /** When an answer is due; undefined where none is awaited. */
  dueAt: number | undefined;
  /** A report that could not be sent. */
  report: PendingReport | undefined;
  /** The success that was reported of the request in its present form: it may be lost with its connection, or its PDP. */
  success: PendingReport | undefined;
  /** Decisions of the connected PDP that no solicited report has answered. */
  unreported: number;
  accountedAt: number | undefined;
}

export interface PendingReport {
  readonly type: number;
  /** Answers a decision, if there is one that has no answer yet (RFC 2748 3.3). */
  readonly solicited: boolean;
  readonly clientSi: Uint8Array | undefined;
  /** Was it sent before? Then only what the PDP decides now says whether it still holds. */
  readonly isRepeated?: true;
}

/** The PEP's request states, and which of them await an answer, soonest due first. */
export class PepStates {
  readonly #all = new Map<string, PepState>();
  readonly #awaiting = new Map<string, PepState>();
  #lastHandle = 0;

  get size(): number {
    return this.#all.size;
  }

  all(): IterableIterator<PepState> {
    return this.#all.values();
  }

  get(handle: string): PepState | undefined {
    return this.#all.get(handle);
  }

  add(state: PepState): void {
    this.#all.set(state.handle, state);
  }

  remove(state: PepState): void {
    this.#all.delete(state.handle);
    this.answered(state);
  }

  clear(): void {
    this.#all.clear();
    this.#awaiting.clear();
  }

  /** All wait equally long, so the order of asking is the order of being due. */
  await(state: PepState, dueAt: number): void {
    this.#awaiting.delete(state.handle);
    state.dueAt = dueAt;
    this.#awaiting.set(state.handle, state);
  }

  answered(state: PepState): void {
    state.dueAt = undefined;
    this.#awaiting.delete(state.handle);
  }

  nextDue(): PepState | undefined {
    return this.#awaiting.values().next().value;
  }

  /** A handle that is not in use: four octets, counting up. */
  newHandle(): string {
    const octets = new Uint8Array(4);
    let handle: string;
    do {
      this.#lastHandle = (this.#lastHandle + 1) >>> 0;
      new DataView(octets.buffer).setUint32(0, this.#lastHandle);
      handle = toHex(octets);
    } while (this.#all.has(handle));
    return handle;
  }
}
