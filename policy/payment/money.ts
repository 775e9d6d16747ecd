/**
 * Amounts are decimals, never floats. Conditions compare them as ANSI C `float`s (RFC 2704 4.4), so an amount has at most
 * seven significant digits and nine before the point: up to there, and not beyond, each decimal has a float of its own,
 * and `0.439999999` cannot pass for `0.44`.
 */
export interface Money {
  /** As written: `0.44`. A check signs the text, so the text is what is compared and kept. */
  readonly amount: string;
  /** ISO 4217 form: three capital letters. */
  readonly currency: string;
}

const AMOUNT = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;
const MAX_DIGITS = 7;
const MAX_WHOLE_DIGITS = 9;

/** What is wrong with an amount; undefined for a good one. Zero, a sign, an exponent are not amounts. */
export function amountProblem(text: string): string | undefined {
  if (!AMOUNT.test(text)) return 'is not a decimal amount like 0.44';
  const [whole = ''] = text.split('.');
  if (whole.length > MAX_WHOLE_DIGITS || text.replace('.', '').replace(/0+$/, '').length > MAX_DIGITS)
    return `has more than ${MAX_DIGITS} significant digits, or than ${MAX_WHOLE_DIGITS} before the point`;
  if (!/[1-9]/.test(text)) return 'is zero';
  return undefined;
}

export function isCurrency(text: string): boolean {
  return /^[A-Z]{3}$/.test(text);
}

export const MAX_NONCE = 128;

/** Printable ASCII, as all of a claim is. */
export function isNonce(text: string): boolean {
  return text.length <= MAX_NONCE && /^[ -~]+$/.test(text);
}
