import { Doorkeeper, Quarantine } from '../../policy/payment/index.js';
import type { PartyKind, PaymentPolicy, Quarantined, Verdict } from '../../policy/payment/index.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import type { Store } from '../../policy/stores/store.js';
import type { Adjudication } from './adjudicate.js';
import type { PaymentConfig } from './load.js';
import type { Logger } from './log.js';
import { shownParty } from './party.js';
import { readNames } from './policy.js';
import type { PolicyState } from './policy.js';
import { QuarantineSync } from './quarantine-sync.js';

/**
 * The quarantine of a running PDP, with its table, clock and log. Its clock is the wall's, whatever day credentials are judged
 * by: the table is shared. Nothing in here fails a decision.
 */
export class Guard {
  readonly quarantine: Quarantine;
  readonly doorkeeper: Doorkeeper;
  /** Quarantines that began here. */
  readonly begun: Record<PartyKind, number> = { key: 0, source: 0, pep: 0 };
  /** What the policy asks before it looks at credentials, and at signatures. */
  readonly hooks: Required<Pick<PolicyState, 'admit' | 'screen'>> = {
    admit: (request, hop) => {
      if (this.#isOn) this.doorkeeper.admit(request, hop, this.now());
    },
    screen: (request, credentials) => {
      if (this.#isOn) this.doorkeeper.screen(request, credentials, this.now());
    },
  };
  #isOn: boolean;
  #names: ReadonlyMap<string, string> = new Map();
  #sync: QuarantineSync | undefined;

  constructor(
    { quarantine }: PaymentConfig,
    private readonly log: Logger,
    readonly now: () => number = Date.now,
  ) {
    this.quarantine = new Quarantine(quarantine);
    this.doorkeeper = new Doorkeeper(this.quarantine);
    this.#isOn = quarantine.enabled;
  }

  async open(store: Store<BooksSchema>, config: PaymentConfig): Promise<void> {
    this.#names = readNames(config);
    const failed = (error: unknown): void => this.log.error({ err: error }, 'failed');
    this.#sync = await QuarantineSync.open(store, this.quarantine, {
      now: this.now,
      failed,
      changed: ({ released, begun }) => {
        for (const one of begun) this.log.warn(this.#fields(one), 'quarantined');
        for (const one of released) this.log.info(this.#fields(one), 'released');
      },
    });
  }

  configure(config: PaymentConfig): void {
    this.quarantine.rules = config.quarantine;
    this.#isOn = config.quarantine.enabled;
    this.#names = readNames(config);
  }

  /** Counts what was refused. */
  decided(
    decided: Adjudication & { readonly request: { readonly pepId: string } },
    policy: PaymentPolicy,
  ): void {
    const verdict = decided.verdict ?? (decided.outcome === 'error' ? MALFORMED : undefined);
    if (!this.#isOn || verdict === undefined) return;
    try {
      const { objects, request } = decided;
      const signers = (credentials: Parameters<PaymentPolicy['signers']>[1]) =>
        policy.signers(decided, credentials, verdict);
      const begun = this.doorkeeper.judged({ pepId: request.pepId, objects, verdict, signers }, this.now());
      for (const one of begun) {
        this.begun[one.kind]++;
        this.log.warn(this.#fields(one), 'quarantined');
      }
      if (begun.length > 0) this.#sync?.add(begun);
    } catch (error) {
      this.log.error({ err: error }, 'failed');
    }
  }

  /** How many are in quarantine. */
  count(): Record<PartyKind, number> {
    const counts: Record<PartyKind, number> = { key: 0, source: 0, pep: 0 };
    for (const { kind } of this.quarantine.list(this.now())) counts[kind]++;
    return counts;
  }

  async close(): Promise<void> {
    await this.#sync?.close();
  }

  #fields(one: Quarantined): object {
    const { kind, id, failures, reason, until } = one;
    const who = shownParty(one, this.#names);
    return {
      kind,
      who,
      ...(who === id ? {} : { id }),
      failures,
      cause: reason,
      until: new Date(until).toISOString(),
    };
  }
}

/** What a router asks that cannot be judged at all. */
const MALFORMED: Verdict = {
  granted: false,
  reason: 'malformed',
  refusal: { reason: 'bad-request', text: 'malformed' },
  attributes: new Map(),
};
