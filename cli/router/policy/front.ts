import type { PolicyAnswer, PolicyQuestion } from '../../../rsvp/engine/policy.js';
import { unanswered } from './answer.js';
import type { ForgetReason, PolicyModule } from './module.js';

/** A question that its module has not answered yet. */
interface Pending {
  /** The newest of those that were asked meanwhile with the same id: it supersedes the one under way. */
  next: PolicyQuestion | undefined;
  isForgotten: boolean;
}

/**
 * Between an engine and its policy module: one question with one id is under way at a time ("the PEP SHOULD NOT issue more
 * than one REQ (for a given handle) before it receives a corresponding DEC", RFC 2748 3.2), the answer to a superseded one
 * is dropped, and no answer comes while the engine is still talking.
 */
export class PolicyFront {
  readonly #pending = new Map<number, Pending>();
  /** Answers that reached the engine. */
  granted = 0;
  refused = 0;

  constructor(
    readonly module: PolicyModule,
    private readonly decided: (question: number, answer: PolicyAnswer) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  get pendingCount(): number {
    return this.#pending.size;
  }

  ask(question: PolicyQuestion): void {
    const before = this.#pending.get(question.id);
    if (before !== undefined && !before.isForgotten) {
      before.next = question;
      return;
    }
    void this.#ask(question);
  }

  /** An answer that nobody asked for; one is under way where the question is, and counts then. */
  revise(question: number, answer: PolicyAnswer): void {
    if (!this.#pending.has(question)) this.#tell(question, answer);
  }

  report(question: number, success: boolean): void {
    this.#guarded(() => this.module.report(question, success));
  }

  forget(question: number, reason: ForgetReason): void {
    const pending = this.#pending.get(question);
    if (pending !== undefined) {
      pending.isForgotten = true;
      this.#pending.delete(question);
    }
    this.#guarded(() => this.module.forget(question, reason));
  }

  async #ask(question: PolicyQuestion): Promise<void> {
    const { id } = question;
    const pending: Pending = { next: undefined, isForgotten: false };
    this.#pending.set(id, pending);
    let answer: PolicyAnswer;
    try {
      answer = await this.module.ask(question);
    } catch (error) {
      this.failed(error);
      answer = unanswered('the policy module has failed');
    }
    if (pending.isForgotten) return;
    this.#pending.delete(id);
    if (pending.next === undefined) this.#tell(id, answer);
    else void this.#ask(pending.next);
  }

  #tell(question: number, answer: PolicyAnswer): void {
    if (answer.granted) this.granted++;
    else this.refused++;
    this.decided(question, answer);
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failed(error);
    }
  }
}
