import type { RsvpCodec } from '../wire/index.js';

/** How RSVP is spoken on an interface. A changed one is a new value. */
export interface ExchangeInterface {
  /** Octets of an IP packet: Bundles, Srefreshes and Acks stay below it. */
  readonly mtu: number;
}

export interface ExchangeOptions {
  readonly codec: RsvpCodec;
  /** Asked at each message; undefined: RSVP does not run there, what comes in is dropped. */
  interface(index: number): ExchangeInterface | undefined;
  /** From 0 up to but not 1: for jitter. */
  random(): number;
}
