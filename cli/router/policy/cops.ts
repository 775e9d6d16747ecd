import { isDeepStrictEqual } from 'node:util';
import type { ConnectionOptions } from 'node:tls';
import { PEP_LIMITS, REASON } from '../../../cops/index.js';
import type { ContextDecision, PdpTarget } from '../../../cops/index.js';
import { PepClient, RequestError } from '../../../cops/io/index.js';
import type { PolicyAnswer, PolicyQuestion } from '../../../rsvp/engine/policy.js';
import type { Logger } from '../../pdp/log.js';
import { answerOf, unanswered } from './answer.js';
import { copsQuestion, handleOf, questionOf } from './inquiry.js';
import type { FindInterface } from './inquiry.js';
import { GRANTED } from './module.js';
import type { ForgetReason, PolicyModule, PolicyStatus, Revised } from './module.js';

export interface CopsPolicyOptions {
  /** In order of preference. */
  readonly pdps: readonly PdpTarget[];
  readonly tls?: ConnectionOptions;
  readonly pepId: string;
  /** How long a question waits for its decision, milliseconds. */
  readonly timeout: number;
  /** How long decisions hold while no PDP can be reached (RFC 2749 3.5), milliseconds. */
  readonly cacheTime?: number;
  /** What is answered while no PDP can be reached: a refusal (ERR_PDP), a grant, or what this module says. */
  readonly fallback: 'deny' | 'grant' | PolicyModule;
  readonly log: Logger;
  readonly find: FindInterface;
  readonly revised: Revised;
  readonly now?: () => number;
}

/** What the module remembers of a question that is still there. */
interface Asked {
  question: PolicyQuestion;
  answer: PolicyAnswer | undefined;
  /** Could what was granted be installed? Undefined before the report. */
  success: boolean | undefined;
  /** What the fall-back has decided, for the PEP to use, and to tell the next PDP (RFC 2748 2.5). */
  local: { readonly decisions: readonly ContextDecision[]; readonly answer: PolicyAnswer } | undefined;
}

/** Policy is a PDP's: the router is its PEP (RFC 2748, RFC 2749). */
export class CopsPolicy implements PolicyModule {
  readonly client: PepClient;
  readonly #asked = new Map<number, Asked>();
  #state = 'connecting';

  /** Waits for the PDP for as long as a question would, and goes on without. */
  static async open(options: CopsPolicyOptions): Promise<CopsPolicy> {
    const policy = new CopsPolicy(options);
    const late = new Promise<void>((resolve) => setTimeout(resolve, options.timeout).unref());
    await Promise.race([policy.client.opened(), late]);
    return policy;
  }

  private constructor(private readonly options: CopsPolicyOptions) {
    const { pdps, pepId, tls, timeout, cacheTime, fallback, log, now } = options;
    this.client = new PepClient({
      pdps,
      pepId,
      ...(tls === undefined ? {} : { tls }),
      ...(now === undefined ? {} : { now }),
      ...(fallback === 'deny'
        ? {}
        : { lpdp: ({ handle }) => this.#asked.get(questionOf(handle ?? ''))?.local?.decisions }),
      limits: {
        requestTimeout: timeout,
        openTimeout: timeout,
        cacheTime: cacheTime ?? PEP_LIMITS.cacheTime,
      },
    });
    this.client.on('opened', ({ target }) => {
      this.#state = `connected to ${target.host}:${target.port ?? 3288}`;
      log.info({ pdp: target.host, port: target.port }, 'policy server opened');
    });
    this.client.on('lost', ({ target, reason }) => {
      this.#state = `${target.host} is away: ${reason}`;
      log.warn({ pdp: target.host, port: target.port, reason }, 'policy server lost');
    });
    this.client.on('decision', ({ handle, source }) => {
      // Several contexts may be decided one after the other: what counts is what is in force.
      const decisions = this.client.pep.decisionsOf(handle);
      if (decisions !== undefined) this.#revise(questionOf(handle), this.#noted(decisions, handle, source));
    });
    this.client.on('failed', ({ handle, failure }) => {
      // A decision that is still cached holds on.
      if (this.client.pep.decisionsOf(handle) !== undefined) return;
      this.#askAgain(questionOf(handle), new RequestError(handle, failure)).catch((error: unknown) =>
        log.error({ err: error }, 'failed'),
      );
    });
  }

  async ask(question: PolicyQuestion): Promise<PolicyAnswer> {
    const before = this.#asked.get(question.id);
    const asked: Asked = { question, answer: undefined, success: before?.success, local: undefined };
    this.#asked.set(question.id, asked);
    const answer = await this.#ask(asked);
    asked.answer = answer;
    return answer;
  }

  report(question: number, success: boolean): void {
    const asked = this.#asked.get(question);
    if (asked === undefined) return;
    asked.success = success;
    const { fallback } = this.options;
    if (asked.local !== undefined && typeof fallback === 'object') fallback.report(question, success);
    const handle = handleOf(question);
    if (this.client.pep.decisionsOf(handle) !== undefined)
      this.client.report(handle, success ? 'success' : 'failure');
  }

  forget(question: number, reason: ForgetReason): void {
    const asked = this.#asked.get(question);
    if (asked === undefined) return;
    this.#asked.delete(question);
    const { fallback } = this.options;
    if (typeof fallback === 'object') fallback.forget(question, reason);
    const handle = handleOf(question);
    if (this.client.pep.requests.states.get(handle) !== undefined)
      this.client.delete(handle, reasonCodeOf(reason, asked));
  }

  async close(): Promise<void> {
    await this.client.close();
    if (typeof this.options.fallback === 'object') await this.options.fallback.close();
  }

  status(): PolicyStatus {
    return { module: 'cops', state: this.#state, isReady: this.#isOpen || this.options.fallback !== 'deny' };
  }

  get #isOpen(): boolean {
    return this.client.pep.phase === 'open';
  }

  async #ask(asked: Asked): Promise<PolicyAnswer> {
    const { question } = asked;
    if (!this.#isOpen) await this.#decideLocally(asked);
    try {
      const { decisions, source } = await this.client.request(copsQuestion(question, this.options.find));
      return this.#noted(decisions, handleOf(question.id), source);
    } catch (error) {
      if (error instanceof RequestError)
        return unanswered(`no decision of a policy server: ${error.message}`);
      throw error;
    }
  }

  /** The PEP asks its LPDP at once, and takes no promise: what it will say is found out before. */
  async #decideLocally(asked: Asked): Promise<void> {
    const { fallback } = this.options;
    if (fallback === 'deny') return;
    if (fallback === 'grant') {
      asked.local = { decisions: [{ command: 'install' }], answer: GRANTED };
      return;
    }
    const answer = await fallback.ask(asked.question);
    asked.local = { decisions: [{ command: answer.granted ? 'install' : 'remove' }], answer };
  }

  /** An LPDP decision says Install or Remove; what the local module has said besides is kept beside it. */
  #noted(decisions: readonly ContextDecision[], handle: string, source: string): PolicyAnswer {
    const asked = this.#asked.get(questionOf(handle));
    if (source === 'lpdp' && asked?.local !== undefined) return asked.local.answer;
    if (source === 'pdp' && asked !== undefined) {
      const { fallback } = this.options;
      // The PDP has it now: what was paid here is not paid twice.
      if (asked.local !== undefined && typeof fallback === 'object')
        fallback.forget(asked.question.id, 'route-change');
      asked.local = undefined;
    }
    return answerOf(decisions);
  }

  #revise(question: number, answer: PolicyAnswer): void {
    const asked = this.#asked.get(question);
    if (asked === undefined || isDeepStrictEqual(asked.answer, answer)) return;
    asked.answer = answer;
    this.options.revised(question, answer);
  }

  /** A state that the PEP has lost: the fall-back decides it, or it goes. */
  async #askAgain(question: number, error: RequestError): Promise<void> {
    const asked = this.#asked.get(question);
    if (asked === undefined) return;
    const answer =
      this.options.fallback === 'deny'
        ? unanswered(`the policy server's decision holds no more: ${error.message}`)
        : await this.#ask(asked);
    this.#revise(question, answer);
  }
}

/** RFC 2748 2.2.5. */
function reasonCodeOf(reason: ForgetReason, { question, answer, success }: Asked): number {
  // An error message is no state: its handle goes with the decision.
  if (question.message === 'PathErr' || question.message === 'ResvErr') return REASON.transientHandle;
  switch (reason) {
    case 'tear':
      return REASON.tear;
    case 'timeout':
      return REASON.timeout;
    case 'preempted':
      return REASON.preempted;
    case 'route-change':
      return REASON.routeChange;
    case 'shutdown':
      return REASON.management;
    case 'error':
      if (answer?.granted === false) return REASON.pdpsDirective;
      return success === false ? REASON.insufficientResources : REASON.unspecified;
  }
}
