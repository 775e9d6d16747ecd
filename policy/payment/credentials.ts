import { quote } from '../keynote/index.js';
import { amountProblem, isCurrency, isNonce, MAX_NONCE } from './money.js';
import type { Money } from './money.js';

/**
 * The three credentials of a paid reservation, as unsigned KeyNote assertions. What they say is what the paper's
 * credentials say; a caller adds conditions of its own with `also`.
 */
export interface CredentialParties {
  /** Principal that signs. */
  readonly from: string;
  /** Principal that is authorized. */
  readonly to: string;
  readonly appDomain: string;
  /** First day on which it holds no more, `YYYYMMDD` in UTC. */
  readonly until?: string;
  /** A KeyNote expression that must hold as well. */
  readonly also?: string;
}

/** What a check may be worth: at most an amount, or less than one (as the paper writes it). */
export type Limit = { readonly atMost: Money } | { readonly below: Money };

/** A content provider lets a customer write checks up to a limit. */
export function creditAuthorization(
  parties: CredentialParties & {
    readonly limit: Limit;
    /** Most that all its checks may be worth together, at one ISP. */
    readonly total?: string;
  },
): string {
  const [operator, money] =
    'atMost' in parties.limit ? ['<=', parties.limit.atMost] : ['<', parties.limit.below];
  return assertion(`credit authorization`, parties, [
    `currency == ${quote(checkedMoney(money).currency)}`,
    `&amount ${operator} ${float(money.amount)}`,
    ...(parties.total === undefined
      ? []
      : [`&total <= ${float(checkedMoney({ ...money, amount: parties.total }).amount)}`]),
  ]);
}

export interface OfferTerms {
  /** Least price of the reservation. */
  readonly price: Money;
  /** Most bandwidth, bit/s. */
  readonly bandwidth: number;
  readonly linkName?: string;
  /** The longest that one payment buys, in seconds; a request must then claim its `duration`. */
  readonly duration?: number;
}

/** An ISP sells bandwidth on a link, for at least a price, to whoever asks by the licensed (route) key. */
export function offer(parties: CredentialParties & OfferTerms): string {
  if (!Number.isSafeInteger(parties.bandwidth) || parties.bandwidth <= 0) {
    throw new RangeError(`bandwidth: ${parties.bandwidth} is not a positive whole number of bit/s`);
  }
  return assertion('offer', parties, [
    `currency == ${quote(checkedMoney(parties.price).currency)}`,
    `&bandwidth <= ${float(String(parties.bandwidth))}`,
    ...(parties.linkName === undefined ? [] : [`link_name == ${quote(parties.linkName)}`]),
    `&amount >= ${float(parties.price.amount)}`,
    ...(parties.duration === undefined
      ? []
      : [`@duration >= 1 && @duration <= ${checkedSeconds(parties.duration)}`]),
  ]);
}

export interface CheckTerms {
  readonly money: Money;
  /** Random text that only this check carries. */
  readonly nonce: string;
  /** The day on which it is good, `YYYYMMDD` in UTC. */
  readonly date?: string;
  /** For how long it pays, in seconds. */
  readonly duration?: number;
  /** Binds the check to its reservation: a thief who overhears it gets nothing. */
  readonly session?: { readonly address: string; readonly protocol: number; readonly port: number };
}

/** A customer pays an ISP for one reservation. */
export function microcheck(parties: CredentialParties & CheckTerms): string {
  const { money, nonce, date, duration, session } = parties;
  if (!isNonce(nonce))
    throw new RangeError(`nonce: expected 1 to ${MAX_NONCE} characters of printable ASCII`);
  return assertion('microcheck', parties, [
    `currency == ${quote(checkedMoney(money).currency)}`,
    `amount == ${quote(money.amount)}`,
    `nonce == ${quote(nonce)}`,
    ...(date === undefined ? [] : [`date == ${quote(checkedDate(date))}`]),
    ...(duration === undefined ? [] : [`duration == ${quote(String(checkedSeconds(duration)))}`]),
    ...(session === undefined
      ? []
      : [
          `session_address == ${quote(session.address)}`,
          `session_protocol == ${quote(String(session.protocol))}`,
          `session_port == ${quote(String(session.port))}`,
        ]),
  ]);
}

/** A KeyNote float literal has a point; without one it is an integer, which no float compares with (RFC 2704 4.3.2). */
function float(decimal: string): string {
  return decimal.includes('.') ? decimal : `${decimal}.0`;
}

function assertion(what: string, parties: CredentialParties, conditions: readonly string[]): string {
  const clauses = [
    `app_domain == ${quote(parties.appDomain)}`,
    ...conditions,
    ...(parties.until === undefined ? [] : [`date < ${quote(checkedDate(parties.until))}`]),
    ...(parties.also === undefined ? [] : [`(${parties.also})`]),
  ];
  return [
    'KeyNote-Version: 2',
    `Comment: ${what}`,
    `Authorizer: ${quote(parties.from)}`,
    `Licensees: ${quote(parties.to)}`,
    `Conditions: ${clauses.join(' &&\n    ')}\n    -> "true";`,
    '',
  ].join('\n');
}

function checkedMoney(money: Money): Money {
  const problem = amountProblem(money.amount);
  if (problem !== undefined) throw new RangeError(`amount: \`${money.amount}\` ${problem}`);
  if (!isCurrency(money.currency))
    throw new RangeError(`currency: \`${money.currency}\` is not three capital letters`);
  return money;
}

function checkedSeconds(seconds: number): number {
  if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > 999_999_999)
    throw new RangeError(`duration: ${seconds} is not a whole number of seconds from 1 to 999999999`);
  return seconds;
}

function checkedDate(date: string): string {
  if (!/^\d{8}$/.test(date)) throw new RangeError(`date: \`${date}\` is not YYYYMMDD`);
  return date;
}
