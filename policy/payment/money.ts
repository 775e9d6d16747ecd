/**
 * Amounts are decimals, never floats. KeyNote compares them as floating-point numbers (RFC 2704 4.6.5), so an amount has
 * at most fifteen digits: those, and no more, a double tells apart, and no amount compares equal to another one.
 */
export interface Money {
  /** As written: `0.44`. A check signs the text, so the text is what is compared and kept. */
  readonly amount: string;
  /** ISO 4217 form: three capital letters. */
  readonly currency: string;
}

const AMOUNT = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;
const MAX_DIGITS = 15;

/** What is wrong with an amount; undefined for a good one. Zero, a sign, an exponent are not amounts. */
export function amountProblem(text: string): string | undefined {
  if (!AMOUNT.test(text)) return 'is not a decimal amount like 0.44';
  if (text.replace('.', '').length > MAX_DIGITS) return `has more than ${MAX_DIGITS} digits`;
  if (!/[1-9]/.test(text)) return 'is zero';
  return undefined;
}

export function isCurrency(text: string): boolean {
  return /^[A-Z]{3}$/.test(text);
}
