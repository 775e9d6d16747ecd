import {
  conditionsValue,
  CredentialCache,
  KeyNoteSyntaxError,
  query,
  STRANGER_LIMITS,
} from '../keynote/index.js';
import type { AlgorithmChoice, Answer, Assertion, Principal } from '../keynote/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { observe } from './attributes.js';
import { bindersOf, withAnotherNonce, isSigned, signedRequests } from './binding.js';
import type { SignedRequest } from './binding.js';
import { errorObjects } from './error-objects.js';
import { MemoryNonces } from './nonces.js';
import type { NonceKey, NonceRegistry } from './nonces.js';
import { nameOf, whyRefused } from './reason.js';
import { presentable, Refused } from './refusal.js';
import type { Refusal } from './refusal.js';
import { DEFAULT_REQUEST_LIMITS, hasPayment, present } from './request.js';
import type { PresentedCredential, RequestLimits } from './request.js';
import { Granted } from './granted.js';

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
  /**
   * Keys of the policy node itself. Whoever signed, to one of these keys, an assertion that holds for this very request,
   * is a requester too: the signature is the request (`NE-12 -> ISP -> CP -> ALICE`).
   */
  readonly nodeKeys?: readonly string[];
  readonly algorithms?: AlgorithmChoice;
  readonly limits?: RequestLimits;
  readonly nonces?: NonceRegistry;
  readonly cache?: CredentialCache;
  /** Names of keys for messages, by principal id. */
  readonly names?: ReadonlyMap<string, string>;
  /** Message types that pass without payment; default all but Resv. */
  readonly free?: ReadonlySet<string>;
}

/** A request of a router, as its message and its configuration tell it. */
export interface PaymentRequest {
  /** The PEP and its handle: who holds what is granted. */
  readonly holder: string;
  readonly pepId: string;
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

/** What was paid, for the books. */
export interface Payment {
  readonly amount: string;
  readonly currency: string;
  readonly nonce: string;
  /** The keys that bound the nonce: who pays. */
  readonly payers: readonly Principal[];
  readonly reservation: string;
  /** Has the nonce paid for this reservation before: a refresh, or another router on the path? */
  readonly again: boolean;
}

export interface Verdict {
  readonly granted: boolean;
  /** One line for people. */
  readonly reason: string;
  readonly refusal?: Refusal;
  readonly payment?: Payment;
  /** Action attributes as they were judged. */
  readonly attributes: ReadonlyMap<string, string>;
  /** ERROR_SPEC and POLICY_DATA for the error message that a refusal triggers. */
  readonly errorObjects?: readonly WireObject[];
  /** KeyNote's own answer, with its explanation; undefined where it was not asked. */
  readonly answer?: Answer;
}

/** How every request is asked about. A rate that wrapped around would pass below any limit. */
const ACTION = { values: ['false', 'true'], integers: 'refuse', limits: STRANGER_LIMITS } as const;
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/**
 * Judges RSVP requests by the credentials they carry. One instance holds the policy, the verified credentials and the
 * nonces; a request is decided from its own octets, the configuration and `now`, without I/O.
 *
 * Order is cost: sizes and claims first, then the query with signatures taken for granted, and only where that would
 * grant are signatures verified (`query` does so by itself). So a bogus request costs its sender more than us.
 */
export class PaymentPolicy {
  readonly cache: CredentialCache;
  readonly nonces: NonceRegistry;
  readonly #granted = new Granted();
  readonly #limits: RequestLimits;
  readonly #free: ReadonlySet<string>;

  constructor(private readonly options: PaymentOptions) {
    this.cache = options.cache ?? new CredentialCache();
    this.nonces = options.nonces ?? new MemoryNonces();
    this.#limits = options.limits ?? DEFAULT_REQUEST_LIMITS;
    this.#free = options.free ?? new Set(['Path', 'PathErr', 'ResvErr']);
  }

  decide(request: PaymentRequest, now: number): Verdict {
    try {
      return this.#judge(request, now);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.#refuse(request, error, NO_ATTRIBUTES);
    }
  }

  /** The PEP says whether it could install what was granted. */
  report(holder: string, success: boolean): void {
    const grant = this.#granted.of(holder);
    if (grant === undefined) return;
    if (success) this.nonces.commit(grant.reservation);
    else this.forget(holder);
  }

  /** The PEP deleted the request, or is lost. */
  forget(holder: string): void {
    const grant = this.#granted.remove(holder);
    if (grant !== undefined) this.nonces.release(grant.reservation, holder);
  }

  #judge(request: PaymentRequest, now: number): Verdict {
    if (this.#free.has(request.message)) {
      return { granted: true, reason: `${request.message} needs no payment`, attributes: NO_ATTRIBUTES };
    }
    const { appDomain } = this.options;
    const { attributes, flow, traffic } = observe({ ...request, appDomain, linkName: request.linkName, now });
    if (!request.incoming && !hasPayment(request.objects)) {
      return this.#derived(request, attributes, flow.session, Number(traffic.bandwidth ?? 0));
    }
    if (traffic.bandwidth === undefined)
      throw new Refused('bad-request', 'the reservation has no FLOWSPEC of RFC 2210');
    const presented = present(request.objects, this.#limits);
    for (const [name, value] of presented.claims) attributes.set(name, value);
    const credentials = presented.credentials.map((credential, i) => this.#parse(credential, i));
    const ask = (by: readonly Assertion[]): Answer => this.#query(request, by, attributes);
    const answer = ask(credentials);
    if (answer.index === 0)
      return this.#refuse(request, whyRefused(answer, this.options.names), attributes, answer);
    const payers = payersOf(presented.nonce, attributes, credentials, ask);
    const { reservation, session } = flow;
    const again = this.#hold(payers, presented.nonce, reservation, request, now);
    this.#granted.add(request.holder, {
      pepId: request.pepId,
      session,
      reservation,
      bandwidth: Number(traffic.bandwidth),
    });
    const { amount, currency, nonce } = presented;
    const names = payers
      .map((payer) => nameOf(payer, this.options.names ?? new Map<string, string>()))
      .join(', ');
    return {
      granted: true,
      reason: `${amount} ${currency} ${again ? 'was paid before' : 'is paid'} by ${names}`,
      payment: { amount, currency, nonce, payers, reservation, again },
      attributes,
      answer,
    };
  }

  /** Takes the nonce for the reservation; was it already? */
  #hold(
    payers: readonly Principal[],
    nonce: string,
    reservation: string,
    request: PaymentRequest,
    now: number,
  ): boolean {
    const keys = payers.map((payer): NonceKey => ({ payer: payer.id, nonce }));
    const used = this.nonces.hold(keys, reservation, request.holder, now);
    if (typeof used === 'object') {
      const since = new Date(used.since).toISOString();
      throw new Refused('nonce-spent', `nonce \`${nonce}\` has paid for ${used.reservation} since ${since}`);
    }
    const before = this.#granted.of(request.holder);
    if (before !== undefined && before.reservation !== reservation) {
      this.nonces.release(before.reservation, request.holder);
    }
    return used === 'again';
  }

  /**
   * A merged allocation or an outgoing message carries no payment of its own (RFC 2749 2.3, 5.2): it is covered by what
   * this PEP's incoming reservations for the session were granted, and by nothing more.
   */
  #derived(
    request: PaymentRequest,
    attributes: ReadonlyMap<string, string>,
    session: string,
    bandwidth: number,
  ): Verdict {
    const covered = this.#granted.bandwidth(request.pepId, session);
    if (covered === undefined)
      throw new Refused('no-payment', `no incoming reservation for ${session} was granted`);
    if (request.allocation && bandwidth > covered) {
      throw new Refused(
        'bandwidth-exceeded',
        `bandwidth ${bandwidth} is not <= ${covered}, which was granted for ${session}`,
      );
    }
    return { granted: true, reason: `covered by a reservation granted for ${session}`, attributes };
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

  #query(
    request: PaymentRequest,
    credentials: readonly Assertion[],
    attributes: ReadonlyMap<string, string>,
  ): Answer {
    const { policy, algorithms = 'modern', routes, nodeKeys } = this.options;
    const route =
      (request.linkName === undefined ? undefined : routes?.byLink?.get(request.linkName)) ?? routes?.other;
    const common = { ...ACTION, attributes, algorithms, cache: this.cache };
    const ask = (signed: readonly SignedRequest[]): Answer => {
      const authors = signed.map(({ author }) => author.text);
      const authorizers = route === undefined ? authors : [route, ...authors];
      return query({ ...common, policy, credentials, authorizers });
    };
    if (nodeKeys === undefined) return ask([]);
    const presented = signedRequests(nodeKeys, credentials, common);
    const answer = ask(presented);
    if (answer.index === 0) return answer;
    const signed = presented.filter((one) => isSigned(nodeKeys, one, common));
    return signed.length === presented.length ? answer : ask(signed);
  }

  #refuse(
    request: PaymentRequest,
    refusal: Refusal,
    attributes: ReadonlyMap<string, string>,
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
}

/** The keys in whose name the nonce is spent. A check that binds no nonce could be presented for ever: it is refused. */
function payersOf(
  nonce: string,
  attributes: ReadonlyMap<string, string>,
  credentials: readonly Assertion[],
  ask: (by: readonly Assertion[]) => Answer,
): readonly Principal[] {
  const action = { ...ACTION, authorizers: [] };
  const actions = {
    this: { ...action, attributes },
    another: { ...action, attributes: withAnotherNonce(attributes) },
  };
  const payers = bindersOf(
    credentials,
    (by) => ask(by).index > 0,
    (credential, which) => conditionsValue(credential, actions[which]) > 0,
  );
  if (payers.length > 0) return payers;
  throw new Refused('nonce-unbound', `no credential in the chain binds the nonce \`${nonce}\``);
}
