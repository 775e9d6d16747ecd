/**
 * What untrusted text may cost. A limit that is met in the text is a syntax error; one that is met
 * while a test is evaluated is a runtime error, which makes the test false (RFC 2704 5.3.4): neither
 * ever grants anything.
 */
export interface Limits {
  /** Octets of one assertion. */
  readonly textLength: number;
  /** Nesting of parentheses, blocks and prefix operators. */
  readonly depth: number;
  /** Operators of one class in a row. */
  readonly chain: number;
  /** Nodes of one assertion's expressions: operands, operators, clauses, principals. */
  readonly terms: number;
  /** Assertions of one query, policy and credentials together. */
  readonly assertions: number;
  /** Characters of a string that an expression builds. RFC 2704 3 guarantees 2048. */
  readonly stringLength: number;
  /** Instructions of one compiled regular expression. */
  readonly regexSize: number;
  /** Steps of one query and its explanation: tests, regular-expression states visited, eights of characters handled. */
  readonly work: number;
  /** Wrong signatures of one query; after so many the others are taken for wrong unread. */
  readonly wrongSignatures: number;
}

export const DEFAULT_LIMITS: Limits = {
  textLength: 1 << 16,
  depth: 200,
  chain: 1000,
  terms: 20_000,
  assertions: 1000,
  stringLength: 1 << 16,
  regexSize: 4000,
  work: 5_000_000,
  wrongSignatures: 1000,
};

/** For text that anybody may send: far above what credentials need, far below what hurts. */
export const STRANGER_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  depth: 64,
  terms: 1000,
  work: 100_000,
  wrongSignatures: 4,
};
