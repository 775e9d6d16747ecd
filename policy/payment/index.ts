/** The paper's payments: the policy element, the credentials, and how a reservation request is judged. */
export { attributesReference, isObserved, OBSERVED, OPTIONAL_CLAIMS, REQUIRED_CLAIMS } from './attributes.js';
export type { ObservedAttribute } from './attributes.js';
export { creditAuthorization, microcheck, offer } from './credentials.js';
export type { CheckTerms, CredentialParties, Limit, OfferTerms } from './credentials.js';
export { PaymentPolicy } from './decide.js';
export type { Payment, PaymentOptions, PaymentRequest, Spent, Verdict } from './decide.js';
export * from './element.js';
export { errorObjects } from './error-objects.js';
export { PaymentJudge } from './judge.js';
export type { Action, JudgeOptions } from './judge.js';
export type { Payer } from './binding.js';
export { amountProblem, fromMillionths, isCurrency, isNonce, toMillionths } from './money.js';
export type { Money } from './money.js';
export { whyRefused, nameOf } from './reason.js';
export { POLICY_CONTROL_FAILURE, Refused, REFUSALS } from './refusal.js';
export type { Refusal, RefusalKind, RefusalReason } from './refusal.js';
export { DEFAULT_REQUEST_LIMITS } from './request.js';
export type { RequestLimits } from './request.js';
