import type { EngineEffect } from '../../../rsvp/engine/effect.js';
import type { PolicyAnswer, PolicyQuestion } from '../../../rsvp/engine/policy.js';

export type ForgetReason = (EngineEffect & { kind: 'forget' })['reason'];

/**
 * Who decides for the router. A module is asked one question with one id at a time (`PolicyFront` sees to that); whatever
 * fails in it is an answer, not an exception.
 */
export interface PolicyModule {
  /** Again with the same id: its state has changed. */
  ask(question: PolicyQuestion): PolicyAnswer | Promise<PolicyAnswer>;
  /** What was granted is in force, or could not be. */
  report(question: number, success: boolean): void;
  /** The state behind a question is no more. */
  forget(question: number, reason: ForgetReason): void;
  /** Waits until whoever must know knows. */
  close(): Promise<void>;
  /** For `bandex show policy`. */
  status(): PolicyStatus;
}

export interface PolicyStatus {
  readonly module: 'none' | 'local' | 'cops';
  /** One line: whom it asks, and whether that one answers. */
  readonly state: string;
  /** Can it decide now? */
  readonly isReady: boolean;
}

/** An answer that nobody asked for: another decision about a question that is still there. */
export type Revised = (question: number, answer: PolicyAnswer) => void;

export const GRANTED: PolicyAnswer = { granted: true };
