import {
  authorOf,
  credentialDigest,
  licenseesOf,
  parseAssertion,
  query,
  quote,
  STRANGER_LIMITS,
  verifyAssertion,
} from '../keynote/index.js';
import type { AlgorithmChoice, Assertion, Principal } from '../keynote/index.js';
import { printable } from '../../rsvp/wire/index.js';
import { atTime } from './attributes.js';
import { nameOf, titleOf } from './reason.js';

/*
 * A revocation is a KeyNote assertion: its Authorizer revokes, its Licensees field names what is revoked, and it is about an
 * application domain of its own (`Band-X-revocation`), so that no policy about reservations lets anybody revoke by accident.
 * Who may: whoever wrote the assertion, the key itself, and whomever the policy lets, by delegation as always. The query's
 * requester is the subject.
 */

/** A statement as it is stored. */
export interface RevocationRecord {
  /** The signed statement. */
  readonly text: string;
  /** The text of the assertion that it revokes, where it revokes one and its text is known. */
  readonly about: string | undefined;
  /** When it was stored, milliseconds. */
  readonly at: number;
}

/** A statement that counts. */
export interface Revocation {
  readonly subject: Principal;
  readonly by: Principal;
  readonly reason: string | undefined;
  readonly at: number;
}

export interface RevocationOptions {
  /** Trusted as it is. */
  readonly policy: readonly Assertion[];
  /** That of reservations. */
  readonly appDomain: string;
  readonly algorithms?: AlgorithmChoice;
  /** Names of keys for messages, by principal id. */
  readonly names?: ReadonlyMap<string, string>;
}

const SUFFIX = '-revocation';
const DIGEST = 'assertion-sha256:';
const COMMENT = 'revocation';

/** How a statement names an assertion. */
export function subjectOf(assertion: string): string {
  return `${DIGEST}${credentialDigest(assertion)}`;
}

/** An unsigned statement. `subject` is a key, or `subjectOf` an assertion. */
export function revocationStatement(terms: {
  readonly from: string;
  readonly subject: string;
  readonly appDomain: string;
  readonly reason?: string | undefined;
}): string {
  const { from, subject, appDomain, reason } = terms;
  const comment = reason === undefined ? COMMENT : `${COMMENT}: ${printable(Buffer.from(reason, 'latin1'))}`;
  return [
    'KeyNote-Version: 2',
    `Comment: ${comment}`,
    `Authorizer: ${quote(from)}`,
    `Licensees: ${quote(subject)}`,
    `Conditions: app_domain == ${quote(appDomain + SUFFIX)} -> "true";`,
    '',
  ].join('\n');
}

/** What a statement revokes, if the policy lets its author; the reason why not otherwise. */
export function readStatement(record: RevocationRecord, options: RevocationOptions): Revocation | string {
  const { policy, appDomain, algorithms = 'modern', names = new Map<string, string>() } = options;
  const statement = parseAssertion(record.text, STRANGER_LIMITS);
  const by = authorOf(statement);
  const [subject, ...more] = licenseesOf(statement);
  if (by === undefined || subject === undefined || more.length > 0)
    return 'it does not say who revokes what: one Authorizer, one of Licensees';
  const verdict = verifyAssertion(statement, { algorithms });
  if (verdict.verdict !== 'verified') return verdict.reason;
  const author =
    record.about === undefined ? undefined : authorOf(parseAssertion(record.about, STRANGER_LIMITS));
  if (record.about !== undefined && subject.text !== subjectOf(record.about))
    return 'it is about another assertion than the one that comes with it';
  const attributes = atTime(
    new Map([
      ['app_domain', appDomain + SUFFIX],
      ['subject', subject.toText('base64')],
      ['author', author?.toText('base64') ?? ''],
    ]),
    record.at,
  );
  const own = author?.id === by.id || subject.id === by.id;
  const trusted = own
    ? [parseAssertion(`Authorizer: "POLICY"\nLicensees: ${quote(by.toText('base64'))}\n`)]
    : [];
  const answer = query({
    policy: [...policy, ...trusted],
    credentials: [statement],
    authorizers: [subject.text],
    attributes,
    algorithms,
    limits: STRANGER_LIMITS,
  });
  if (answer.index === 0)
    return `the policy does not let ${nameOf(by, names)} revoke ${subject.isKey ? nameOf(subject, names) : subject.text}`;
  const comment = statement.comment?.replace(/^\s*revocation:?\s*/, '').trim();
  return { subject, by, at: record.at, reason: comment === '' ? undefined : comment };
}

/** What is revoked. */
export class Revocations {
  readonly #digests = new Map<string, Revocation>();
  readonly #keys = new Map<string, Revocation>();

  constructor(private readonly names: ReadonlyMap<string, string> = new Map()) {}

  get size(): number {
    return this.#digests.size + this.#keys.size;
  }

  all(): Revocation[] {
    return [...this.#digests.values(), ...this.#keys.values()];
  }

  /** True if it was not known before. */
  add(revocation: Revocation): boolean {
    const { subject } = revocation;
    const map = subject.isKey ? this.#keys : this.#digests;
    const id = subject.isKey ? subject.id : subject.text;
    if (map.has(id)) return false;
    map.set(id, revocation);
    return true;
  }

  /** Why a credential counts no more; undefined for one that does. */
  why(credential: Assertion): string | undefined {
    const author = authorOf(credential);
    const key = author && this.#keys.get(author.id);
    if (author !== undefined && key !== undefined)
      return `the key of ${nameOf(author, this.names)} was revoked ${this.#how(key)}`;
    const own = this.#digests.size === 0 ? undefined : this.#digests.get(`${DIGEST}${credential.digest}`);
    if (own === undefined) return undefined;
    const who = author === undefined ? '' : ` by ${nameOf(author, this.names)}`;
    return `the ${titleOf(credential.comment)}${who} was revoked ${this.#how(own)}`;
  }

  #how({ by, at, reason }: Revocation): string {
    const when = new Date(at).toISOString();
    return `by ${nameOf(by, this.names)} at ${when}${reason === undefined ? '' : `: ${reason}`}`;
  }
}
