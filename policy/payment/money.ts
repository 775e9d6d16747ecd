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
/** Sums are kept in millionths. */
const MAX_DECIMALS = 6;
const MAX_WHOLE_DIGITS = 9;

/** What is wrong with an amount; undefined for a good one. Zero, a sign, an exponent are not amounts. */
export function amountProblem(text: string): string | undefined {
  if (!AMOUNT.test(text)) return 'is not a decimal amount like 0.44';
  const [whole = ''] = text.split('.');
  if (whole.length > MAX_WHOLE_DIGITS || text.replace('.', '').replace(/0+$/, '').length > MAX_DIGITS)
    return `has more than ${MAX_DIGITS} significant digits, or than ${MAX_WHOLE_DIGITS} before the point`;
  if ((text.split('.')[1] ?? '').replace(/0+$/, '').length > MAX_DECIMALS)
    return `has more than ${MAX_DECIMALS} digits behind the point`;
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

/** Millionths of an amount that `amountProblem` found nothing wrong with: exact, and below 2^53. */
export function toMillionths(amount: string): number {
  const [whole = '', fraction = ''] = amount.split('.');
  return Number(whole + fraction.slice(0, MAX_DECIMALS).padEnd(MAX_DECIMALS, '0'));
}

/** A sum as text: `10.44`. */
export function fromMillionths(sum: bigint | number): string {
  const text = String(sum < 0 ? -sum : sum).padStart(MAX_DECIMALS + 1, '0');
  const fraction = text.slice(-MAX_DECIMALS).replace(/0{1,4}$/, '');
  return `${sum < 0 ? '-' : ''}${text.slice(0, -MAX_DECIMALS)}.${fraction}`;
}

/**
 * A sum for a condition to compare: with more digits than a KeyNote float tells apart it is rounded up, so that a limit holds
 * all the same.
 */
export function comparableSum(sum: bigint): string {
  const digits = String(sum).length;
  if (digits <= MAX_DIGITS) return fromMillionths(sum);
  const unit = 10n ** BigInt(digits - MAX_DIGITS);
  return fromMillionths(((sum + unit - 1n) / unit) * unit);
}
