/** The KeyNote trust-management system, version 2 (RFC 2704, RFC 2792). See README.md in this folder. */
export {
  Assertion,
  credentialDigest,
  parseAssertion,
  parseAssertions,
  splitAssertions,
} from './assertion.js';
export type { Field, FieldName, Paragraph } from './assertion.js';
export { authorOf, licenseesOf } from './author.js';
export { algorithmPolicy, CLASSIC, MODERN, SIGNATURE_ALGORITHMS } from './algorithms.js';
export type { AlgorithmChoice, AlgorithmPolicy } from './algorithms.js';
export { CredentialCache } from './cache.js';
export type { CacheOptions } from './cache.js';
export { KeyNoteKeyError, KeyNoteQueryError, KeyNoteRuntimeError, KeyNoteSyntaxError } from './error.js';
export type { AssertionReport, Explanation, Failure, PrincipalReport } from './explain.js';
export { formatExplanation } from './explain-text.js';
export { quote } from './lexer.js';
export { DEFAULT_LIMITS, STRANGER_LIMITS } from './limits.js';
export type { Limits } from './limits.js';
export { keyFingerprint, parsePrincipal, Principal } from './principal.js';
export type { PrincipalKind } from './principal.js';
export { formatAssertion } from './printer.js';
export { parsePrivateKey, parsePublicKey, PrivateKey, publicPrincipal } from './private-key.js';
export { conditionsValue, query } from './query.js';
export type { Action, Answer, Query } from './query.js';
export { recoverPayload, signAssertion, verifyAssertion } from './signature.js';
export type { Verdict, VerifyOptions } from './signature.js';
export type { Comparison } from './why-false.js';
