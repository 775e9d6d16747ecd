import { Challenge, ErrorSpecIpv4, ErrorSpecIpv6, find, MessageIdAck, MessageIdNack } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import type { Acknowledger } from './acknowledger.js';
import { ACKNOWLEDGMENT_SIZE } from './acknowledger.js';
import type { ArrivedMessage } from './advert.js';
import type { Bindings } from './bindings.js';
import { Drop } from './effect.js';
import type { Journal } from './effect.js';
import { ChallengeLimit } from './handshake.js';
import { isForEngine, TYPE } from './inbound.js';
import type { Admitted, MessageIdValue } from './inbound.js';
import type { Neighbour } from './neighbour.js';
import { reducesRefreshes, roomIn } from './options.js';
import type { ExchangeOptions } from './options.js';
import { NEIGHBOUR_TTL } from './outbox.js';
import type { Outbox } from './outbox.js';
import { isMulticast } from './reduction.js';
import { refreshAll } from './refreshed.js';

/** What received messages mean for those that we send. */
export interface Consequences {
  /** A neighbour has the message with this Message_Identifier. */
  acknowledged(id: number): void;
  /** A neighbour does not have the state with this Message_Identifier (RFC 2961 5.4). */
  refused(now: number, id: number): void;
  /** RFC 2961 4.8. */
  knowsNoMessageId(now: number, neighbour: Neighbour): void;
}

const DELAY = 10;
const MULTICAST_DELAY = 200;
/** NACKs for one neighbour at once, where it has state here; strangers get one message's worth. */
const REFUSED = 1024;
/** "Unknown object class"; the value's upper octet is the Class-Num (RFC 2205 Appendix B). */
const UNKNOWN_CLASS = 13;
const MESSAGE_ID_CLASS = 23;

/** Acts upon what has been admitted: acknowledgments, summary refreshes and challenges end here, the rest is the engine's. */
export class Receiver {
  readonly #challenges = new ChallengeLimit();

  constructor(
    readonly options: ExchangeOptions,
    readonly bindings: Bindings,
    readonly acknowledger: Acknowledger,
    readonly outbox: Outbox,
    readonly journal: Journal,
    readonly consequences: Consequences,
  ) {}

  act(now: number, admitted: Admitted): ArrivedMessage | Drop | undefined {
    const { message, neighbour, messageId, faults } = admitted;
    const { msgType } = message;
    const [fault] = faults;
    if (msgType === TYPE.CHALLENGE) return this.#respond(now, admitted);
    if (fault !== undefined) {
      // RFC 2961 4.5: a message with errors is not acknowledged; what is wrong with it is for the engine to say.
      if (msgType !== TYPE.ACK && msgType !== TYPE.SREFRESH) return arrivedAs(admitted);
      return new Drop('malformed', fault.message);
    }
    if (msgType === TYPE.ACK && messageId !== undefined)
      return new Drop('malformed', 'an Ack message with a MESSAGE_ID (RFC 2961 4.4)');
    const count = this.#acknowledgments(now, admitted);
    if (msgType === TYPE.ACK)
      return count > 0
        ? undefined
        : new Drop('malformed', 'an Ack message without acknowledgments (RFC 2961 4.4)');
    if (messageId !== undefined && neighbour !== undefined) {
      if (this.#identify(now, admitted, neighbour, messageId))
        return new Drop('duplicate', `message ${messageId.messageIdentifier} was here before (RFC 2961 4.5)`);
    }
    if (msgType === TYPE.SREFRESH) return this.#refresh(now, admitted);
    if (isMessageIdRefusal(admitted) && neighbour !== undefined) {
      this.consequences.knowsNoMessageId(now, neighbour);
      return undefined;
    }
    return arrivedAs(admitted);
  }

  /** MESSAGE_ID_ACK and MESSAGE_ID_NACK objects; how many there were. */
  #acknowledgments(now: number, { message }: Admitted): number {
    let count = 0;
    for (const object of message.objects) {
      const known = acknowledgmentIn(object);
      if (known === undefined) continue;
      count++;
      if (known.epoch !== this.options.epoch) continue;
      if (object.cType === MessageIdAck.cType) this.consequences.acknowledged(known.messageIdentifier);
      else this.consequences.refused(now, known.messageIdentifier);
    }
    return count;
  }

  /** Notes the epoch and acknowledges (RFC 2961 4.5); true where the message was here before and leaves no state behind. */
  #identify(
    now: number,
    { message, packet, settings }: Admitted,
    neighbour: Neighbour,
    { flags, epoch, messageIdentifier }: MessageIdValue,
  ): boolean {
    if (neighbour.epoch !== epoch) {
      if (neighbour.epoch !== undefined)
        this.journal.notice('neighbour-restarted', `${neighbour.address} begins a new Epoch (RFC 2961 4.2)`);
      this.bindings.drop(neighbour);
      neighbour.restart(epoch);
    }
    if ((flags & 1) === 0) return false;
    if (isMulticast(packet.destination)) {
      // RFC 2961 4.7: a random time, for there may be many of us.
      const most = settings.multicastAcknowledgmentDelay ?? MULTICAST_DELAY;
      const due = now + this.options.random() * most;
      this.acknowledger.acknowledgeLater(due, neighbour, epoch, messageIdentifier);
    } else {
      const delay = settings.acknowledgmentDelay ?? DELAY;
      this.acknowledger.acknowledge(now, neighbour, epoch, messageIdentifier, delay);
    }
    const { msgType } = message;
    if (msgType === TYPE.PATH || msgType === TYPE.RESV || msgType === TYPE.SREFRESH) return false;
    return neighbour.hasSeen(messageIdentifier);
  }

  #refresh(now: number, { message, packet, settings, neighbour }: Admitted): Drop | undefined {
    if (!reducesRefreshes(settings))
      return new Drop('unexpected-srefresh', 'refresh reduction is off on the interface (RFC 2961 2)');
    const lists = message.objects.filter(({ classNum }) => classNum === 25);
    const sources = lists.filter(({ cType }) => cType === 2 || cType === 3);
    if (lists.length === 0 || (sources.length > 0 && sources.length < lists.length))
      return new Drop('malformed', 'an Srefresh without lists, or a SRC_LIST beside others (RFC 2961 5.2)');
    if (neighbour === undefined) return undefined;
    const { interface: index, destination } = packet;
    const forwards = (source: string, group: string): boolean =>
      this.options.forwards?.(source, group, index) === true;
    // One Ack message holds as much as a stranger gets; who has state here gets all that it asks for (RFC 2961 5.3).
    const one = Math.floor((roomIn(settings, neighbour.address) - 64) / ACKNOWLEDGMENT_SIZE);
    const limit = neighbour.bound.size > 0 ? REFUSED : one;
    const delay = settings.acknowledgmentDelay ?? DELAY;
    for (const list of lists) {
      const unmatched = refreshAll(now, neighbour, list, destination, forwards);
      if (unmatched === undefined) continue;
      this.acknowledger.refuse(now, neighbour, unmatched.epoch, unmatched.ids, delay, limit);
    }
    return undefined;
  }

  /** RFC 2747 4.2: to where the challenge came from, with the key that it names. */
  #respond(now: number, { message, packet, settings }: Admitted): Drop | undefined {
    const challenge = find(message, Challenge);
    if (challenge === undefined) return new Drop('malformed', 'an Integrity Challenge without CHALLENGE');
    const key = settings.integrity?.send?.keys.find(
      ({ id, from = -Infinity }) => id === challenge.keyId && from <= now,
    );
    if (key === undefined)
      return new Drop('unknown-key', `key ${challenge.keyId} is none of ours to send with`);
    if (!this.#challenges.allows(now))
      return new Drop('challenged-too-often', 'more challenges than we answer');
    const to = {
      interface: packet.interface,
      destination: packet.source,
      routerAlert: false,
      ttl: NEIGHBOUR_TTL,
    };
    this.outbox.add({ to, message: { msgType: TYPE.RESPONSE, objects: [challenge] }, key });
    return undefined;
  }
}

function acknowledgmentIn(object: WireObject): ReturnType<typeof MessageIdAck.make> | undefined {
  const value: object = object;
  if (MessageIdAck.is(value)) return value;
  return MessageIdNack.is(object) ? object : undefined;
}

function arrivedAs({ message, packet, sender, neighbour, messageId, faults }: Admitted): ArrivedMessage {
  const arrived = {
    message: { ...message, objects: message.objects.filter(isForEngine) },
    packet,
    neighbour: sender,
    faults,
  };
  if (messageId === undefined || neighbour === undefined || faults.length > 0) return arrived;
  const { epoch, messageIdentifier } = messageId;
  return { ...arrived, messageId: { epoch, messageIdentifier } };
}

function isMessageIdRefusal({ message }: Admitted): boolean {
  if (message.msgType !== TYPE.PATH_ERR && message.msgType !== TYPE.RESV_ERR) return false;
  const error = find(message, ErrorSpecIpv4, ErrorSpecIpv6);
  return error?.errorCode === UNKNOWN_CLASS && error.errorValue >> 8 === MESSAGE_ID_CLASS;
}
