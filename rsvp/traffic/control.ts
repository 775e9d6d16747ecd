import type { TrafficReservation } from '../engine/traffic.js';

/** An interface whose sending side is ours to control. */
export interface ControlledInterface {
  readonly name: string;
  readonly index: number;
  /** Octets of an IP packet. */
  readonly mtu: number;
  /** Of the link, in octets a second, link headers included: no more than what it really carries, or its own queue decides. */
  readonly rate: number;
  /** Octets that the link adds to an IP packet, as the kernel counts them. Undefined: 14, an Ethernet header. */
  readonly overhead?: number;
}

/**
 * Traffic control of a node (RFC 2205 3.11.2). What is reserved is in force once the promise is fulfilled, not before. All
 * failures are a `TrafficError`.
 */
export interface TrafficControl {
  /** Takes the interfaces over. What an earlier process of ours left there is removed first. */
  start(interfaces: readonly ControlledInterface[]): Promise<void>;
  /** An interface that has come since. */
  add(controlled: ControlledInterface): Promise<void>;
  /** An interface that is going, or gone: what is reserved on it is forgotten. */
  remove(index: number): Promise<void>;
  /** Makes a reservation; with an id that is known there, changes it. Where a change fails, what was in force still is. */
  reserve(reservation: TrafficReservation): Promise<void>;
  /** One that is not known is no error: it may have failed. */
  release(id: number, index: number): Promise<void>;
  statistics(): Promise<TrafficStatistics>;
  /** Leaves the interfaces as they were by default. */
  close(): Promise<void>;
}

/** What a class of traffic sent, since it was made. Octets are the kernel's: with link headers. */
export interface ClassStatistics {
  readonly octets: number;
  readonly packets: number;
  readonly drops: number;
  /** How often a packet had to wait for its class's rate. */
  readonly overlimits: number;
  readonly backlogOctets: number;
  readonly backlogPackets: number;
}

export interface ReservationStatistics extends ClassStatistics {
  readonly reservation: number;
  readonly interface: number;
}

export interface InterfaceStatistics {
  readonly interface: number;
  readonly bestEffort: ClassStatistics;
  readonly signalling: ClassStatistics;
}

export interface TrafficStatistics {
  readonly reservations: readonly ReservationStatistics[];
  readonly interfaces: readonly InterfaceStatistics[];
}

export const NOTHING_SENT: ClassStatistics = {
  octets: 0,
  packets: 0,
  drops: 0,
  overlimits: 0,
  backlogOctets: 0,
  backlogPackets: 0,
};

/** Traffic control could not do what was asked. */
export class TrafficError extends Error {
  constructor(
    message: string,
    readonly details: {
      readonly reservation?: number;
      readonly interface?: number;
      /** As given to tc. */
      readonly command?: string;
    } = {},
  ) {
    super(message);
    this.name = 'TrafficError';
  }
}
