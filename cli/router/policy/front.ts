import type { PolicyAnswer, PolicyQuestion } from '../../../rsvp/engine/policy.js';
import type { DecidingPolicy } from '../../../rsvp/io/index.js';
import { unanswered } from './answer.js';
import type { ForgetReason, PolicyModule } from './module.js';

/**
 * Between an engine's runner and its policy module: one question with one id is under way at a time ("the PEP SHOULD NOT issue
 * more than one REQ (for a given handle) before it receives a corresponding DEC", RFC 2748 3.2). The runner drops answers
 * to what is superseded or forgotten; what is superseded before its turn is not asked at all.
 */
export class PolicyFront implements DecidingPolicy {
  /** By id, the newest question, and when the one before is answered. */
  readonly #asking = new Map<number, { readonly question: PolicyQuestion; readonly done: Promise<void> }>();
  granted = 0;
  refused = 0;

  constructor(
    readonly module: PolicyModule,
    private readonly failed: (error: unknown) => void,
  ) {}

  get pendingCount(): number {
    return this.#asking.size;
  }

  /** Is there no answer yet? What is revised meanwhile is out of date. */
  isAsking(question: number): boolean {
    return this.#asking.has(question);
  }

  async ask(question: PolicyQuestion): Promise<PolicyAnswer> {
    const { id } = question;
    const before = this.#asking.get(id)?.done ?? Promise.resolve();
    const asking = before.then(() => this.#ask(question));
    const own = { question, done: asking.then(() => undefined) };
    this.#asking.set(id, own);
    const answer = await asking;
    if (this.#asking.get(id) === own) {
      this.#asking.delete(id);
      this.count(answer);
    }
    return answer;
  }

  count({ granted }: PolicyAnswer): void {
    if (granted) this.granted++;
    else this.refused++;
  }

  report(question: number, success: boolean): void {
    this.#guarded(() => this.module.report(question, success));
  }

  forget(question: number, reason: ForgetReason): void {
    this.#asking.delete(question);
    this.#guarded(() => this.module.forget(question, reason));
  }

  async #ask(question: PolicyQuestion): Promise<PolicyAnswer> {
    if (this.#asking.get(question.id)?.question !== question)
      return unanswered('the question was superseded or forgotten');
    try {
      return await this.module.ask(question);
    } catch (error) {
      this.failed(error);
      return unanswered('the policy module has failed');
    }
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failed(error);
    }
  }
}
