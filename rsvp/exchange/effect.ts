import type { EngineEffect } from '../engine/effect.js';

/** What the edge has to do for the exchange, in this order: effects of the engine's own kinds. */
export type ExchangeEffect = Extract<EngineEffect, { readonly kind: 'send' | 'event' }>;

/** Why something that arrived had no effect; each is counted, and told in an event of this kind. */
export const CAUSES = [
  /** Fewer octets than a common header, or than RSVP Length says. */
  'truncated',
  /** RSVP Length cannot be. */
  'bad-length',
  'bad-version',
  'bad-checksum',
  /** Objects whose lengths do not fit the message, two MESSAGE_IDs, an Ack without acknowledgments ... */
  'malformed',
  /** RFC 2961 3.2: empty, a Bundle in a Bundle, or parts that do not fill it. */
  'bad-bundle',
  /** It came in by an interface that RSVP does not run on. */
  'unknown-interface',
] as const;

export type Cause = (typeof CAUSES)[number];

export class Drop {
  constructor(
    readonly cause: Cause,
    readonly text: string,
  ) {}
}
