/**
 * What `bandex show` asks a router for: plain values, so that they travel as JSON. Times are milliseconds, rates octets a
 * second, sizes octets.
 */

export interface SessionView {
  /** As `10.0.0.1/udp/5004`. */
  readonly session: string;
  readonly senders: number;
  readonly reservations: number;
  /** Octets a second that are in force here, on all interfaces. */
  readonly reserved: number;
}

/** Path state (RFC 2205 2.1): one a session, sender and previous hop. */
export interface SenderView {
  readonly session: string;
  readonly sender: string;
  /** Address of the previous hop; undefined for an application of this node. */
  readonly previousHop?: string;
  readonly incoming?: string;
  readonly outgoing: readonly string[];
  /** Of the SENDER_TSPEC. */
  readonly rate: number;
  readonly bucket: number;
  /** Hops without RSVP lie before it (RFC 2205 3.8). */
  readonly hasNonRsvpHop: boolean;
  readonly hasPolicyData: boolean;
  /** It was refused, and so is not in force and goes no further. */
  readonly refused?: string;
  readonly refreshedAgo?: number;
  readonly expiresIn?: number;
}

/** Reservation state: one a session, style, next hop and filter (RFC 2205 2.1). */
export interface ReservationView {
  readonly session: string;
  readonly style: string;
  /** Senders that it is for; none for WF. */
  readonly senders: readonly string[];
  /** Address of the next hop; undefined for an application of this node. */
  readonly nextHop?: string;
  readonly outgoing?: string;
  readonly service: string;
  readonly rate: number;
  readonly bucket: number;
  /** `refused`: by policy, or because there was no room; asked for anew with each refresh, and shown for as long as that lasts. */
  readonly state: 'in force' | 'refused';
  /** Why it is not in force. */
  readonly reason?: string;
  readonly priority?: number;
  readonly refreshedAgo?: number;
  readonly expiresIn?: number;
}

export interface InterfaceView {
  readonly interface: string;
  readonly index: number;
  readonly addresses: readonly string[];
  readonly isUp: boolean;
  readonly mtu: number;
  readonly bandwidth: number;
  readonly reservable: number;
  readonly reserved: number;
  readonly reservations: number;
  readonly refreshReduction: boolean;
  readonly integrity: boolean;
  readonly received: number;
  readonly sent: number;
}

/** RSVP nodes that have state here, or that we have state at. */
export interface NeighbourView {
  readonly neighbour: string;
  readonly interface: string;
  /** Path state that came from it. */
  readonly senders: number;
  /** Reservations that came from it. */
  readonly reservations: number;
  /** Sessions that it is asked to reserve for. */
  readonly asked: number;
}

export interface PolicyView {
  readonly module: string;
  readonly state: string;
  readonly isReady: boolean;
  /** Questions that are not answered yet. */
  readonly pending: number;
  readonly granted: number;
  readonly refused: number;
}

export interface CounterView {
  readonly counter: string;
  readonly value: number;
}

export interface Views {
  sessions: SessionView;
  senders: SenderView;
  reservations: ReservationView;
  interfaces: InterfaceView;
  neighbours: NeighbourView;
  policy: PolicyView;
  counters: CounterView;
}

export type ViewName = keyof Views;
export const VIEW_NAMES: readonly ViewName[] = [
  'sessions',
  'senders',
  'reservations',
  'interfaces',
  'neighbours',
  'policy',
  'counters',
];

/** An event as it travels: the engine's, and when it was. */
export interface TimedEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: string;
  readonly session?: string;
  readonly text: string;
}
