import type { Interface } from '../../cops/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';

/** Where in the capture something happens, and what it is about. */
export interface Cause {
  readonly frame: number;
  /** Capture time in milliseconds. */
  readonly time: number;
  /** The RSVP message, or `timeout`. */
  readonly message: string;
  readonly session: string;
  /** Style and senders, as `FF 10.0.0.1/5004`. */
  readonly flow: string;
}

/** Ask the PDP. */
export interface AskStep extends Cause {
  readonly kind: 'ask';
  readonly handle: string;
  /** R-Type flags and M-Type of the context (RFC 2749 2.2). */
  readonly rType: number;
  readonly mType: number;
  readonly inInterface?: Interface;
  readonly outInterface?: Interface;
  readonly objects: readonly WireObject[];
  /** Nothing has changed: the PDP is asked because the user wants so. */
  readonly isRefresh: boolean;
  /** The handle is deleted with the decision: a message, not a state. */
  readonly isTransient: boolean;
  /** To do once it is installed. */
  readonly then: readonly AskStep[];
}

/** Tell the PDP that a state is no more. */
export interface DeleteStep extends Cause {
  readonly kind: 'delete';
  readonly handle: string;
  /** Reason-Code of RFC 2748 2.2.5. */
  readonly reasonCode: number;
}

export type Step = AskStep | DeleteStep;
