import type { ArrivedPacket } from '../engine/packet.js';
import type { Advert, ArrivedMessage, Refreshed } from './advert.js';
import { Acknowledger } from './acknowledger.js';
import { Authenticator } from './authenticator.js';
import { Bindings } from './bindings.js';
import type { MessageOrder } from './bindings.js';
import { Journal } from './effect.js';
import type { Cause, ExchangeEffect } from './effect.js';
import { INTEGRITY_LIMIT } from './integrity.js';
import { Inbound } from './inbound.js';
import { Neighbours } from './neighbour.js';
import type { Neighbour } from './neighbour.js';
import { retransmissionOf, roomIn } from './options.js';
import type { ExchangeOptions } from './options.js';
import { NEIGHBOUR_TTL, Outbox } from './outbox.js';
import type { Queued } from './outbox.js';
import { withTimeValues } from './outgoing.js';
import type { Outgoing } from './outgoing.js';
import { Receiver } from './receiver.js';
import { Reduction } from './reduction.js';
import { Refresher } from './refresher.js';
import { Pending, Retransmitter } from './retransmitter.js';
import { capacityOf, srefreshOf } from './summary.js';
import { Told } from './told.js';

/**
 * What lies between an engine's state and packets. Whatever a call has to say gathers until `effects` is asked for it: so what
 * one packet gave rise to can leave together. `now` is in milliseconds and never goes back.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #journal = new Journal();
  readonly #bindings = new Bindings();
  readonly #acknowledger = new Acknowledger();
  readonly #retransmitter = new Retransmitter();
  readonly #neighbours: Neighbours;
  readonly #reduction: Reduction;
  readonly #refresher: Refresher;
  readonly #outbox: Outbox;
  readonly #authenticator: Authenticator;
  readonly #inbound: Inbound;
  #messageIdentifier: number;
  #now = 0;

  constructor(options: ExchangeOptions) {
    checkOptions(options);
    this.#options = options;
    this.#messageIdentifier = (options.firstMessageIdentifier - 1) | 0;
    this.#neighbours = new Neighbours(options.neighbourLimit ?? 1024);
    this.#reduction = new Reduction(options, this.#neighbours);
    this.#refresher = new Refresher({
      summaryOf: (now, advert) => this.#reduction.summaryOf(now, advert),
      capacityOf: (target) => {
        const settings = options.interface(target.interface);
        if (settings === undefined) return 1;
        const seal = settings.integrity?.send === undefined ? 0 : INTEGRITY_LIMIT;
        return capacityOf(target, roomIn(settings, target.destination) - seal);
      },
      wholeEvery: (index) => options.interface(index)?.wholeEvery ?? WHOLE_EVERY,
      random: () => options.random(),
    });
    this.#outbox = new Outbox(options, this.#neighbours, this.#acknowledger, this.#journal);
    this.#authenticator = new Authenticator(options.secret, this.#journal, (challenge) =>
      this.#outbox.addChallenge(challenge),
    );
    const receiver = new Receiver(options, this.#bindings, this.#acknowledger, this.#outbox, this.#journal, {
      acknowledged: (id) => this.#retransmitter.cancel(id),
      refused: (now, id) => this.#refused(now, id),
      knowsNoMessageId: (now, neighbour) => this.#withoutMessageIds(now, neighbour),
    });
    this.#inbound = new Inbound(
      options,
      this.#neighbours,
      this.#authenticator,
      this.#journal,
      (now, admitted) => receiver.act(now, admitted),
    );
  }

  /** What had no effect, by cause. */
  get dropped(): Readonly<Record<Cause, number>> {
    return this.#journal.dropped;
  }

  /** How much is held, for whoever watches: adverts, received state bound to a number, neighbours, messages not acknowledged. */
  get sizes(): Readonly<Record<'adverts' | 'bound' | 'neighbours' | 'unacknowledged', number>> {
    return {
      adverts: this.#refresher.size,
      bound: this.#bindings.size,
      neighbours: this.#neighbours.size,
      unacknowledged: this.#retransmitter.size,
    };
  }

  /** The messages for the engine in what has arrived: none, one, or those of a Bundle (RFC 2961 3.4). */
  receive(now: number, packet: ArrivedPacket): ArrivedMessage[] {
    this.#now = now;
    return this.#inbound.receive(now, packet);
  }

  /** Tells new or changed state at once, and again every R or so from now on. The same advert, changed, is told again. */
  tell(now: number, advert: Advert): void {
    this.#now = now;
    if (!(advert.refreshPeriod >= 1))
      throw new RangeError(`refreshPeriod: ${advert.refreshPeriod} is not a number of milliseconds`);
    const told = this.#refresher.enter(advert);
    this.#retransmitter.cancel(told.id);
    const isNumbered = this.#reduction.usesMessageId(advert);
    // A trigger message has a greater Message_Identifier than all before (RFC 2961 4.5).
    this.#refresher.number(told, isNumbered ? this.#nextIdentifier() : 0);
    this.#sendWhole(now, told, isNumbered);
  }

  /** It is told no more. Whoever has to know is told by a tear, with `send`. */
  forget(advert: Advert): void {
    const told = this.#refresher.forget(advert);
    if (told !== undefined) this.#retransmitter.cancel(told.id);
  }

  /** A message that is sent once. */
  send(now: number, outgoing: Outgoing): void {
    this.#now = now;
    const { message } = outgoing;
    const isNumbered = outgoing.isReliable === true && this.#reduction.usesMessageId(outgoing);
    if (!isNumbered) {
      this.#outbox.add({ to: outgoing, message });
      return;
    }
    const id = this.#nextIdentifier();
    this.#await(now, id, outgoing);
    this.#outbox.add({ to: outgoing, message, id, asksForAcknowledgment: true });
  }

  /** A PathErr or ResvErr has come for it: that acknowledges it as well (RFC 2961 4.5). */
  answered(advert: Advert): void {
    const { told } = advert;
    if (told !== undefined) this.#retransmitter.cancel(told.id);
  }

  /**
   * From now on the sender of this message refreshes `state` by its MESSAGE_ID (RFC 2961 5). One message may be bound to
   * several states, a state to its latest message. A message without a MESSAGE_ID binds nothing.
   */
  bind(arrived: ArrivedMessage, state: Refreshed): void {
    const { messageId } = arrived;
    const neighbour = this.#neighbours.get(arrived.neighbour, arrived.packet.interface);
    if (messageId === undefined || neighbour?.epoch !== messageId.epoch) this.#bindings.unbind(state);
    else this.#bindings.bind(neighbour, messageId.messageIdentifier, state);
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
    const neighbour = this.#neighbours.get(arrived.neighbour, arrived.packet.interface);
    if (messageId === undefined || neighbour?.epoch !== messageId.epoch) return 'trigger';
    return this.#bindings.order(neighbour, messageId.messageIdentifier, state);
  }

  /** When `handleTimeout` has something to do next; undefined: never, as things are. */
  nextTimeout(): number | undefined {
    let soonest: number | undefined;
    for (const { next } of this.#clocks) {
      const time = next();
      if (time !== undefined && (soonest === undefined || time < soonest)) soonest = time;
    }
    return soonest;
  }

  /** Calls that come too soon are harmless. */
  handleTimeout(now: number): void {
    this.#now = now;
    for (const { run } of this.#clocks) run(now);
  }

  /** What there is to do since the last call. */
  effects(): ExchangeEffect[] {
    this.#outbox.flush(this.#now);
    return this.#journal.take();
  }

  /** Everything that waits for a time. */
  readonly #clocks: readonly {
    readonly next: () => number | undefined;
    readonly run: (now: number) => void;
  }[] = [
    { next: () => this.#authenticator.associations.next(), run: (now) => this.#repeatChallenges(now) },
    { next: () => this.#retransmitter.next(), run: (now) => this.#retransmit(now) },
    { next: () => this.#refresher.next(), run: (now) => this.#refresh(now) },
    { next: () => this.#acknowledger.next(), run: (now) => this.#acknowledge(now) },
  ];

  #repeatChallenges(now: number): void {
    const { associations } = this.#authenticator;
    for (let due = associations.take(now); due !== undefined; due = associations.take(now))
      this.#outbox.addChallenge(due);
  }

  #retransmit(now: number): void {
    for (let due = this.#retransmitter.take(now); due !== undefined; due = this.#retransmitter.take(now)) {
      const { pending, isOver } = due;
      const { id, what } = pending;
      const to = what instanceof Told ? what.advert : what;
      if (isOver) {
        const text = `message ${id} to ${to.destination} was not acknowledged after ${pending.count} attempts (RFC 2961 6)`;
        this.#journal.notice('unacknowledged', text);
      } else if (!this.#reduction.usesMessageId(to)) this.#retransmitter.cancel(id);
      else if (what instanceof Told) this.#outbox.add(wholeOf(what, true));
      else this.#outbox.add({ to, message: what.message, id, asksForAcknowledgment: true });
    }
  }

  #refresh(now: number): void {
    for (let due = this.#refresher.take(now); due !== undefined; due = this.#refresher.take(now)) {
      if (due.kind === 'whole') {
        this.#refreshWhole(now, due.told);
        continue;
      }
      const { target, named, whole } = due;
      const [first] = named;
      if (first !== undefined) {
        const ttl = target.routerAlert ? first.advert.ttl : NEIGHBOUR_TTL;
        const message = srefreshOf(target, named, this.#options.epoch);
        this.#outbox.add({ to: { ...target, ttl }, message });
      }
      for (const told of whole) this.#refreshWhole(now, told);
    }
  }

  /** The same Message_Identifier as before, while the state is the same (RFC 2961 4.5). */
  #refreshWhole(now: number, told: Told): void {
    const isNumbered = this.#reduction.usesMessageId(told.advert);
    if (isNumbered && told.id === 0) this.#refresher.number(told, this.#nextIdentifier());
    else if (!isNumbered) this.#refresher.number(told, 0);
    this.#sendWhole(now, told, false);
  }

  #acknowledge(now: number): void {
    for (let due = this.#acknowledger.due(now); due !== undefined; due = this.#acknowledger.due(now))
      this.#outbox.owes(due);
  }

  #sendWhole(now: number, told: Told, asksForAcknowledgment: boolean): void {
    this.#refresher.sent(now, told);
    if (asksForAcknowledgment) this.#await(now, told.id, told);
    this.#outbox.add(wholeOf(told, asksForAcknowledgment));
  }

  #await(now: number, id: number, what: Told | Outgoing): void {
    const index = what instanceof Told ? what.advert.interface : what.interface;
    const settings = this.#options.interface(index);
    if (settings !== undefined)
      this.#retransmitter.add(now, new Pending(id, what, retransmissionOf(settings)));
  }

  /** RFC 2961 5.4: whoever does not have it gets it, once for each time that it was named. */
  #refused(now: number, id: number): void {
    const told = this.#refresher.byId(id);
    if (told?.isNamed !== true) return;
    told.isNamed = false;
    this.#sendWhole(now, told, this.#reduction.usesMessageId(told.advert));
  }

  /** RFC 2961 4.8: what was sent with a MESSAGE_ID is sent again without. */
  #withoutMessageIds(now: number, neighbour: Neighbour): void {
    if (!neighbour.refusesMessageId) {
      this.#neighbours.setRefusing(neighbour);
      this.#journal.notice('no-message-id', `${neighbour.address} does not know MESSAGE_ID (RFC 2961 4.8)`);
    }
    for (const { id, what } of [...this.#retransmitter.values()]) {
      const to = what instanceof Told ? what.advert : what;
      if (this.#reduction.usesMessageId(to)) continue;
      this.#retransmitter.cancel(id);
      if (what instanceof Told) this.#refreshWhole(now, what);
      else this.#outbox.add({ to, message: what.message });
    }
  }

  /** 0 says that there is none. */
  #nextIdentifier(): number {
    this.#messageIdentifier = (this.#messageIdentifier + 1) | 0 || 1;
    return this.#messageIdentifier;
  }
}

const WHOLE_EVERY = 20;

function wholeOf(told: Told, asksForAcknowledgment: boolean): Queued {
  const { advert, id } = told;
  return {
    to: advert,
    message: withTimeValues(advert.message(), advert.refreshPeriod),
    id,
    asksForAcknowledgment,
  };
}

function checkOptions({ epoch, firstMessageIdentifier }: ExchangeOptions): void {
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > 0xffffff)
    throw new RangeError(`epoch: ${epoch} is not a number of 24 bits`);
  if (
    !Number.isInteger(firstMessageIdentifier) ||
    firstMessageIdentifier < 0 ||
    firstMessageIdentifier > 0xffffffff
  )
    throw new RangeError(`firstMessageIdentifier: ${firstMessageIdentifier} is not a number of 32 bits`);
}
