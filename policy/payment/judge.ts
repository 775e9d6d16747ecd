import { conditionsValue, CredentialCache, query, STRANGER_LIMITS } from '../keynote/index.js';
import type { AlgorithmChoice, Answer, Assertion } from '../keynote/index.js';
import { bindersOf, isSigned, signedRequests, withAnotherNonce } from './binding.js';
import type { Payer, SignedRequest } from './binding.js';

/** Whose word counts: the same for every payment. */
export interface JudgeOptions {
  /** KeyNote assertions that are trusted as they are. */
  readonly policy: readonly Assertion[];
  readonly algorithms?: AlgorithmChoice;
  readonly cache?: CredentialCache;
}

/** A payment: what is asked for, and the credentials that are to prove that somebody pays. */
export interface Action {
  /** Observed and claimed attributes. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly credentials: readonly Assertion[];
  /** Who requests, in KeyNote's sense: the ROUTE key that offers are made to. */
  readonly route?: string | undefined;
  /**
   * Keys of the policy node. Whoever signed, to one of these keys, an assertion that holds for this very request, is a
   * requester too: the signature is the request (`NE-12 -> ISP -> CP -> ALICE`).
   */
  readonly nodeKeys?: readonly string[] | undefined;
  /** Attributes that one assertion alone sees: what was paid under it before. */
  readonly attributesOf?: (assertion: Assertion) => ReadonlyMap<string, string> | undefined;
}

/** How every payment is asked about. A rate that wrapped around would pass below any limit. */
export const ACTION = { values: ['false', 'true'], integers: 'refuse', limits: STRANGER_LIMITS } as const;

/**
 * Does anybody pay? One KeyNote query with the policy of whoever asks: the ISP when it grants, the clearing centre when
 * it is asked to credit. Pure: what has been spent already is not known here.
 */
export class PaymentJudge {
  readonly cache: CredentialCache;

  constructor(private readonly options: JudgeOptions) {
    this.cache = options.cache ?? new CredentialCache();
  }

  ask(action: Action): Answer {
    const { policy, algorithms = 'modern' } = this.options;
    const { attributes, credentials, route, nodeKeys, attributesOf } = action;
    const common = {
      ...ACTION,
      attributes,
      algorithms,
      cache: this.cache,
      ...(attributesOf === undefined ? {} : { attributesOf }),
    };
    const ask = (signed: readonly SignedRequest[]): Answer => {
      const authors = signed.map(({ author }) => author.text);
      const authorizers = route === undefined ? authors : [route, ...authors];
      return query({ ...common, policy, credentials, authorizers });
    };
    if (nodeKeys === undefined || nodeKeys.length === 0) return ask([]);
    const presented = signedRequests(nodeKeys, credentials, common);
    const answer = ask(presented);
    if (answer.index === 0) return answer;
    const signed = presented.filter((one) => isSigned(nodeKeys, one, common));
    return signed.length === presented.length ? answer : ask(signed);
  }

  /**
   * In whose name a granted action spends its nonce: nobody where no credential binds it, and such a check could be presented
   * for ever.
   */
  payers(action: Action): readonly Payer[] {
    const { attributes, credentials } = action;
    const other = withAnotherNonce(attributes);
    return bindersOf(
      credentials,
      (by) => this.ask({ ...action, credentials: by }).index > 0,
      (credential, which) =>
        conditionsValue(credential, {
          ...ACTION,
          authorizers: [],
          attributes: which === 'this' ? attributes : other,
          ...(action.attributesOf === undefined ? {} : { attributesOf: action.attributesOf }),
        }) > 0,
    );
  }
}
