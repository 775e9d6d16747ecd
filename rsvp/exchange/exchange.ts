import type { ArrivedPacket } from '../engine/packet.js';
import {
  find,
  RsvpHopIpv4,
  RsvpHopIpv4IfId,
  RsvpHopIpv6,
  RsvpHopIpv6IfId,
  MessageId,
} from '../wire/index.js';
import type { RsvpInput, RsvpMessage, WireError, WireObject } from '../wire/index.js';
import type { Advert, ArrivedMessage, Refreshed } from './advert.js';
import { Bindings } from './bindings.js';
import type { MessageOrder } from './bindings.js';
import { CAUSES, Drop } from './effect.js';
import type { Cause, ExchangeEffect } from './effect.js';
import { BUNDLE, frame, partsOf } from './frame.js';
import { Neighbour, neighbourKey } from './neighbour.js';
import type { ExchangeOptions } from './options.js';
import { withTimeValues } from './outgoing.js';
import type { Outgoing } from './outgoing.js';
import { Refresher } from './refresher.js';

/**
 * What lies between an engine's state and packets. Whatever a call has to say gathers until `effects` is asked for it: so what
 * one packet gave rise to can leave together. `now` is in milliseconds and never goes back.
 */
export class Exchange {
  /** What had no effect, by cause. */
  readonly dropped: Readonly<Record<Cause, number>>;
  readonly #options: ExchangeOptions;
  readonly #neighbours = new Map<string, Neighbour>();
  readonly #bindings = new Bindings();
  readonly #refresher: Refresher;
  #effects: ExchangeEffect[] = [];

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#refresher = new Refresher(() => options.random());
    this.dropped = Object.fromEntries(CAUSES.map((cause) => [cause, 0])) as Record<Cause, number>;
  }

  /** The messages for the engine in what has arrived: none, one, or those of a Bundle (RFC 2961 3.4). */
  receive(now: number, packet: ArrivedPacket): ArrivedMessage[] {
    if (this.#options.interface(packet.interface) === undefined)
      return this.#drop(packet, new Drop('unknown-interface', 'RSVP does not run on the interface'));
    const octets = frame(packet.octets);
    if (octets instanceof Drop) return this.#drop(packet, octets);
    if (octets[1] !== BUNDLE) return this.#receiveOne(now, packet, octets);
    const parts = partsOf(octets);
    if (parts instanceof Drop) return this.#drop(packet, parts);
    const messages: ArrivedMessage[] = [];
    for (const part of parts) {
      const whole = frame(part);
      if (whole instanceof Drop) this.#drop(packet, whole);
      // RFC 2961 3.4: a part counts as if it had come alone, but with the Send_TTL of the Bundle.
      else messages.push(...this.#receiveOne(now, packet, whole, octets[4]));
    }
    return messages;
  }

  /** Tells new or changed state at once, and again every R or so from now on. The same advert, changed, is told again. */
  tell(now: number, advert: Advert): void {
    this.#refresher.tell(now, advert);
    this.#sendAdvert(advert);
  }

  /** It is told no more. Whoever has to know is told by a tear, with `send`. */
  forget(advert: Advert): void {
    this.#refresher.forget(advert);
  }

  /** A message that is sent once. */
  send(_now: number, outgoing: Outgoing): void {
    this.#send(outgoing, outgoing.message);
  }

  /**
   * From now on the sender of this message refreshes `state` by its MESSAGE_ID (RFC 2961 5). One message may be bound to
   * several states, a state to its latest message. A message without a MESSAGE_ID binds nothing.
   */
  bind(arrived: ArrivedMessage, state: Refreshed): void {
    const { messageId } = arrived;
    if (messageId === undefined) {
      this.#bindings.unbind(state);
      return;
    }
    const neighbour = this.#neighbours.get(neighbourKey(arrived.neighbour, arrived.packet.interface));
    if (neighbour?.epoch !== messageId.epoch) {
      this.#bindings.unbind(state);
      return;
    }
    this.#bindings.bind(neighbour, messageId.messageIdentifier, state);
  }

  /** The state is no more. */
  unbind(state: Refreshed): void {
    this.#bindings.unbind(state);
  }

  /**
   * Is this message newer than the one that `state` came from (RFC 2961 4.5)? To be asked for each Path, Resv, tear and error
   * that belongs to a state; what is stale must be ignored. `trigger` where nothing is known.
   */
  order(arrived: ArrivedMessage, state: Refreshed): MessageOrder {
    const { messageId } = arrived;
    const neighbour = this.#neighbours.get(neighbourKey(arrived.neighbour, arrived.packet.interface));
    if (messageId === undefined || neighbour?.epoch !== messageId.epoch) return 'trigger';
    return this.#bindings.order(neighbour, messageId.messageIdentifier, state);
  }

  /** When `handleTimeout` has something to do next; undefined: never, as things are. */
  nextTimeout(): number | undefined {
    return this.#refresher.next();
  }

  /** Calls that come too soon are harmless. */
  handleTimeout(now: number): void {
    for (let due = this.#refresher.take(now); due !== undefined; due = this.#refresher.take(now))
      this.#sendAdvert(due);
  }

  /** What there is to do since the last call. */
  effects(): ExchangeEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #receiveOne(_now: number, packet: ArrivedPacket, octets: Uint8Array, ttl?: number): ArrivedMessage[] {
    const faults: WireError[] = [];
    const decoded = this.#options.codec.decode(octets, faults);
    if (decoded.trailing !== undefined) {
      const text = faults[0]?.message ?? 'objects that do not fit the message';
      return this.#drop(packet, new Drop('malformed', text));
    }
    const neighbour = this.#neighbour(senderOf(decoded, packet.source), packet.interface);
    const id = find(decoded, MessageId);
    const message: RsvpMessage = {
      ...decoded,
      ttl: ttl ?? decoded.ttl,
      objects: decoded.objects.filter(isForEngine),
    };
    const arrived = { message, packet, neighbour: neighbour.address, faults };
    if (id === undefined || faults.length > 0) return [arrived];
    const { epoch, messageIdentifier } = id;
    if (neighbour.epoch !== epoch) this.#bindings.drop(neighbour);
    neighbour.epoch = epoch;
    return [{ ...arrived, messageId: { epoch, messageIdentifier } }];
  }

  #neighbour(address: string, interfaceIndex: number): Neighbour {
    const key = neighbourKey(address, interfaceIndex);
    const known = this.#neighbours.get(key);
    if (known !== undefined) return known;
    const neighbour = new Neighbour(key, address, interfaceIndex);
    this.#neighbours.set(key, neighbour);
    return neighbour;
  }

  #sendAdvert(advert: Advert): void {
    this.#send(advert, withTimeValues(advert.message(), advert.refreshPeriod));
  }

  #send(to: Omit<Outgoing, 'message'>, message: RsvpInput): void {
    const octets = this.#options.codec.encode({ ...message, ttl: message.ttl ?? to.ttl });
    const { source, destination, routerAlert, ttl } = to;
    const packet = { interface: to.interface, destination, ttl, routerAlert, octets };
    this.#effects.push({ kind: 'send', packet: source === undefined ? packet : { ...packet, source } });
  }

  #drop(packet: ArrivedPacket, { cause, text }: Drop): [] {
    (this.dropped as Record<Cause, number>)[cause]++;
    const from = `from ${packet.source} on interface ${packet.interface}`;
    this.#effects.push({ kind: 'event', event: { kind: cause, text: `message ${from} dropped: ${text}` } });
    return [];
  }
}

/** The neighbour that a message is from: its RSVP_HOP says so; where it has none, the IP source (RFC 2961 4.4, RFC 2747 4). */
function senderOf(message: RsvpMessage, source: string): string {
  return find(message, RsvpHopIpv4, RsvpHopIpv6, RsvpHopIpv4IfId, RsvpHopIpv6IfId)?.hopAddress ?? source;
}

/** INTEGRITY, MESSAGE_ID and MESSAGE_ID_ACK go from hop to hop and end here. */
function isForEngine({ classNum }: WireObject): boolean {
  return classNum !== 4 && classNum !== 23 && classNum !== 24;
}
