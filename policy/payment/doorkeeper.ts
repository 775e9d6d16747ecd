import { authorOf } from '../keynote/index.js';
import type { Assertion } from '../keynote/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { firstOf } from '../../rsvp/wire/index.js';
import { RsvpHopIpv4, RsvpHopIpv6 } from '../../rsvp/wire/objects/index.js';
import type { PaymentRequest, Verdict } from './decide.js';
import { partyId, sourceId } from './quarantine.js';
import type { Party, PartyKind, Quarantine, Quarantined } from './quarantine.js';
import { Recent } from './recent.js';
import { COUNTS_AGAINST, Refused } from './refusal.js';
import { isAboutNonce } from './signers.js';
import type { Signer } from './signers.js';

/** A request that was answered. */
export interface Judged {
  readonly pepId: string;
  /** As they were when it was judged: the same array. */
  readonly objects: readonly WireObject[];
  readonly verdict: Verdict;
  /** Whose signatures prove that they did it; asked only where that matters. */
  readonly signers: (credentials: readonly Assertion[]) => readonly Signer[];
}

/** Signed texts that are remembered. */
const MOST_TEXTS = 10_000;
const NOBODY: readonly Quarantined[] = [];

/**
 * Turns away who is in quarantine, and counts the failures of the others. What is free, and what a router only merges or
 * passes on, goes by: it costs nothing.
 */
export class Doorkeeper {
  /** Requests turned away. */
  readonly refusals: Record<PartyKind, number> = { key: 0, source: 0, pep: 0 };
  readonly #credentials = new WeakMap<readonly WireObject[], readonly Assertion[]>();
  /** What a key signed first for a nonce, by both. */
  readonly #first = new Recent<string>(MOST_TEXTS);
  /** Signed texts that have counted against their key: they do so once, however often somebody repeats them. */
  readonly #counted = new Recent<true>(MOST_TEXTS);

  constructor(readonly quarantine: Quarantine) {}

  /** Before credentials are parsed; throws `Refused`. */
  admit({ pepId }: Pick<PaymentRequest, 'pepId'>, hop: string | undefined, now: number): void {
    if (this.quarantine.knows('pep')) this.#turnAway({ kind: 'pep', id: partyId(pepId) }, now);
    if (hop !== undefined && this.quarantine.knows('source'))
      this.#turnAway({ kind: 'source', id: sourceId(hop, pepId) }, now);
  }

  /** Before any signature is looked at; throws `Refused`. */
  screen({ objects }: Pick<PaymentRequest, 'objects'>, credentials: readonly Assertion[], now: number): void {
    if (this.quarantine.knows('key')) {
      for (const credential of credentials) {
        const author = isAboutNonce(credential) ? authorOf(credential) : undefined;
        if (author !== undefined) this.#turnAway({ kind: 'key', id: partyId(author.toText('base64')) }, now);
      }
    }
    this.#credentials.set(objects, credentials);
  }

  /** Counts what was refused; returns who is in quarantine from now on. */
  judged(judged: Judged, now: number): readonly Quarantined[] {
    const { verdict, pepId, objects } = judged;
    if (verdict.granted) {
      this.#remember(judged);
      return NOBODY;
    }
    const reason = verdict.refusal?.reason;
    const against = reason === undefined ? 'nobody' : COUNTS_AGAINST[reason];
    if (reason === undefined || against === 'nobody') return NOBODY;
    const parties = senders(pepId, objects);
    // What is malformed is refused before anybody asks who sent it; of a neighbour in quarantine it is not the router's fault.
    if (parties.some((party) => this.quarantine.find(party, now) !== undefined)) return NOBODY;
    if (against === 'signer') parties.push(...this.#guilty(judged));
    return parties.flatMap((party) => this.quarantine.fail(party, reason, now) ?? NOBODY);
  }

  #turnAway(party: Party, now: number): void {
    const found = this.quarantine.find(party, now);
    if (found === undefined) return;
    this.refusals[party.kind]++;
    const until = new Date(found.until).toISOString();
    throw new Refused(
      'quarantined',
      `${NAMES[party.kind]} failed ${found.failures} times (\`${found.reason}\`): not listened to until ${until}`,
    );
  }

  /** The first check for a nonce is what it may pay with. */
  #remember({ verdict, objects, signers }: Judged): void {
    const { payment, again } = verdict;
    const credentials = this.#credentials.get(objects);
    if (payment === undefined || again === true || credentials === undefined) return;
    for (const { key, texts } of signers(credentials)) {
      const name = `${key.id}\n${payment.nonce}`;
      const [first] = texts;
      if (first !== undefined && !this.#first.has(name)) this.#first.set(name, first);
    }
  }

  #guilty({ verdict, objects, signers }: Judged): Party[] {
    const credentials = this.#credentials.get(objects);
    if (credentials?.some(isAboutNonce) !== true) return [];
    return signers(credentials)
      .filter(({ key, texts }) => this.#isProof(verdict, key.id, texts))
      .map(({ key }) => ({ kind: 'key', id: partyId(key.toText('base64')) }));
  }

  /** Each signed text counts once. Of a nonce that is spent, a second one for the same nonce: the same again may be a thief's. */
  #isProof(verdict: Verdict, keyId: string, texts: readonly string[]): boolean {
    let fresh = texts.filter((text) => !this.#counted.has(text));
    if (verdict.refusal?.reason === 'nonce-spent') {
      const name = `${keyId}\n${verdict.attributes.get('nonce') ?? ''}`;
      const first = this.#first.get(name);
      if (first === undefined) {
        if (texts[0] !== undefined) this.#first.set(name, texts[0]);
        return false;
      }
      fresh = fresh.filter((text) => text !== first);
    }
    for (const text of fresh) this.#counted.set(text, true);
    return fresh.length > 0;
  }
}

function senders(pepId: string, objects: readonly WireObject[]): Party[] {
  const pep: Party = { kind: 'pep', id: partyId(pepId) };
  const hop = firstOf(objects, RsvpHopIpv4, RsvpHopIpv6)?.hopAddress;
  return hop === undefined ? [pep] : [pep, { kind: 'source', id: sourceId(hop, pepId) }];
}

const NAMES: Readonly<Record<PartyKind, string>> = {
  key: 'whoever signed the check',
  source: 'the neighbour that sent this',
  pep: 'the router that asks',
};
