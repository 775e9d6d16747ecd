import { Exchange } from '../exchange/exchange.js';
import { TimerHeap } from '../exchange/heap.js';
import type { ExchangeInterface } from '../exchange/options.js';
import type { Outgoing } from '../exchange/outgoing.js';
import type { ArrivedMessage } from '../exchange/advert.js';
import { MESSAGE_TYPES } from '../wire/index.js';
import type { EngineEffect } from './effect.js';
import { DROPS } from './event.js';
import type { Drop, EngineEvent } from './event.js';
import { flat, Shared } from './frozen.js';
import { familyOf, isMulticast, sessionText } from './identity.js';
import type { SenderName, SessionName } from './identity.js';
import type { NodeInterface } from './node.js';
import { resolveOptions } from './options.js';
import type { EngineOptions, Settings } from './options.js';
import { pathExpired } from './path.js';
import { reservationExpired } from './resv-change.js';
import { blockadeExpired } from './blockade.js';
import { repairDue } from './repair.js';
import { Sender, Session } from './state.js';
import type { Blockade, Mortal, Path, Reservation, Traffic } from './state.js';
import type { Asked } from './policy-control.js';
import type { Application } from './api.js';

/** What all parts of the engine share: tables, timers, the exchange beneath, and the effects of the call that is going on. */
export class Core {
  readonly options: Settings;
  readonly exchange: Exchange;
  readonly sessions = new Map<string, Session>();
  readonly traffics = new Map<number, Traffic>();
  readonly asked = new Map<number, Asked>();
  readonly applications = new Map<number, Application>();
  readonly timers = new TimerHeap<Mortal>();
  readonly dropped: Readonly<Record<Drop, number>>;
  readonly counters = { messages: 0, paths: 0, reservations: 0, refused: 0, preempted: 0, questions: 0 };
  #interfaces = new Map<number, NodeInterface>();
  /** Octets a second in force, by interface. */
  readonly used = new Map<number, number>();
  #own = new Set<string>();
  /** How many sessions a destination and protocol have; negative where their port is zero (RFC 2205 3.2). */
  readonly #ports = new Map<string, number>();
  readonly #texts = new Shared<string>();
  readonly #lists = new Shared<readonly number[]>();
  #effects: EngineEffect[] = [];
  #nextId = 1;
  /** Questions that have no answer yet. */
  pending = 0;

  constructor(options: EngineOptions) {
    this.options = resolveOptions(options);
    this.dropped = Object.fromEntries(DROPS.map((cause) => [cause, 0])) as Record<Drop, number>;
    this.setInterfaces(options.interfaces);
    const { routing, random, exchange } = options;
    this.exchange = new Exchange({
      codec: this.options.codec,
      random,
      epoch: Math.floor(random() * 2 ** 24),
      firstMessageIdentifier: Math.floor(random() * 2 ** 32),
      interface: (index) => this.#spokenOn(index),
      forwards: (source, group, index) => {
        const route = routing.route(group, source);
        return route !== undefined && (route.incoming ?? index) === index;
      },
      ...exchange,
    });
  }

  /** Reservations, questions and applications are numbered alike, and no number is used twice. */
  newId(): number {
    return this.#nextId++;
  }

  interface(index: number): NodeInterface | undefined {
    return this.#interfaces.get(index);
  }

  interfaces(): Iterable<NodeInterface> {
    return this.#interfaces.values();
  }

  /** How RSVP is spoken on an interface that is up. */
  #spokenOn(index: number): ExchangeInterface | undefined {
    const link = this.interface(index);
    if (link?.isUp !== true) return undefined;
    const settings = this.options.exchangeInterface?.(index);
    return settings === undefined ? link : { ...settings, mtu: link.mtu };
  }

  setInterfaces(interfaces: readonly NodeInterface[]): void {
    this.#interfaces = new Map(interfaces.map((link) => [link.index, link]));
    this.#own = new Set(interfaces.flatMap((link) => link.addresses));
  }

  isOwn(address: string): boolean {
    return this.#own.has(address);
  }

  /** Our hop address on an interface, of the session's family. */
  addressOf(index: number, { destination }: SessionName): string {
    const family = familyOf(destination);
    const addresses = this.interface(index)?.addresses ?? [];
    return addresses.find((address) => familyOf(address) === family) ?? (family === 6 ? '::' : '0.0.0.0');
  }

  refreshPeriod(index: number): number {
    return this.options.refreshPeriods.get(index) ?? this.options.refreshPeriod;
  }

  /** L of RFC 2205 3.7: K - 1 refreshes in a row may be lost. */
  lifetime(refreshPeriod: number): number {
    const lifetime = Math.ceil((this.options.lifetimeMultiplier + 0.5) * 1.5 * refreshPeriod);
    // 24 days are enough for anybody, and small integers cost V8 no box.
    return Math.min(lifetime, 2 ** 31 - 1);
  }

  session(name: SessionName): Session | undefined {
    return this.sessions.get(sessionText(name));
  }

  /** A session that is new; `hasPortConflict` has been asked. Undefined where there are too many. */
  addSession(name: SessionName): Session | undefined {
    const { limits } = this.options;
    if (this.sessions.size >= limits.sessions) {
      this.limit('sessions', limits.sessions);
      return;
    }
    const { protocol, port, isGpi = false } = name;
    const destination = this.text(name.destination);
    const session = new Session(
      flat(sessionText(name)),
      destination,
      protocol,
      port,
      isGpi,
      isMulticast(destination),
    );
    this.sessions.set(session.text, session);
    this.#countPorts(name, port === 0 ? -1 : 1);
    return session;
  }

  /** Drops a session that holds nothing any more. */
  tidy(session: Session): void {
    if (!session.isEmpty || this.sessions.get(session.text) !== session) return;
    for (const blockade of session.blockades) this.timers.delete(blockade);
    this.sessions.delete(session.text);
    this.#countPorts(session, session.port === 0 ? 1 : -1);
  }

  /** RFC 2205 3.2 rule 1: ports of one destination and protocol are all zero, or none is. */
  hasPortConflict(name: SessionName): boolean {
    const count = this.#ports.get(portKey(name)) ?? 0;
    return name.port === 0 ? count > 0 : count < 0;
  }

  #countPorts(name: SessionName, more: number): void {
    const key = portKey(name);
    const count = (this.#ports.get(key) ?? 0) + more;
    if (count === 0) this.#ports.delete(key);
    else this.#ports.set(flat(key), count);
  }

  /** A sender of the session that is known, by path state or because an application of this node asks for it. */
  findSender(session: Session, name: SenderName): Sender | undefined {
    for (const { sender } of session.paths) if (isSender(sender, name)) return sender;
    for (const { hop, contents } of session.reservations)
      if (hop === '') for (const sender of contents?.senders ?? []) if (isSender(sender, name)) return sender;
    return undefined;
  }

  newSender({ cType, address, port }: SenderName): Sender {
    return new Sender(cType, this.text(address), port);
  }

  /** One string for equal texts. */
  text(text: string): string {
    return this.#texts.get(text, () => flat(text));
  }

  list(numbers: readonly number[]): readonly number[] {
    return this.#lists.get(numbers.join(), () => numbers);
  }

  /** Watches a deadline that has been set. One that has moved on is looked at when the earlier one comes. */
  watch(state: Mortal): void {
    if (state.slot < 0 || state.expiresAt < this.timers.dueOf(state)) this.timers.set(state, state.expiresAt);
  }

  send(now: number, outgoing: Outgoing): void {
    this.exchange.send(now, outgoing);
  }

  effect(effect: EngineEffect): void {
    this.#effects.push(effect);
  }

  event(event: EngineEvent): void {
    this.#effects.push({ kind: 'event', event });
  }

  drop(arrived: ArrivedMessage, cause: Drop, detail: string, session?: Session): undefined {
    (this.dropped as Record<Drop, number>)[cause]++;
    const { message, neighbour, packet } = arrived;
    const type = MESSAGE_TYPES[message.msgType] ?? `message type ${message.msgType}`;
    const event = {
      kind: 'dropped',
      cause,
      message: type,
      from: neighbour,
      interface: packet.interface,
      text: `${type} from ${neighbour} on ${this.nameOf(packet.interface)} dropped: ${detail}`,
    } as const;
    this.event(session === undefined ? event : { ...event, session: session.text });
    return undefined;
  }

  limit(limit: string, most: number, session?: Session): undefined {
    (this.dropped as Record<Drop, number>).limit++;
    const about = session === undefined ? {} : { session: session.text };
    this.event({ kind: 'limit-reached', ...about, limit, most, text: `no more than ${most} ${limit}` });
    return undefined;
  }

  /** `eth0`, for people. */
  nameOf(index: number): string {
    return index === 0 ? 'local' : (this.interface(index)?.name ?? `interface ${index}`);
  }

  /** The effects of this call: the engine's own, then what the exchange has to send. */
  takeEffects(): readonly EngineEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    for (const effect of this.exchange.effects()) effects.push(effect);
    return effects;
  }

  // What becomes of state whose time is up; here, because the timers know nothing but the core.
  pathExpired(now: number, path: Path): void {
    pathExpired(this, now, path);
  }
  reservationExpired(now: number, reservation: Reservation): void {
    reservationExpired(this, now, reservation);
  }
  blockadeExpired(now: number, blockade: Blockade): void {
    blockadeExpired(this, now, blockade);
  }
  repairDue(now: number, path: Path): void {
    repairDue(this, now, path);
  }
}

function isSender(sender: Sender, { cType, address, port }: SenderName): boolean {
  return sender.port === port && sender.address === address && sender.cType === cType;
}

function portKey({ destination, protocol, isGpi }: SessionName): string {
  return `${destination}/${protocol}${isGpi === true ? '/spi' : ''}`;
}
