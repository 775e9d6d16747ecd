import { MessageIdAck, MessageIdNack } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import { TimerHeap } from './heap.js';
import type { Timed } from './heap.js';
import type { Neighbour } from './neighbour.js';

/** MESSAGE_ID_ACK and MESSAGE_ID_NACK: header, flags and epoch, identifier. */
export const ACKNOWLEDGMENT_SIZE = 12;
/** Kept for one neighbour at once; further ones are not sent, and what they are about is sent again. */
const OWED = 1024;
/** As many as a packet of 1500 octets takes, or a little less. */
const FULL = 100;
/** Waiting for their random time, of all neighbours. */
const DELAYED = 1024;

/** An acknowledgment of a message that went to a multicast address. */
class Delayed implements Timed {
  due = 0;
  slot = -1;

  constructor(
    readonly neighbour: Neighbour,
    readonly acknowledgment: WireObject,
  ) {}
}

/**
 * What is acknowledged and refused, until it leaves: with a message that goes to the same neighbour, or after a short time in an
 * Ack message (RFC 2961 4.6).
 */
export class Acknowledger {
  /** Who is owed a full Ack message: those leave without delay, however many messages come at once. */
  readonly full = new Set<Neighbour>();
  readonly #heap = new TimerHeap<Neighbour>();
  readonly #delayed = new TimerHeap<Delayed>();

  acknowledge(now: number, neighbour: Neighbour, epoch: number, id: number, delay: number): void {
    this.#owe(now, neighbour, MessageIdAck.make({ flags: 0, epoch, messageIdentifier: id >>> 0 }), delay);
    if (neighbour.owed.length >= FULL) this.full.add(neighbour);
  }

  /** RFC 2961 4.7: it waits, and nothing takes it along before its time. */
  acknowledgeLater(due: number, neighbour: Neighbour, epoch: number, id: number): void {
    if (this.#delayed.size >= DELAYED) return;
    const acknowledgment = MessageIdAck.make({ flags: 0, epoch, messageIdentifier: id >>> 0 });
    this.#delayed.set(new Delayed(neighbour, acknowledgment), due);
  }

  /** RFC 2961 5.4. At most `limit` at once. */
  refuse(
    now: number,
    neighbour: Neighbour,
    epoch: number,
    ids: readonly number[],
    delay: number,
    limit: number,
  ): void {
    for (const id of ids) {
      if (neighbour.owed.length >= limit) return;
      this.#owe(now, neighbour, MessageIdNack.make({ flags: 0, epoch, messageIdentifier: id }), delay);
    }
  }

  next(): number | undefined {
    const [a, b] = [this.#heap.next(), this.#delayed.next()];
    return a === undefined ? b : b === undefined ? a : Math.min(a, b);
  }

  /** A neighbour that has waited long enough. */
  due(now: number): Neighbour | undefined {
    for (let late = this.#delayed.pop(now); late !== undefined; late = this.#delayed.pop(now))
      this.#owe(now, late.neighbour, late.acknowledgment, 0);
    return this.#heap.pop(now);
  }

  /** At most `most` of what the neighbour is owed, to go with a message. */
  take(neighbour: Neighbour, most: number): WireObject[] {
    const { owed } = neighbour;
    if (owed.length === 0 || most <= 0) return [];
    const taken = owed.splice(0, most);
    if (owed.length === 0) this.#heap.delete(neighbour);
    return taken;
  }

  #owe(now: number, neighbour: Neighbour, acknowledgment: WireObject, delay: number): void {
    if (neighbour.owed.length >= OWED) return;
    neighbour.owed.push(acknowledgment);
    if (neighbour.slot < 0) this.#heap.set(neighbour, now + delay);
  }
}
