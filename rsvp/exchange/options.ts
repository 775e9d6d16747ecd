import type { RsvpCodec } from '../wire/index.js';
import type { KeyRing } from './keys.js';

/** How RSVP is spoken on an interface. A changed one is a new value. */
export interface ExchangeInterface {
  /** Octets of an IP packet: Bundles, Srefreshes and Acks stay below it. */
  readonly mtu: number;
  /**
   * RFC 2961. `off`: we do without, and say so. `learned` (the default): with neighbours that say they are capable.
   * `assumed`: the administrator knows that every RSVP node there is, the silent ones as well (RFC 2961 5.6).
   */
  readonly refreshReduction?: 'off' | 'learned' | 'assumed';
  /** One neighbour at most can be there: Path messages go into Bundles, those of multicast sessions into MCAST_LISTs. */
  readonly isPointToPoint?: boolean;
  readonly retransmission?: Retransmission;
  /** How long an acknowledgment waits for a message to go with, in milliseconds (RFC 2961 4.6). 10. */
  readonly acknowledgmentDelay?: number;
  /** The most that one waits whose message went to a multicast address (RFC 2961 4.7). 200. */
  readonly multicastAcknowledgmentDelay?: number;
  /** One in so many refreshes is a whole message, to heal what numbers cannot (RFC 2961 5.5); 0: none. 20. */
  readonly wholeEvery?: number;
  readonly integrity?: InterfaceIntegrity;
}

/** RFC 2961 6.2. */
export interface Retransmission {
  /** Rf, in milliseconds. 500. */
  readonly interval: number;
  /** Rl: how often a message is sent at most. 3. */
  readonly limit: number;
  /** Delta. 1. */
  readonly delta: number;
}

/** RFC 2747 on one interface: "for either sending messages, or receiving them, or both" (4). */
export interface InterfaceIntegrity {
  readonly send?: KeyRing;
  readonly receive?: KeyRing;
  /**
   * RFC 2747 4.3, for receiving. `off`: the first genuine message of a sender tells its sequence number. `on` (the default): a
   * sender is challenged if it says that it answers. `required`: one that does not answer is not listened to.
   */
  readonly handshake?: 'off' | 'on' | 'required';
  /** How many sequence numbers are remembered of each sender, for messages that overtook each other. 32; 1: none may. */
  readonly window?: number;
}

export interface ExchangeOptions {
  readonly codec: RsvpCodec;
  /** Asked at each message; undefined: RSVP does not run there, what comes in is dropped. */
  interface(index: number): ExchangeInterface | undefined;
  /** From 0 up to but not 1: for jitter. */
  random(): number;
  /** 24 bits at random, others than at the last start (RFC 2961 4.2). */
  readonly epoch: number;
  /** The first Message_Identifier, 32 bits. */
  readonly firstMessageIdentifier: number;
  /**
   * The first INTEGRITY sequence number, 64 bits; greater than all before the last restart, as an NTP timestamp is (RFC 2747
   * 3.2). Needed where there are keys.
   */
  readonly firstSequenceNumber?: bigint;
  /** Known to nobody else: challenge cookies are made of it (RFC 2747 4.3). Needed where there are keys. */
  readonly secret?: Uint8Array;
  /** Would this node forward packets of this source to this group that come in there (RFC 2961 5.3)? Left out: no. */
  forwards?(source: string, group: string, interfaceIndex: number): boolean;
  /** RSVP neighbours remembered at once; others are served without refresh reduction. 1024. */
  readonly neighbourLimit?: number;
}

const RETRANSMISSION: Retransmission = { interval: 500, limit: 3, delta: 1 };

export function retransmissionOf(settings: ExchangeInterface): Retransmission {
  return settings.retransmission ?? RETRANSMISSION;
}

/** What an RSVP message may take of an IP packet: header of IPv4 with Router Alert, or of IPv6 with Hop-by-Hop options. */
export function roomIn(settings: ExchangeInterface, destination: string): number {
  return Math.max(settings.mtu - (destination.includes(':') ? 48 : 24), 128);
}

export function reducesRefreshes(settings: ExchangeInterface): boolean {
  return settings.refreshReduction !== 'off';
}
