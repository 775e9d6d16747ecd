/**
 * Why a request is refused. One table from our reasons to what goes back on the wire: the error value of an ERROR_SPEC
 * with error code 2, Policy Control failure (RFC 2750 Appendix A), and the code in the element's error attribute.
 */
export interface RefusalKind {
  /** Code in the policy element's error attribute. */
  readonly code: number;
  /** Error value for ERROR_SPEC, RFC 2750 Appendix A. */
  readonly errorValue: number;
  readonly meaning: string;
}

export const POLICY_CONTROL_FAILURE = 2;

const ERR_REJECT = 3;
const ERR_EXCEED = 4;
const ERR_EXPIRED = 6;
const ERR_SERVER = 10;
const ERR_PE_BAD = 13;
const ERR_PD_MISS = 14;
const ERR_RSVP = 16;
const ERR_FL_SPEC = 19;

const kind = (code: number, errorValue: number, meaning: string): RefusalKind => ({
  code,
  errorValue,
  meaning,
});

export const REFUSALS = {
  'no-payment': kind(1, ERR_PD_MISS, 'the request carries no payment element'),
  'bad-element': kind(2, ERR_PE_BAD, 'the payment element is malformed'),
  'too-large': kind(3, ERR_EXCEED, 'more or larger credentials than the policy node accepts'),
  'bad-claim': kind(4, ERR_PE_BAD, 'a claimed attribute is malformed or missing'),
  'claim-overrides': kind(5, ERR_REJECT, 'a claim would override what the policy node observed'),
  'unknown-reference': kind(
    6,
    ERR_PD_MISS,
    'a credential is referred to that the policy node does not hold: send it whole',
  ),
  'bad-credential': kind(7, ERR_PE_BAD, 'a credential is malformed'),
  'bad-signature': kind(8, ERR_REJECT, 'the signature of a credential does not verify'),
  'not-authorized': kind(9, ERR_REJECT, 'the credentials do not authorize the request'),
  'nonce-unbound': kind(10, ERR_REJECT, 'no credential in the chain binds the nonce'),
  'nonce-spent': kind(11, ERR_EXCEED, 'the nonce has paid for another reservation'),
  'bad-request': kind(12, ERR_RSVP, 'RSVP objects are missing or malformed'),
  'bandwidth-exceeded': kind(13, ERR_FL_SPEC, 'more bandwidth than the offer allows'),
  expired: kind(14, ERR_EXPIRED, 'a credential has expired'),
  'time-over': kind(15, ERR_EXPIRED, 'the time that the nonce has paid for is over'),
  'total-exceeded': kind(16, ERR_EXCEED, 'more than a credential or the policy allows in total'),
  revoked: kind(17, ERR_REJECT, 'a key or a credential was revoked'),
  quarantined: kind(18, ERR_REJECT, 'whoever asks has failed too often of late'),
  'store-unavailable': kind(19, ERR_SERVER, 'the policy node cannot record the payment now'),
  unconfirmed: kind(20, ERR_EXPIRED, 'the router did not report that it installed the reservation'),
} as const satisfies Record<string, RefusalKind>;

export type RefusalReason = keyof typeof REFUSALS;

/**
 * Whom a refusal counts against, for the quarantine: nobody; the sender, which is the neighbour that the message came from
 * and its router; or the signer as well, the keys whose signatures prove that they did it.
 *
 * What anybody can bring about at will and what costs us a query must count, or it would be a way to fail for ever. What
 * happens to the honest in numbers must not: whose time is over, whose credential we forgot, who asks where we cannot answer.
 */
export const COUNTS_AGAINST: Readonly<Record<RefusalReason, 'nobody' | 'sender' | 'signer'>> = {
  // Costs nothing to refuse, and a router asks so about everybody who has not paid.
  'no-payment': 'nobody',
  'bad-element': 'sender',
  'too-large': 'sender',
  'bad-claim': 'sender',
  'claim-overrides': 'sender',
  // Ours: the credential was forgotten, all of them when we start anew. Found before anything else is parsed.
  'unknown-reference': 'nobody',
  'bad-credential': 'sender',
  // Anybody can write a wrong signature under anybody's name.
  'bad-signature': 'sender',
  'not-authorized': 'signer',
  // No key bound the nonce, so it is nobody's.
  'nonce-unbound': 'sender',
  'nonce-spent': 'signer',
  'bad-request': 'sender',
  // Chosen by whoever sends the FLOWSPEC, not by who signed.
  'bandwidth-exceeded': 'sender',
  // An old credential is anybody's to send.
  expired: 'sender',
  // Refreshes go on when the time is over that was paid for: of honest users, and of many at once.
  'time-over': 'nobody',
  'total-exceeded': 'signer',
  // An old authorization is anybody's to send.
  revoked: 'sender',
  // It was counted already.
  quarantined: 'nobody',
  // Ours, and not the user's fault.
  'store-unavailable': 'nobody',
  unconfirmed: 'nobody',
};

export interface Refusal {
  readonly reason: RefusalReason;
  /** One line for people: what, where, the values. */
  readonly text: string;
}

/** A refusal on its way from where it is found to where it is answered: never a crash, never a grant. */
export class Refused extends Error implements Refusal {
  constructor(
    readonly reason: RefusalReason,
    readonly text: string,
  ) {
    super(text);
    this.name = 'Refused';
  }
}

/**
 * What goes on the wire, into logs and to terminals: printable ASCII of a length that leaves an error message in one
 * packet. The text may quote credentials, which may be anything.
 */
export function presentable(text: string): string {
  const escaped = text.slice(0, MAX_TEXT).replace(/[^ -~]/g, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
  return text.length > MAX_TEXT || escaped.length > MAX_TEXT
    ? `${escaped.slice(0, MAX_TEXT - 3)}...`
    : escaped;
}

const MAX_TEXT = 512;

/** The table of ELEMENT.md. */
export function refusalsReference(): string {
  const rows = Object.entries(REFUSALS).map(
    ([name, { code, errorValue, meaning }]) =>
      `| ${code} | \`${name}\` | ${errorValue} ${VALUE_NAMES[errorValue] ?? ''} | ${meaning} | ${COUNTS_AGAINST[name as RefusalReason]} |\n`,
  );
  return `| code | reason | error value | meaning | counts against |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`;
}

const VALUE_NAMES: Readonly<Record<number, string>> = {
  [ERR_REJECT]: 'ERR_REJECT',
  [ERR_EXCEED]: 'ERR_EXCEED',
  [ERR_EXPIRED]: 'ERR_EXPIRED',
  [ERR_SERVER]: 'ERR_SERVER',
  [ERR_PE_BAD]: 'ERR_PE_BAD',
  [ERR_PD_MISS]: 'ERR_PD_MISS',
  [ERR_RSVP]: 'ERR_RSVP',
  [ERR_FL_SPEC]: 'ERR_FL_SPEC',
};
