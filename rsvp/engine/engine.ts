import type { ArrivedMessage } from '../exchange/advert.js';
import {
  defineSender,
  endReservation,
  makeReservation,
  registerSession,
  releaseSession,
  withdrawLocalSender,
} from './api.js';
import type { Application, ReserveRequest, SenderRequest } from './api.js';
import { resvConfArrives } from './confirm.js';
import { Core } from './core.js';
import { decided } from './decision.js';
import type { EngineEffect } from './effect.js';
import type { Drop } from './event.js';
import { Malformed, readParts } from './grammar.js';
import type { Parts } from './grammar.js';
import { LOCAL } from './identity.js';
import type { SessionName } from './identity.js';
import type { NodeInterface } from './node.js';
import type { EngineOptions } from './options.js';
import type { ArrivedPacket } from './packet.js';
import { pathArrives } from './path.js';
import { pathErrArrives } from './path-error.js';
import { pathTearArrives, removePath } from './path-tear.js';
import type { PolicyAnswer } from './policy.js';
import { interfacesChanged, routesChanged } from './repair.js';
import { resvArrives } from './resv.js';
import { resvErrArrives } from './resv-error.js';
import { resvTearArrives } from './resv-tear.js';
import { trafficFailed } from './traffic-failure.js';
import { withdrawUpstream } from './upstream.js';
import {
  interfacesOf,
  reservationsOf,
  sendersOf,
  sessionsOf,
  stateCountOf,
  trafficsOf,
  upstreamsOf,
} from './view.js';
import type {
  InterfaceView,
  ReservationView,
  SenderView,
  SessionView,
  StateCount,
  TrafficView,
  UpstreamView,
} from './view.js';

type Arrives = (core: Core, now: number, arrived: ArrivedMessage, parts: Parts) => void;

/** By message type. */
const ARRIVALS: Readonly<Record<number, Arrives>> = {
  1: pathArrives,
  2: resvArrives,
  3: pathErrArrives,
  4: resvErrArrives,
  5: pathTearArrives,
  6: resvTearArrives,
  7: resvConfArrives,
};
/** Path, PathTear, ResvConf: sent to where they end, looked at on the way (RFC 2205 3.11.5). */
const ON_THE_WAY = new Set([1, 5, 7]);

/**
 * RSVP of one node (RFC 2205, with the rules of RFC 2209): soft state and what follows from it. It knows no clock and no socket:
 * whatever happens is told to it with `now` (milliseconds that never go back), and it returns what has to be done. Whoever has a
 * timer calls `handleTimeout` at `nextTimeout()`.
 *
 * A caller's mistake is a `RangeError`; nothing that a peer sends throws.
 */
export class Engine {
  readonly #core: Core;

  constructor(options: EngineOptions) {
    this.#core = new Core(options);
  }

  /** A packet of RSVP has come in. */
  receive(now: number, packet: ArrivedPacket): readonly EngineEffect[] {
    const core = this.#core;
    const { exchange } = core;
    for (const arrived of exchange.receive(now, packet)) this.#dispatch(now, arrived);
    return core.takeEffects();
  }

  /** When `handleTimeout` has to be called; undefined: never, as things are. */
  nextTimeout(): number | undefined {
    const own = this.#core.timers.next();
    const beneath = this.#core.exchange.nextTimeout();
    if (own === undefined || beneath === undefined) return own ?? beneath;
    return Math.min(own, beneath);
  }

  /** Does what is due. Calls that come too soon are harmless. */
  handleTimeout(now: number): readonly EngineEffect[] {
    const core = this.#core;
    for (let due = core.timers.pop(now); due !== undefined; due = core.timers.pop(now)) {
      // It was refreshed since.
      if (due.expiresAt > now) core.timers.set(due, due.expiresAt);
      else due.expire(core, now);
    }
    core.exchange.handleTimeout(now);
    return core.takeEffects();
  }

  /** All interfaces as they are now. */
  interfacesChanged(now: number, interfaces: readonly NodeInterface[]): readonly EngineEffect[] {
    interfacesChanged(this.#core, now, interfaces);
    return this.#core.takeEffects();
  }

  /** Routes to these destinations have changed; to any, where none is named (RFC 2205 3.6). */
  routesChanged(now: number, destinations?: Iterable<string>): readonly EngineEffect[] {
    routesChanged(this.#core, now, destinations === undefined ? undefined : new Set(destinations));
    return this.#core.takeEffects();
  }

  /** Policy has answered a question, or changes its mind about what it granted. */
  decided(now: number, question: number, answer: PolicyAnswer): readonly EngineEffect[] {
    decided(this.#core, now, question, answer);
    return this.#core.takeEffects();
  }

  /** Traffic control could not do what a `reserve` effect asked for. */
  trafficFailed(now: number, reservation: number, reason: string): readonly EngineEffect[] {
    trafficFailed(this.#core, now, reservation, reason);
    return this.#core.takeEffects();
  }

  /** Tears down all that hangs on this node, so that the neighbours need not wait for timeouts. */
  shutdown(now: number): readonly EngineEffect[] {
    const core = this.#core;
    for (const session of [...core.sessions.values()]) {
      for (const upstream of session.upstreams) withdrawUpstream(core, now, upstream);
      for (const path of session.paths) removePath(core, now, path, 'shutdown');
    }
    return core.takeEffects();
  }

  // The application's side (RFC 2205 3.11.1). Upcalls are effects: events of kind `upcall` with the application's number.

  /** SESSION. Returns the application's number. */
  session(
    now: number,
    name: SessionName,
  ): { readonly application: number; readonly effects: readonly EngineEffect[] } {
    const { id } = registerSession(this.#core, now, name);
    return { application: id, effects: this.#core.takeEffects() };
  }

  /** SENDER. */
  sender(now: number, application: number, request: SenderRequest): readonly EngineEffect[] {
    defineSender(this.#core, now, this.#application(application), request);
    return this.#core.takeEffects();
  }

  /** Ends one sender. */
  withdrawSender(
    now: number,
    application: number,
    sender: { readonly address: string; readonly port: number },
  ): readonly EngineEffect[] {
    withdrawLocalSender(this.#core, now, this.#application(application), sender);
    return this.#core.takeEffects();
  }

  /** RESERVE. A later one takes the place of an earlier one. */
  reserve(now: number, application: number, request: ReserveRequest): readonly EngineEffect[] {
    makeReservation(this.#core, now, this.#application(application), request);
    return this.#core.takeEffects();
  }

  /** Ends the reservation alone. */
  unreserve(now: number, application: number): readonly EngineEffect[] {
    endReservation(this.#core, now, this.#application(application));
    return this.#core.takeEffects();
  }

  /** RELEASE. */
  release(now: number, application: number): readonly EngineEffect[] {
    releaseSession(this.#core, now, this.#application(application));
    return this.#core.takeEffects();
  }

  // What is there.

  sessions(): Iterable<SessionView> {
    return sessionsOf(this.#core);
  }
  senders(): Iterable<SenderView> {
    return sendersOf(this.#core);
  }
  /** What next hops and applications ask for. */
  reservations(): Iterable<ReservationView> {
    return reservationsOf(this.#core);
  }
  /** What traffic control has been told. */
  traffics(): Iterable<TrafficView> {
    return trafficsOf(this.#core);
  }
  /** What previous hops are told. */
  upstreams(): Iterable<UpstreamView> {
    return upstreamsOf(this.#core);
  }
  interfaces(): readonly InterfaceView[] {
    return interfacesOf(this.#core);
  }
  get stateCount(): StateCount {
    return stateCountOf(this.#core);
  }
  /** What has happened so often; messages that had no effect by cause, the exchange's among them. */
  get counters(): Core['counters'] & {
    readonly dropped: Readonly<Record<Drop, number>> & Core['exchange']['dropped'];
  } {
    const { counters, dropped, exchange } = this.#core;
    return {
      ...counters,
      dropped: { ...dropped, ...exchange.dropped, malformed: dropped.malformed + exchange.dropped.malformed },
    };
  }

  #application(id: number): Application {
    const application = this.#core.applications.get(id);
    if (application === undefined) throw new RangeError(`application: there is none with number \`${id}\``);
    return application;
  }

  #dispatch(now: number, arrived: ArrivedMessage): void {
    const core = this.#core;
    core.counters.messages++;
    const { message, packet } = arrived;
    const { msgType } = message;
    const arrives = ARRIVALS[msgType];
    if (arrives === undefined) {
      core.drop(arrived, 'unknown-message', `message type ${msgType} is none of RFC 2205`);
      return;
    }
    if (!ON_THE_WAY.has(msgType) && packet.isUdp !== true && !core.isOwn(packet.destination)) {
      this.#passOn(arrived);
      return;
    }
    const parts = readParts(arrived);
    if (parts instanceof Malformed) core.drop(arrived, 'malformed', parts.text);
    else arrives(core, now, arrived, parts);
  }

  /** RFC 2205 2.9, RFC 2209 2: what is for another node goes there without being looked at. */
  #passOn(arrived: ArrivedMessage): void {
    const core = this.#core;
    const { packet, message } = arrived;
    const [out] = core.options.routing.route(packet.destination)?.outgoing ?? [];
    if (core.options.isHost || out === undefined || out === LOCAL || packet.ttl <= 1) {
      core.drop(arrived, 'not-for-us', `IP destination ${packet.destination} is none of our addresses`);
      return;
    }
    core.effect({
      kind: 'send',
      packet: {
        interface: out,
        source: packet.source,
        destination: packet.destination,
        ttl: packet.ttl - 1,
        routerAlert: false,
        octets: packet.octets.subarray(0, message.length),
      },
    });
  }
}
