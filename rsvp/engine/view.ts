import type { Core } from './core.js';
import { rateOf } from './flow.js';
import type { Flow, TokenBucket } from './flow.js';
import { LOCAL, senderText } from './identity.js';
import type { StyleName } from './style.js';

/** What is there, for people and programs: plain values, made when asked for. */

export interface SessionView {
  readonly session: string;
  readonly destination: string;
  readonly protocol: number;
  readonly port: number;
  readonly isMulticast: boolean;
  readonly senders: number;
  readonly reservations: number;
  readonly hasApplication: boolean;
}

export interface SenderView {
  readonly session: string;
  readonly sender: string;
  /** Empty: an application of this node. */
  readonly hop: string;
  readonly incoming: number;
  readonly outgoing: readonly number[];
  readonly tspec: TokenBucket;
  readonly hasPolicyData: boolean;
  readonly isAfterNonRsvpHop: boolean;
  readonly isLocalOnly: boolean;
  /** Infinity for an application's. */
  readonly expiresAt: number;
  /** How long it lasts without a refresh, milliseconds. */
  readonly lifetime: number;
}

export interface ReservationView {
  readonly session: string;
  readonly style: StyleName;
  /** None: any. */
  readonly senders: readonly string[];
  readonly hop: string;
  readonly interface: number;
  readonly flow: Flow;
  readonly hasPolicyData: boolean;
  readonly scope: readonly string[] | undefined;
  readonly expiresAt: number;
  readonly lifetime: number;
}

/** What traffic control has been told. */
export interface TrafficView {
  readonly reservation: number;
  readonly session: string;
  readonly interface: number;
  readonly style: StyleName;
  readonly senders: readonly string[];
  readonly flow: Flow;
  readonly rate: number;
  readonly preemptionPriority: number;
  readonly defendingPriority: number;
}

export interface UpstreamView {
  readonly session: string;
  readonly hop: string;
  readonly interface: number;
  readonly style: StyleName;
  readonly flows: readonly { readonly flow: Flow; readonly senders: readonly string[] }[];
  readonly scope: readonly string[] | undefined;
}

export interface InterfaceView {
  readonly name: string;
  readonly index: number;
  readonly isUp: boolean;
  readonly addresses: readonly string[];
  readonly reservable: number;
  readonly reserved: number;
  readonly free: number;
  readonly reservations: number;
}

export interface StateCount {
  readonly sessions: number;
  readonly paths: number;
  readonly reservations: number;
  /** In force in traffic control. */
  readonly traffics: number;
  readonly questions: number;
  /** Deadlines that are watched. */
  readonly timers: number;
}

export function* sessionsOf(core: Core): Generator<SessionView> {
  for (const session of core.sessions.values())
    yield {
      session: session.text,
      destination: session.destination,
      protocol: session.protocol,
      port: session.port,
      isMulticast: session.isMulticast,
      senders: session.paths.length,
      reservations: session.reservations.length,
      hasApplication: session.application !== 0,
    };
}

export function* sendersOf(core: Core): Generator<SenderView> {
  for (const session of core.sessions.values())
    for (const { sender, contents, outgoing, isLocalOnly, expiresAt, lifetime } of session.paths) {
      if (contents === undefined) continue;
      yield {
        session: session.text,
        sender: senderText(sender),
        hop: contents.hop,
        incoming: contents.incoming,
        outgoing,
        tspec: contents.bucket,
        hasPolicyData: contents.policy.length > 0,
        isAfterNonRsvpHop: contents.isAfterNonRsvpHop,
        isLocalOnly,
        expiresAt: contents.incoming === LOCAL ? Infinity : expiresAt,
        lifetime,
      };
    }
}

export function* reservationsOf(core: Core): Generator<ReservationView> {
  for (const session of core.sessions.values())
    for (const { style, hop, interface: index, contents, expiresAt, lifetime } of session.reservations) {
      if (contents === undefined) continue;
      yield {
        session: session.text,
        style,
        senders: contents.senders.map(senderText),
        hop,
        interface: index,
        flow: contents.flow,
        hasPolicyData: contents.policy.length > 0,
        scope: contents.scope,
        expiresAt: index === LOCAL ? Infinity : expiresAt,
        lifetime,
      };
    }
}

export function* trafficsOf(core: Core): Generator<TrafficView> {
  for (const traffic of core.traffics.values())
    yield {
      reservation: traffic.id,
      session: traffic.session.text,
      interface: traffic.interface,
      style: traffic.style,
      senders: traffic.senders.map(senderText),
      flow: traffic.inForce,
      rate: rateOf(traffic.inForce),
      preemptionPriority: traffic.preemptionPriority,
      defendingPriority: traffic.defendingPriority,
    };
}

export function* upstreamsOf(core: Core): Generator<UpstreamView> {
  for (const session of core.sessions.values())
    for (const { hop, interface: index, contents } of session.upstreams) {
      if (contents === undefined) continue;
      const { style, descriptors, scope } = contents;
      const flows = descriptors.map(({ flow, senders }) => ({ flow, senders: senders.map(senderText) }));
      yield { session: session.text, hop, interface: index, style, flows, scope };
    }
}

export function interfacesOf(core: Core): readonly InterfaceView[] {
  const counts = new Map<number, number>();
  for (const { interface: index } of core.traffics.values()) counts.set(index, (counts.get(index) ?? 0) + 1);
  return [...core.interfaces()].map(({ name, index, isUp, addresses, reservable }) => {
    const reserved = core.used.get(index) ?? 0;
    return {
      name,
      index,
      isUp,
      addresses,
      reservable,
      reserved,
      free: reservable - reserved,
      reservations: counts.get(index) ?? 0,
    };
  });
}

export function stateCountOf(core: Core): StateCount {
  let paths = 0;
  let reservations = 0;
  for (const session of core.sessions.values()) {
    paths += session.paths.length;
    reservations += session.reservations.length;
  }
  return {
    sessions: core.sessions.size,
    paths,
    reservations,
    traffics: core.traffics.size,
    questions: core.asked.size,
    timers: core.timers.size,
  };
}
