/** What this clearing centre takes, whoever hands it in. Times are milliseconds. */
export interface Terms {
  /** What `app_domain` must be. */
  readonly appDomain: string;
  /** The currencies that are cleared, and their decimals. */
  readonly currencies: ReadonlyMap<string, number>;
  /** How long after its grant a payment is taken. */
  readonly maxAge: number;
  /** How far a clock may be ahead of ours. */
  readonly skew: number;
  /** The longest that credit is held. */
  readonly maxHold: number;
  readonly limits: ClaimLimits;
}

/** What one deposit may cost us, checked before anything is parsed. */
export interface ClaimLimits {
  readonly credentials: number;
  /** Of all its credentials' texts together. */
  readonly octets: number;
  readonly attributes: number;
  readonly payers: number;
}

export const DAY = 86_400_000;

export const DEFAULT_TERMS: Omit<Terms, 'appDomain' | 'currencies'> = {
  maxAge: 90 * DAY,
  skew: 300_000,
  maxHold: DAY,
  limits: { credentials: 32, octets: 1 << 17, attributes: 64, payers: 8 },
};

/** Longest texts of a claim, characters. Principals are long where they are RSA keys. */
export const TEXT_LIMITS = {
  id: 128,
  reservation: 1024,
  pepId: 256,
  linkName: 256,
  principal: 4096,
  name: 128,
  value: 2048,
} as const;
