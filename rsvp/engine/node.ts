/** What an engine is told of the node it runs in: interfaces and routes. The edge reads them from the kernel. */

/** An interface, physical or virtual, that RSVP runs on. A changed one is a new value. */
export interface NodeInterface {
  /** As `eth0`. */
  readonly name: string;
  /** The kernel's index of it: the Logical Interface Handle of our RSVP_HOP objects (RFC 2205 A.2). */
  readonly index: number;
  /** Ours on it. The first of a family is our hop address there. */
  readonly addresses: readonly string[];
  /** Octets of an IP packet. */
  readonly mtu: number;
  readonly isUp: boolean;
  /** What may be reserved on it, in octets a second; 0 where nothing may. */
  readonly reservable: number;
  /** RFC 2215: what an ADSPEC that leaves here is told. Octets a second; microseconds, undefined where not known. */
  readonly bandwidth: number;
  readonly latency?: number;
  /** A hop that does not do RSVP lies behind it: the break bits of an ADSPEC are set (RFC 2205 3.1.3, RFC 2210 3.3). */
  readonly isBroken?: boolean;
}

/** Where packets for a destination go. */
export interface Route {
  /** By their index. More than one for multicast alone. */
  readonly outgoing: readonly number[];
  /** Where packets of this source come in (RFC 2205 3.9's Route_Query); undefined where it does not matter. */
  readonly incoming?: number;
}

/** The node's routing table, answered at once from a copy. */
export interface Routing {
  /**
   * RFC 2205 3.11.4. `source` matters for multicast. Undefined: there is no route. The destination is our own address:
   * `outgoing` is empty and the node is the receiver.
   */
  route(destination: string, source?: string): Route | undefined;
}
