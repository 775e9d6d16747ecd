import { CredentialCache } from '../../policy/keynote/index.js';
import type { Cashier, Verdict } from '../../policy/payment/index.js';
import type { StoredBooks } from '../../policy/stores/io/books.js';
import type { Adjudication } from './adjudicate.js';
import type { Clock } from './clock.js';
import { Guard } from './guard.js';
import type { PaymentConfig } from './load.js';
import type { Logger } from './log.js';
import { buildPolicy, revocationOptions } from './policy.js';
import type { PolicyState } from './policy.js';
import { RevocationWatch } from './revoking.js';
import { patiently, Till } from './till.js';

export interface DeskOptions {
  readonly log: Logger;
  /** The time that credentials are judged by. */
  readonly clock: Clock;
  /** What a holder was granted holds no more. */
  readonly removed: (holder: string, verdict: Verdict) => void;
}

/** Finds what is wrong with the policy of a configuration, and with the files it names. */
export function checkPolicy(config: PaymentConfig): void {
  buildPolicy(config, newState(config));
}

function newState(config: PaymentConfig): PolicyState {
  return { cache: new CredentialCache({ credentials: config.policy.limits.cache }) };
}

/**
 * Where payments are judged, whoever asks: a PDP for its PEPs, or a router for itself. Policy, books, revocations and
 * quarantine as configured.
 */
export class PaymentDesk {
  readonly guard: Guard;
  readonly #state: PolicyState;
  readonly #revocations: RevocationWatch;
  /** Set by `open`. */
  #till: Till | undefined;

  constructor(
    private config: PaymentConfig,
    private readonly options: DeskOptions,
  ) {
    const { log } = options;
    this.#revocations = new RevocationWatch(revocationOptions(config), log);
    this.guard = new Guard(config, log);
    this.#state = { ...newState(config), revoked: this.#revocations.why, ...this.guard.hooks };
    buildPolicy(config, this.#state);
  }

  get cache(): CredentialCache {
    return this.#state.cache;
  }

  get cashier(): Cashier {
    return this.#opened.cashier;
  }

  /** The books, once it was opened. */
  get books(): StoredBooks {
    return this.#opened.books;
  }

  async open(): Promise<void> {
    const { config, options } = this;
    const failed = (error: unknown): void => options.log.error({ err: error }, 'failed');
    const till = (this.#till = await Till.open(config, {
      policy: buildPolicy(config, this.#state),
      clock: options.clock,
      removed: options.removed,
      failed,
      revocations: this.#revocations,
    }));
    await patiently(() => this.guard.open(till.books.store, config), failed);
    if (config.policy.files.length === 0 && config.policy.assertions === '')
      options.log.warn({ file: config.file }, 'no policy assertions: no reservation will be granted');
  }

  /** Another policy from now on; throws, and changes nothing, where something is wrong with it. */
  configure(config: PaymentConfig): void {
    const policy = buildPolicy(config, this.#state);
    this.config = config;
    this.cashier.policy = policy;
    this.#revocations.policy = revocationOptions(config);
    void this.#till?.changed();
    this.guard.configure(config);
  }

  /** Counts what was refused. */
  decided(decided: Adjudication & { readonly request: { readonly pepId: string } }): void {
    this.guard.decided(decided, this.cashier.policy);
  }

  /** What is held stays in the books from now on. */
  freeze(): void {
    this.#till?.freeze();
  }

  async close(): Promise<void> {
    await this.guard.close();
    await this.#till?.close();
  }

  get #opened(): Till {
    if (this.#till === undefined) throw new Error('the payment desk was not opened');
    return this.#till;
  }
}
