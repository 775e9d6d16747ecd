/** RSVP messages on their way, as the edge sees them. */

/** An RSVP message that has arrived; the edge has looked at nothing in it. */
export interface ArrivedPacket {
  /** Index of the interface it came in by. */
  readonly interface: number;
  readonly source: string;
  /** Of the IP header: the session's for an intercepted Path. */
  readonly destination: string;
  /** Of the IP header: against Send_TTL it tells hops without RSVP (RFC 2205 3.8). */
  readonly ttl: number;
  /** From the common header on. */
  readonly octets: Uint8Array;
  /** It came in UDP (RFC 2205 Appendix C). */
  readonly isUdp?: boolean;
  /** It came in a Bundle (RFC 2961 3): the addresses are the neighbours', whatever the message. */
  readonly isBundled?: boolean;
}

/** An RSVP message to send. */
export interface SentPacket {
  /** By this interface, whatever the routes say. */
  readonly interface: number;
  /** A Path and PathTear carry the sender's address (RFC 2205 3.1.3), all others ours: then it is undefined. */
  readonly source?: string;
  readonly destination: string;
  readonly ttl: number;
  /** RFC 2113: for routers on the way to look at. */
  readonly routerAlert: boolean;
  readonly octets: Uint8Array;
}
