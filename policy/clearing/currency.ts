/**
 * Money in the ledger is a whole number of minor units (cents), a bigint: exact, and it adds up. How many decimals a
 * currency has is its scale.
 */

/** ISO 4217: the currencies whose minor unit is not a hundredth. */
const SCALES: Readonly<Partial<Record<string, number>>> = {
  ...Object.fromEntries(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3])),
  CLF: 4,
  UYW: 4,
};
const USUAL_SCALE = 2;
/** Amounts have no more decimals (`amountProblem`). */
export const MAX_SCALE = 6;

/** Decimals of a currency, by ISO 4217. */
export function isoScale(currency: string): number {
  return SCALES[currency] ?? USUAL_SCALE;
}

/**
 * Minor units of an amount that `amountProblem` found nothing wrong with; undefined where it has more decimals than the
 * currency. Zeros at the end are not counted: they are in the text that was signed, and mean nothing.
 */
export function toMinor(amount: string, scale: number): bigint | undefined {
  const [whole = '', fraction = ''] = amount.split('.');
  const decimals = fraction.replace(/0+$/, '');
  return decimals.length > scale ? undefined : BigInt(whole + decimals.padEnd(scale, '0'));
}

/** `-0.44` of -44n at scale 2. */
export function fromMinor(minor: bigint, scale: number): string {
  const digits = String(minor < 0n ? -minor : minor).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${minor < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
}
