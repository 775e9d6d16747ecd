import { KeyNoteSyntaxError } from '../keynote/index.js';
import type { AlgorithmChoice, Answer, Assertion, CredentialCache, Principal } from '../keynote/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { asksFor } from './asks-for.js';
import { atTime, observe } from './attributes.js';
import { errorObjects } from './error-objects.js';
import { PaymentJudge } from './judge.js';
import type { Action } from './judge.js';
import { comparableSum, toMillionths } from './money.js';
import { nameOf, whyRefused } from './reason.js';
import { presentable, Refused } from './refusal.js';
import type { Refusal } from './refusal.js';
import { DEFAULT_REQUEST_LIMITS, hasPayment, present } from './request.js';
import type { PresentedCredential, RequestLimits } from './request.js';
import { overdrawersOf, signersOf } from './signers.js';
import type { Signer } from './signers.js';

export interface PaymentOptions {
  /** The ISP's policy: KeyNote assertions that are trusted as they are. */
  readonly policy: readonly Assertion[];
  /** What `app_domain` is. */
  readonly appDomain: string;
  /**
   * Who requests, in KeyNote's sense: the route keys of the links, by link name, and one for the others. They come from
   * configuration alone: a key that a message names as its own proves nothing.
   */
  readonly routes?: { readonly byLink?: ReadonlyMap<string, string>; readonly other?: string };
  /** Keys of the policy node itself: see `Action.nodeKeys`. */
  readonly nodeKeys?: readonly string[];
  readonly algorithms?: AlgorithmChoice;
  readonly limits?: RequestLimits;
  readonly cache?: CredentialCache;
  /** Names of keys for messages, by principal id. */
  readonly names?: ReadonlyMap<string, string>;
  /** Message types that pass without payment; default all but Resv. */
  readonly free?: ReadonlySet<string>;
  /** The longest that one payment pays for, and how long one does that says nothing, in seconds. Default: no end. */
  readonly duration?: number;
  /** Why a credential does not count any more; undefined for one that does. Default: all count. */
  readonly revoked?: (credential: Assertion) => string | undefined;
  /** Looks at who asks, the neighbour among them, before any credential is parsed; throws `Refused`. */
  readonly admit?: (request: PaymentRequest, hop: string | undefined) => void;
  /** Looks at the credentials before any signature; throws `Refused`. */
  readonly screen?: (request: PaymentRequest, credentials: readonly Assertion[]) => void;
}

/** A request of a router, as its message and its configuration tell it. */
export interface PaymentRequest {
  /** Names the request state at its PEP: who holds what is granted. */
  readonly holder: string;
  readonly pepId: string;
  /** The client handle, hex. */
  readonly handle: string;
  readonly linkName?: string | undefined;
  /** Address of the router on that link, for the error node of an ERROR_SPEC. */
  readonly node?: string | undefined;
  readonly message: 'Path' | 'Resv' | 'PathErr' | 'ResvErr';
  /** The steps that the request is about (RFC 2749 2.2). */
  readonly incoming: boolean;
  readonly allocation: boolean;
  readonly outgoing: boolean;
  readonly objects: readonly WireObject[];
}

/** What is paid, for the books. */
export interface Payment {
  readonly amount: string;
  readonly currency: string;
  readonly nonce: string;
  /** Seconds; undefined for as long as the reservation stands. */
  readonly duration: number | undefined;
  /** The keys that bound the nonce: who pays. */
  readonly payers: readonly Principal[];
  readonly session: string;
  readonly reservation: string;
  /** bit/s */
  readonly bandwidth: number;
  readonly credentials: readonly Assertion[];
  /** Those of them that bind the nonce. */
  readonly checks: readonly Assertion[];
  /** Digests of the credentials whose conditions ask for what was paid under them in total. */
  readonly totalled: readonly string[];
  /** Does the policy ask for the payer's exposure? */
  readonly isExposureLimited: boolean;
  /** Who requests, in KeyNote's sense: see `Action`. Whoever judges it again needs them. */
  readonly requesters: Pick<Action, 'route' | 'nodeKeys'>;
}

export interface Verdict {
  readonly granted: boolean;
  /** One line for people. */
  readonly reason: string;
  readonly refusal?: Refusal;
  readonly payment?: Payment;
  /** Has the nonce paid for this reservation before: a refresh, or another router on the path? Set once it is written. */
  readonly again?: boolean;
  /** Action attributes as they were judged. */
  readonly attributes: ReadonlyMap<string, string>;
  /** ERROR_SPEC and POLICY_DATA for the error message that a refusal triggers. */
  readonly errorObjects?: readonly WireObject[];
  /** KeyNote's own answer, with its explanation; undefined where it was not asked. */
  readonly answer?: Answer;
}

/** What was paid before, in millionths. */
export interface Spent {
  /** Under a credential, by its digest. */
  readonly total: (digest: string) => bigint;
  /** By the payer of this request who has most outstanding. */
  readonly exposure: bigint;
}

const NOTHING_SPENT: Spent = { total: () => 0n, exposure: 0n };
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();
const asksForTotal = asksFor('total');
const asksForExposure = asksFor('exposure');
const asksForTime = asksFor('time');

/**
 * Judges RSVP requests by the credentials they carry. One instance holds the policy; a request is decided from its own
 * octets, the configuration, `now`, and what the books say was spent before. It changes nothing and does no I/O: `Cashier`
 * takes the nonces.
 *
 * Order is cost: sizes and claims first, then the query with signatures taken for granted, and only where that would
 * grant are signatures verified (`query` does so by itself). So a bogus request costs its sender more than us.
 */
export class PaymentPolicy {
  readonly #judge: PaymentJudge;
  readonly #limits: RequestLimits;
  readonly #free: ReadonlySet<string>;
  readonly #isExposureLimited: boolean;

  constructor(private readonly options: PaymentOptions) {
    this.#judge = new PaymentJudge(options);
    this.#limits = options.limits ?? DEFAULT_REQUEST_LIMITS;
    this.#free = options.free ?? new Set(['Path', 'PathErr', 'ResvErr']);
    this.#isExposureLimited = options.policy.some(asksForExposure);
  }

  get cache(): CredentialCache {
    return this.#judge.cache;
  }

  /**
   * `covered` is what the PEP's incoming reservations for a session were granted, bit/s: a merged or outgoing message
   * carries no payment of its own.
   */
  decide(
    request: PaymentRequest,
    now: number,
    covered: (session: string) => number | undefined = () => undefined,
    spent: Spent = NOTHING_SPENT,
  ): Verdict {
    try {
      return this.#decide(request, now, covered, spent);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.refuse(request, error);
    }
  }

  /** Would what was granted be granted now? The attributes are those of then, but for date and time. */
  again(
    request: PaymentRequest,
    granted: Pick<Verdict, 'payment' | 'attributes'>,
    now: number,
    spent: Spent = NOTHING_SPENT,
  ): Verdict {
    const { payment } = granted;
    if (payment === undefined) throw new TypeError('granted: was not paid for');
    const attributes = atTime(granted.attributes, now);
    try {
      return this.#judgePayment(request, payment, attributes, spent);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.refuse(request, error, attributes);
    }
  }

  /**
   * The keys whose signatures prove that a verdict is their doing: who paid, who signed for more than they may, whose nonce
   * it was that is spent. Nobody, where somebody else could have brought it about. See `signers.ts`.
   */
  signers(
    request: Pick<PaymentRequest, 'linkName'>,
    credentials: readonly Assertion[],
    { payment, refusal, answer, attributes }: Verdict,
  ): readonly Signer[] {
    const { algorithms } = this.options;
    const action = { attributes, credentials, ...this.#requesters(request) };
    if (payment !== undefined) return signersOf(this.#judge, action, algorithms, payment.payers);
    if (refusal?.reason === 'nonce-spent') return signersOf(this.#judge, action, algorithms);
    return answer === undefined ? [] : overdrawersOf(this.#judge, action, answer, algorithms);
  }

  /** A refusal, as it goes back to the router. */
  refuse(
    request: Pick<PaymentRequest, 'node'>,
    refusal: Refusal,
    attributes: ReadonlyMap<string, string> = NO_ATTRIBUTES,
    answer?: Answer,
  ): Verdict {
    const { reason } = refusal;
    const text = presentable(refusal.text);
    return {
      granted: false,
      reason: text,
      refusal: { reason, text },
      attributes,
      errorObjects: errorObjects(refusal, request.node ?? '0.0.0.0'),
      ...(answer === undefined ? {} : { answer }),
    };
  }

  /** Can what it grants change with the time of day? (With the date it always can.) */
  asksForTime(credentials: readonly Assertion[]): boolean {
    return [...this.options.policy, ...credentials].some(asksForTime);
  }

  /** `0.44 USD is paid by Alice` */
  paidText(
    { amount, currency, payers }: Pick<Payment, 'amount' | 'currency' | 'payers'>,
    how: 'is paid' | 'was paid before',
  ): string {
    const { names = NO_NAMES } = this.options;
    return `${amount} ${currency} ${how} by ${payers.map((payer) => nameOf(payer, names)).join(', ')}`;
  }

  #decide(
    request: PaymentRequest,
    now: number,
    covered: (session: string) => number | undefined,
    spent: Spent,
  ): Verdict {
    if (this.#free.has(request.message)) {
      return { granted: true, reason: `${request.message} needs no payment`, attributes: NO_ATTRIBUTES };
    }
    const { appDomain } = this.options;
    const { attributes, flow, traffic } = observe({ ...request, appDomain, linkName: request.linkName, now });
    if (!request.incoming && !hasPayment(request.objects)) {
      const bandwidth = request.allocation ? Number(traffic.bandwidth ?? 0) : 0;
      return derived(flow.session, bandwidth, covered(flow.session), attributes);
    }
    this.options.admit?.(request, flow.hop);
    if (traffic.bandwidth === undefined)
      throw new Refused('bad-request', 'the reservation has no FLOWSPEC of RFC 2210');
    const presented = present(request.objects, this.#limits);
    for (const [name, value] of presented.claims) attributes.set(name, value);
    // What refers to nothing is found before anything is parsed: it does not count against its sender.
    presented.credentials.forEach((credential, i) => 'sha256' in credential && this.#parse(credential, i));
    const credentials = presented.credentials.map((credential, i) => this.#parse(credential, i));
    this.options.screen?.(request, credentials);
    const { amount, currency, nonce } = presented;
    const payment = {
      amount,
      currency,
      nonce,
      duration: this.#duration(presented.duration),
      session: flow.session,
      reservation: flow.reservation,
      bandwidth: Number(traffic.bandwidth),
      credentials,
      requesters: this.#requesters(request),
    };
    return this.#judgePayment(request, payment, attributes, spent);
  }

  #judgePayment(
    request: PaymentRequest,
    payment: Omit<Payment, 'payers' | 'checks' | 'totalled' | 'isExposureLimited'>,
    attributes: Map<string, string>,
    spent: Spent,
  ): Verdict {
    const { amount, currency, nonce, requesters } = payment;
    const [credentials, revoked] = this.#withoutRevoked(payment.credentials);
    const sum = BigInt(toMillionths(amount));
    attributes.set('exposure', comparableSum(spent.exposure + sum));
    const totals = totalsOf(credentials, sum, spent);
    const action: Action = {
      attributes,
      credentials,
      ...requesters,
      ...(totals === undefined ? {} : { attributesOf: (assertion) => totals.get(assertion) }),
    };
    const answer = this.#judge.ask(action);
    if (answer.index === 0) {
      const refusal = revoked ?? whyRefused(answer, this.options.names);
      return this.refuse(request, refusal, attributes, answer);
    }
    const binders = this.#judge.payers(action);
    const payers = binders.map(({ principal }) => principal);
    if (payers.length === 0)
      throw new Refused('nonce-unbound', `no credential in the chain binds the nonce \`${nonce}\``);
    return {
      granted: true,
      reason: this.paidText({ amount, currency, payers }, 'is paid'),
      payment: {
        ...payment,
        credentials,
        checks: binders.flatMap(({ checks }) => checks),
        payers,
        totalled: totals === undefined ? [] : Array.from(totals.keys(), ({ digest }) => digest),
        isExposureLimited: this.#isExposureLimited,
      },
      attributes,
      answer,
    };
  }

  #requesters({ linkName }: Pick<PaymentRequest, 'linkName'>): Payment['requesters'] {
    const { routes, nodeKeys } = this.options;
    const route = (linkName === undefined ? undefined : routes?.byLink?.get(linkName)) ?? routes?.other;
    return {
      ...(route === undefined ? {} : { route }),
      ...(nodeKeys === undefined || nodeKeys.length === 0 ? {} : { nodeKeys }),
    };
  }

  #duration(claimed: number | undefined): number | undefined {
    const { duration: most } = this.options;
    if (claimed !== undefined && most !== undefined && claimed > most)
      throw new Refused('bad-claim', `the claimed duration ${claimed} is not <= ${most} seconds`);
    return claimed ?? most;
  }

  /** The credentials that count, and the refusal to give where the others are missed. */
  #withoutRevoked(all: readonly Assertion[]): [readonly Assertion[], Refusal | undefined] {
    const { revoked } = this.options;
    if (revoked === undefined) return [all, undefined];
    let text: string | undefined;
    const credentials = all.filter((credential) => {
      const why = revoked(credential);
      text ??= why;
      return why === undefined;
    });
    return [credentials, text === undefined ? undefined : { reason: 'revoked', text }];
  }

  #parse(credential: PresentedCredential, position: number): Assertion {
    if ('sha256' in credential) {
      const known = this.cache.find(credential.sha256);
      if (known !== undefined) return known;
      throw new Refused(
        'unknown-reference',
        `credential ${position + 1} refers to ${credential.sha256}, which is not held: send it whole`,
      );
    }
    try {
      return this.cache.parse(credential.text);
    } catch (error) {
      if (!(error instanceof KeyNoteSyntaxError)) throw error;
      throw new Refused('bad-credential', `credential ${position + 1}, line ${error.line}: ${error.message}`);
    }
  }
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** What `total` is in each credential that asks for it; undefined where none does. */
function totalsOf(
  credentials: readonly Assertion[],
  sum: bigint,
  spent: Spent,
): ReadonlyMap<Assertion, ReadonlyMap<string, string>> | undefined {
  const asking = credentials.filter(asksForTotal);
  if (asking.length === 0) return undefined;
  return new Map(
    asking.map((credential) => {
      const total = comparableSum(spent.total(credential.digest) + sum);
      return [credential, new Map([['total', total]])];
    }),
  );
}

/**
 * A merged allocation or an outgoing message carries no payment of its own (RFC 2749 2.3, 5.2): it is covered by what
 * this PEP's incoming reservations for the session were granted, and by nothing more.
 */
function derived(
  session: string,
  bandwidth: number,
  covered: number | undefined,
  attributes: ReadonlyMap<string, string>,
): Verdict {
  if (covered === undefined)
    throw new Refused('no-payment', `no incoming reservation for ${session} was granted`);
  if (bandwidth > covered) {
    throw new Refused(
      'bandwidth-exceeded',
      `bandwidth ${bandwidth} is not <= ${covered}, which was granted for ${session}`,
    );
  }
  return { granted: true, reason: `covered by a reservation granted for ${session}`, attributes };
}
