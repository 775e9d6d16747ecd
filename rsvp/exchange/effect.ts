import type { EngineEffect } from '../engine/effect.js';

/** What the edge has to do for the exchange, in this order: effects of the engine's own kinds. */
export type ExchangeEffect = Extract<EngineEffect, { readonly kind: 'send' | 'event' }>;

/** Why something that arrived had no effect; each is counted, and told in an event of this kind. */
export const CAUSES = [
  /** It came in by an interface that RSVP does not run on. */
  'unknown-interface',
  /** Fewer octets than a common header, or than RSVP Length says. */
  'truncated',
  /** RSVP Length cannot be. */
  'bad-length',
  'bad-version',
  'bad-checksum',
  /** Objects whose lengths do not fit the message, two MESSAGE_IDs, an Srefresh without a list ... */
  'malformed',
  /** RFC 2961 3.2: empty, a Bundle in a Bundle, or parts that do not fill it. */
  'bad-bundle',
  /** Keys are configured, and INTEGRITY is not the first object. */
  'unauthenticated',
  /** No key of this id for this sender. */
  'unknown-key',
  'expired-key',
  'bad-digest',
  /** A sequence number that was seen, or is too old (RFC 2747 4.2). */
  'replayed',
  /** Genuine, but the handshake that tells a sender's first sequence number is not over (RFC 2747 4.3). */
  'unsynchronised',
  /** It refuses the handshake that we insist on: HF is 0 (RFC 2747 4.3). */
  'no-handshake',
  /** More Integrity Challenges than we care to answer. */
  'challenged-too-often',
  /** An Integrity Response that matches no challenge of ours. */
  'unexpected-response',
  /** Refresh reduction is off on the interface, so we said that we do not take it. */
  'unexpected-srefresh',
  /** A message that asks for an acknowledgment, has got it, and came again: it was acknowledged again. */
  'duplicate',
] as const;

export type Cause = (typeof CAUSES)[number];

/** What else happens that an engineer may want to know: the other kinds of the exchange's events. */
export type Notice =
  /** RFC 2747 5.3: "last authentication key expiration". */
  | 'last-key-expired'
  /** Keys are configured, none has begun, and so a message could not be sent. */
  | 'no-key'
  /** A message was not acknowledged however often it was sent (RFC 2961 6). */
  | 'unacknowledged'
  /** A neighbour began or ceased to be capable of refresh reduction (RFC 2961 2). */
  | 'refresh-reduction'
  /** A neighbour's Epoch changed: it has started anew (RFC 2961 4.2). */
  | 'neighbour-restarted'
  /** A neighbour does not know MESSAGE_ID (RFC 2961 4.8). */
  | 'no-message-id'
  /** It has state of ours that it does not know by number any more (RFC 2961 5.4). */
  | 'refresh-refused'
  | 'handshake'
  /** A limit was reached; the text says which. */
  | 'limit';

export class Drop {
  constructor(
    readonly cause: Cause,
    readonly text: string,
  ) {}
}

/** Where effects gather, and what was dropped is counted. */
export class Journal {
  readonly dropped = Object.fromEntries(CAUSES.map((cause) => [cause, 0])) as Record<Cause, number>;
  #effects: ExchangeEffect[] = [];

  push(effect: ExchangeEffect): void {
    this.#effects.push(effect);
  }

  notice(kind: Notice, text: string): void {
    this.#effects.push({ kind: 'event', event: { kind, text } });
  }

  drop({ cause, text }: Drop, source: string, interfaceIndex: number): void {
    this.dropped[cause]++;
    const what = `message from ${source} on interface ${interfaceIndex} dropped: ${text}`;
    this.#effects.push({ kind: 'event', event: { kind: cause, text: what } });
  }

  take(): ExchangeEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
