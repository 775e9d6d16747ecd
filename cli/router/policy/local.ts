import type { NodeInterface } from '../../../rsvp/engine/node.js';
import type { PolicyAnswer, PolicyQuestion } from '../../../rsvp/engine/policy.js';
import { POLICY_ERROR } from '../../../rsvp/wire/index.js';
import { Adjudicator, holderOf } from '../../pdp/adjudicate.js';
import type { Adjudication, Inquiry } from '../../pdp/adjudicate.js';
import type { Clock } from '../../pdp/clock.js';
import { PaymentDesk } from '../../pdp/desk.js';
import type { PaymentConfig } from '../../pdp/load.js';
import type { Logger } from '../../pdp/log.js';
import { answerOf, POLICY_CONTROL_FAILURE } from './answer.js';
import { copsQuestion } from './inquiry.js';
import type { FindInterface } from './inquiry.js';
import type { PolicyModule, PolicyStatus, Revised } from './module.js';

export interface LocalPolicyOptions {
  /** PEPID that conditions see as `pep_id`. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly find: FindInterface;
  /** What `link_name` is on an interface. */
  readonly linkName: (at: NodeInterface) => string;
  readonly revised: Revised;
}

/**
 * The router judges the credentials itself, "entirely locally" as the paper's NE-12 does: the policy server's own judge,
 * books and quarantine, without COPS between.
 */
export class LocalPolicy implements PolicyModule {
  readonly #desk: PaymentDesk;
  readonly #adjudicator: Adjudicator;
  /** What is held, by its holder. */
  readonly #inquiries = new Map<string, Inquiry>();
  #granted = 0;
  #refused = 0;

  static async open(config: PaymentConfig, options: LocalPolicyOptions): Promise<LocalPolicy> {
    const policy = new LocalPolicy(config, options);
    try {
      await policy.#desk.open();
    } catch (error) {
      await policy.close();
      throw error;
    }
    return policy;
  }

  private constructor(
    config: PaymentConfig,
    private readonly options: LocalPolicyOptions,
  ) {
    const { log, clock, find, linkName } = options;
    this.#desk = new PaymentDesk(config, {
      log,
      clock,
      removed: (holder, verdict) => {
        const inquiry = this.#inquiries.get(holder);
        if (inquiry === undefined) return;
        this.#inquiries.delete(holder);
        const removed = this.#adjudicator.remove(inquiry, verdict);
        log.info({ question: inquiry.handle, cause: removed.cause, reason: removed.reason }, 'removed');
        options.revised(inquiry.state.serial, answerFrom(removed));
      },
    });
    this.#adjudicator = new Adjudicator((request, now) => this.#desk.cashier.decide(request, now), {
      find: (_pepId, inInterface, outInterface) => {
        const index = (inInterface ?? outInterface)?.ifindex;
        const at = index === undefined ? undefined : find(index);
        return at === undefined ? undefined : { name: linkName(at) };
      },
    });
  }

  get desk(): PaymentDesk {
    return this.#desk;
  }

  ask(question: PolicyQuestion): PolicyAnswer | Promise<PolicyAnswer> {
    const inquiry = this.#inquiryOf(question);
    const adjudication = this.#adjudicator.adjudicate(inquiry, this.options.clock());
    return 'then' in adjudication
      ? adjudication.then((later) => this.#answered(inquiry, later))
      : this.#answered(inquiry, adjudication);
  }

  report(question: number, success: boolean): void {
    this.#desk.cashier.report(String(question), success, this.options.clock());
  }

  forget(question: number): void {
    const holder = String(question);
    this.#desk.cashier.forget(holder, this.options.clock());
    this.#adjudicator.forget(holder);
    this.#inquiries.delete(holder);
  }

  async close(): Promise<void> {
    await this.#desk.close();
  }

  status(): PolicyStatus {
    return {
      module: 'local',
      state: `judges credentials itself: ${this.#granted} granted, ${this.#refused} refused`,
      isReady: true,
    };
  }

  #inquiryOf(question: PolicyQuestion): Inquiry {
    const { name, find } = this.options;
    const { inInterface, outInterface, ...asked } = copsQuestion(question, find);
    const at = find(question.incoming ?? question.outgoing ?? -1);
    const isIpv6 = question.neighbour.includes(':');
    return {
      ...asked,
      inInterface,
      outInterface,
      pepId: name,
      state: { serial: question.id },
      peer: {
        address: at?.addresses.find((own) => own.includes(':') === isIpv6) ?? (isIpv6 ? '::' : '0.0.0.0'),
      },
    };
  }

  #answered(inquiry: Inquiry, adjudication: Adjudication): PolicyAnswer {
    if (adjudication.verdict?.payment !== undefined) this.#inquiries.set(holderOf(inquiry), inquiry);
    this.#desk.decided({ ...adjudication, request: inquiry });
    const { outcome, cause, reason, message, linkName } = adjudication;
    if (outcome === 'install') this.#granted++;
    else this.#refused++;
    this.options.log.info(
      { question: inquiry.handle, message, link: linkName, decision: outcome, cause, reason },
      'decision',
    );
    return answerFrom(adjudication);
  }
}

function answerFrom({ decision, reason }: Adjudication): PolicyAnswer {
  if (!('errorCode' in decision)) return answerOf([decision]);
  return {
    granted: false,
    errorCode: POLICY_CONTROL_FAILURE,
    errorValue: POLICY_ERROR.ERR_RSVP,
    objects: [],
    reason,
  };
}
