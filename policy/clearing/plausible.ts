import { amountProblem, isCurrency, isNonce } from '../payment/index.js';
import { toMinor } from './currency.js';
import type { Claim } from './deposit.js';
import { refuse } from './refuse.js';
import { TEXT_LIMITS } from './terms.js';
import type { Terms } from './terms.js';

/** How far the grant's own clock attributes may be from its time: they are read a moment apart. */
const CLOCK_READINGS = 60_000;

/**
 * The cheap half of a judgement: sizes, forms, and whether a claim agrees with its own attributes. Throws `ClaimRefused`;
 * returns the amount in minor units.
 */
export function checkPlausible(claim: Claim, terms: Terms, now: number): bigint {
  checkSizes(claim, terms);
  const minor = checkMoney(claim, terms);
  checkAgreement(claim, terms);
  checkTimes(claim, terms, now);
  return minor;
}

function checkSizes(claim: Claim, { limits }: Terms): void {
  const { attributes, credentials, payers, nodeKeys = [], route } = claim;
  most('credentials', credentials.length, limits.credentials);
  most('payers', payers.length, limits.payers);
  most('nodeKeys', nodeKeys.length, limits.payers);
  most('attributes', Object.keys(attributes).length, limits.attributes);
  if (credentials.length === 0) refuse('there are no credentials');
  if (payers.length === 0) refuse('there are no payers');
  text('id', claim.id, TEXT_LIMITS.id);
  text('reservation', claim.reservation, TEXT_LIMITS.reservation);
  text('pepId', claim.pepId, TEXT_LIMITS.pepId);
  text('linkName', claim.linkName ?? '', TEXT_LIMITS.linkName);
  for (const key of [...payers, ...nodeKeys, route ?? '']) text('a principal', key, TEXT_LIMITS.principal);
  for (const [name, value] of Object.entries(attributes)) {
    text('an attribute name', name, TEXT_LIMITS.name);
    text(`attribute ${name}`, value, TEXT_LIMITS.value);
  }
}

function most(what: string, count: number, limit: number): void {
  if (count > limit) refuse(`${count} ${what} are more than ${limit}`);
}

/** Control characters and halves of characters cannot be stored, nor shown. */
function text(what: string, value: string, limit: number): void {
  if (value.length > limit) refuse(`${what} has ${value.length} characters, at most ${limit} are taken`);
  if (/[\p{Cc}\p{Cs}]/u.test(value)) refuse(`${what} has a control character`);
}

function checkMoney({ amount, currency, nonce }: Claim, { currencies }: Terms): bigint {
  const problem = amountProblem(amount);
  if (problem !== undefined) refuse(`amount \`${amount.slice(0, 40)}\` ${problem}`);
  if (!isCurrency(currency)) refuse(`currency \`${currency.slice(0, 40)}\` is not three capital letters`);
  if (!isNonce(nonce))
    refuse(`nonce \`${nonce.slice(0, 40)}\` is not 1 to 128 characters of printable ASCII`);
  const scale = currencies.get(currency);
  if (scale === undefined)
    return refuse(`${currency} is not cleared here, only ${[...currencies.keys()].join(', ')}`);
  const minor = toMinor(amount, scale);
  return minor ?? refuse(`amount ${amount} has more decimals than ${currency}, which has ${scale}`);
}

/** What is said twice is said the same: the attributes are what the credentials are asked about. */
function checkAgreement(claim: Claim, { appDomain }: Terms): void {
  const said: Readonly<Record<string, string | undefined>> = {
    app_domain: appDomain,
    amount: claim.amount,
    currency: claim.currency,
    nonce: claim.nonce,
    pep_id: claim.pepId,
    link_name: claim.linkName,
  };
  for (const [name, expected] of Object.entries(said)) {
    const found = attribute(claim, name);
    if (found !== expected && !(expected === undefined && found === ''))
      refuse(
        `attribute ${name} is ${found === undefined ? 'missing' : `\`${found}\``}, expected ${expected === undefined ? 'none' : `\`${expected}\``}`,
      );
  }
  const duration = attribute(claim, 'duration');
  if (duration !== undefined && Number(duration) !== claim.duration)
    refuse(`attribute duration is \`${duration}\`, expected \`${claim.duration ?? ''}\``);
}

function checkTimes(claim: Claim, { maxAge, skew }: Terms, now: number): void {
  const granted = instant('grantedAt', claim.grantedAt);
  if (granted > now + skew) refuse(`grantedAt ${claim.grantedAt} is in the future: it is ${iso(now)}`);
  if (granted < now - maxAge)
    refuse(`grantedAt ${claim.grantedAt} is before ${iso(now - maxAge)}: too old to be taken`);
  if (claim.committedAt !== undefined) {
    const committed = instant('committedAt', claim.committedAt);
    if (committed > now + skew)
      refuse(`committedAt ${claim.committedAt} is in the future: it is ${iso(now)}`);
    if (committed < granted - skew)
      refuse(`committedAt ${claim.committedAt} is before grantedAt ${claim.grantedAt}`);
  }
  const [date = '', time = ''] = [attribute(claim, 'date'), attribute(claim, 'time')];
  const read = Date.parse(
    `${date}T${time}Z`.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  if (!(Math.abs(read - granted) <= CLOCK_READINGS))
    refuse(`attributes date \`${date}\` and time \`${time}\` are not those of grantedAt ${claim.grantedAt}`);
}

/** An own member: `attributes` came from JSON. */
function attribute({ attributes }: Claim, name: string): string | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

function instant(what: string, value: string): number {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(time)
    ? refuse(`${what} \`${value.slice(0, 40)}\` is not a time as 2026-03-24T12:00:00Z`)
    : time;
}

/** ISO 8601 of milliseconds since 1970. */
export function iso(at: number | bigint): string {
  return new Date(Number(at)).toISOString();
}
