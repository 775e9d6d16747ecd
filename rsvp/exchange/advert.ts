import type { RsvpInput, RsvpMessage } from '../wire/index.js';
import type { ArrivedPacket } from '../engine/packet.js';
import type { Neighbour } from './neighbour.js';
import type { Told } from './told.js';

/**
 * State that this node keeps telling a neighbour: a Path to an outgoing interface, a Resv to a previous hop (RFC 2205 3.7).
 * The exchange decides when it is told again, and how: whole, or by its MESSAGE_ID in an Srefresh (RFC 2961 5).
 * Each belongs to one exchange.
 */
export interface Advert {
  /** Index of the interface that it leaves by. */
  readonly interface: number;
  readonly source?: string;
  readonly destination: string;
  readonly routerAlert: boolean;
  readonly ttl: number;
  /** The RSVP neighbour that it is for, where it is known: a Resv's previous hop, a Path's next hop once that has spoken. */
  readonly neighbour?: string | undefined;
  /** Refresh period R of this state, in milliseconds; the exchange adds the jitter (RFC 2205 3.7). */
  readonly refreshPeriod: number;
  /** The whole message as it is now, without MESSAGE_ID and INTEGRITY; made anew each time, so that nothing is kept twice. */
  message(): RsvpInput;
  /** The exchange's own, absent at first: kept here, where it takes a third of what a map of adverts would. */
  told?: Told | undefined;
}

/** State of this node that a neighbour keeps refreshing; called for each refresh, whole or by MESSAGE_ID. */
export interface Refreshed {
  refreshed(now: number): void;
  /**
   * The exchange's own, absent at first: who refreshes it by which Message_Identifier (as a signed number), and another
   * state that came in the same message, as a Resv of style FF describes several.
   */
  boundTo?: Neighbour | undefined;
  boundId?: number;
  boundNext?: Refreshed | undefined;
}

/** A message for the engine: authentic where keys ask for it, unbundled, with a correct checksum. */
export interface ArrivedMessage {
  readonly message: RsvpMessage;
  readonly packet: ArrivedPacket;
  /**
   * The neighbour that sent it: RSVP_HOP where the message has one, else the IP source. With `messageId` it names what the
   * neighbour refreshes by number from now on, once the engine has bound it to its state.
   */
  readonly neighbour: string;
  readonly messageId?: { readonly epoch: number; readonly messageIdentifier: number };
  /** What is wrong with the objects (the rest of the message could be read); empty for a good message. */
  readonly faults: readonly Error[];
}
