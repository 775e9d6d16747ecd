import type { Fault } from './fault.js';
import type { Timestamp } from './time.js';

/** IP protocol numbers. */
export const PROTOCOL = { hopByHop: 0, ipv4: 4, tcp: 6, udp: 17, ipv6: 41, rsvp: 46 } as const;

/** What a capture holds that concerns us: an RSVP message, a COPS message, or a fault without one. */
export interface Packet {
  readonly kind: 'rsvp' | 'cops' | 'fault';
  /** The frame that completed it, counted from 1; 0 for the file as a whole. */
  readonly frame: number;
  /** All the frames it came in, where there are several (fragments, segments). */
  readonly frames: readonly number[];
  /** When `frame` was captured; undefined where the capture does not tell. */
  readonly time: Timestamp | undefined;
  /** Addresses as text (RFC 5952); empty where a fault came before them. */
  readonly src: string;
  readonly dst: string;
  /** UDP and TCP ports. */
  readonly srcPort: number | undefined;
  readonly dstPort: number | undefined;
  /** 46, 17 (RFC 2205 Appendix C) or 6; -1 where a fault came before it. */
  readonly protocol: number;
  /** IPv4 time to live or IPv6 hop limit. */
  readonly ttl: number;
  /** The value of the Router Alert option (RFC 2113, RFC 2711); undefined where there is none. */
  readonly routerAlert: number | undefined;
  /** The message. A view of the chunk that was read where possible: copy what is to be kept. */
  readonly payload: Uint8Array;
  readonly faults: readonly Fault[];
}
