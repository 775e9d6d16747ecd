import type { WireObject } from '../wire/index.js';

/**
 * Policy control as the engine sees it (RFC 2750, RFC 2749 3): it asks a question about a message, goes on with other work,
 * and is told the answer. What is asked about is not put to use before.
 */
export interface PolicyQuestion {
  /** One a policy-controlled state: asked again with the same id where the state has changed. */
  readonly id: number;
  readonly message: 'Path' | 'Resv' | 'PathErr' | 'ResvErr';
  /** Which steps it is about (RFC 2749 2.3, 3.1): several at once where one message is one flow in and out. */
  readonly context: {
    readonly incoming: boolean;
    readonly allocation: boolean;
    readonly outgoing: boolean;
  };
  /** Index of the interface that the message came in by; for a Resv, by which the data leaves. */
  readonly incoming?: number;
  /** Where the message goes on. */
  readonly outgoing?: number;
  /** Address of the RSVP neighbour that sent it. */
  readonly neighbour: string;
  /** The message's objects, whole, in the order of the RFC: POLICY_DATA among them. */
  readonly objects: readonly WireObject[];
}

export type PolicyAnswer =
  | {
      readonly granted: true;
      /** POLICY_DATA to send on instead of what came in (RFC 2750 4.3); undefined: as it is. */
      readonly replacement?: readonly WireObject[];
      /** RFC 3181; 0 to 65535, more is better. Undefined: as the POLICY_DATA says, or 0. */
      readonly preemptionPriority?: number;
      readonly defendingPriority?: number;
    }
  | {
      readonly granted: false;
      /** For ERROR_SPEC: 2 (Policy Control failure) and a value of RFC 2750 Appendix A, unless policy says otherwise. */
      readonly errorCode: number;
      readonly errorValue: number;
      /** Goes into the error message: an error POLICY_DATA (RFC 2750 3.1). */
      readonly objects: readonly WireObject[];
      /** One line for people and logs. */
      readonly reason: string;
      /** No error message: RFC 2749 2.4's Trigger Error is not set. Left out: one is sent. */
      readonly isSilent?: boolean;
    };
