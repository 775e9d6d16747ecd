import { MessageId } from '../wire/index.js';
import type { RsvpInput, WireObject } from '../wire/index.js';
import type { SentPacket } from '../engine/packet.js';
import { ACKNOWLEDGMENT_SIZE } from './acknowledger.js';
import type { Acknowledger } from './acknowledger.js';
import type { Journal } from './effect.js';
import { BUNDLE } from './frame.js';
import type { ChallengeFor } from './handshake.js';
import { integritySize, sign, unsigned } from './integrity.js';
import type { IntegrityKey } from './keys.js';
import type { Neighbour, Neighbours } from './neighbour.js';
import { reducesRefreshes, roomIn } from './options.js';
import type { ExchangeInterface, ExchangeOptions } from './options.js';
import type { Outgoing } from './outgoing.js';
import { isMulticast } from './reduction.js';

/** A message that waits to leave. */
export interface Queued {
  readonly to: Omit<Outgoing, 'message'>;
  readonly message: RsvpInput;
  /** Its MESSAGE_ID; 0: none. */
  readonly id?: number;
  readonly asksForAcknowledgment?: boolean;
  /** To be signed with this one: an Integrity Response. `null`: not to be signed: an Integrity Challenge. */
  readonly key?: IntegrityKey | null;
}

const REFRESH_REDUCTION_CAPABLE = 1;
const ACK_DESIRED = 1;
const ACK = 13;
const CHALLENGE = 25;
const PATH = 1;
const PATH_TEAR = 5;
const HEADER = 8;
/** For messages to neighbours: whatever arrives with less has passed a hop without RSVP (RFC 2205 3.8). */
export const NEIGHBOUR_TTL = 255;

/** Messages for one neighbour that leave together (RFC 2961 3). */
interface Parcel {
  readonly interface: number;
  readonly neighbour: Neighbour;
  readonly room: number;
  readonly packets: SentPacket[];
  size: number;
}

/**
 * What is to be sent, until the caller fetches it: then acknowledgments join what goes to the same neighbour, messages are
 * encoded and signed, and those for one neighbour are bundled up to the MTU.
 */
export class Outbox {
  #queue: Queued[] = [];
  #owing: Neighbour[] = [];
  #sequenceNumber: bigint | undefined;
  #warned = new Set<string>();

  constructor(
    readonly options: ExchangeOptions,
    readonly neighbours: Neighbours,
    readonly acknowledger: Acknowledger,
    readonly journal: Journal,
  ) {
    this.#sequenceNumber = options.firstSequenceNumber;
  }

  add(queued: Queued): void {
    this.#queue.push(queued);
  }

  /** RFC 2747 4.3: it goes without INTEGRITY. */
  addChallenge({ sender, interfaceIndex, challenge }: ChallengeFor): void {
    const to = { interface: interfaceIndex, destination: sender, routerAlert: false, ttl: NEIGHBOUR_TTL };
    this.add({ to, message: { msgType: CHALLENGE, objects: [challenge] }, key: null });
  }

  /** What this neighbour is owed leaves now, in Ack messages if nothing else goes there (RFC 2961 4.6). */
  owes(neighbour: Neighbour): void {
    this.#owing.push(neighbour);
  }

  /** Everything leaves. */
  flush(now: number): void {
    const { full } = this.acknowledger;
    const [queue, owing] = [this.#queue, [...this.#owing, ...full]];
    full.clear();
    if (queue.length === 0 && owing.length === 0) return;
    this.#queue = [];
    this.#owing = [];
    const parcels = new Map<Neighbour, Parcel>();
    for (const queued of queue) this.#pack(now, queued, parcels);
    for (const neighbour of owing)
      for (const queued of this.#acknowledgments(neighbour)) this.#pack(now, queued, parcels);
    for (const parcel of parcels.values()) this.#ship(parcel);
  }

  #pack(now: number, queued: Queued, parcels: Map<Neighbour, Parcel>): void {
    const settings = this.options.interface(queued.to.interface);
    const packet = settings === undefined ? undefined : this.#packet(now, queued, settings);
    if (settings === undefined || packet === undefined) return;
    const neighbour = this.#bundledFor(queued, settings);
    if (neighbour === undefined) this.journal.push({ kind: 'send', packet });
    else this.#bundle(parcels, neighbour, packet, roomIn(settings, neighbour.address));
  }

  /** Ack messages with all that is left of it (RFC 2961 4.4). */
  #acknowledgments(neighbour: Neighbour): Queued[] {
    const { interfaceIndex, address } = neighbour;
    const settings = this.options.interface(interfaceIndex);
    const room = settings === undefined ? 0 : roomIn(settings, address) - HEADER - sealSize(settings);
    const most = Math.max(1, Math.floor(room / ACKNOWLEDGMENT_SIZE));
    const to = { interface: interfaceIndex, destination: address, routerAlert: false, ttl: NEIGHBOUR_TTL };
    const messages: Queued[] = [];
    while (neighbour.owed.length > 0) {
      const objects = this.acknowledger.take(neighbour, most);
      messages.push({ to, message: { msgType: ACK, objects } });
    }
    return messages;
  }

  #packet(now: number, queued: Queued, settings: ExchangeInterface): SentPacket | undefined {
    const { to, message, id = 0, asksForAcknowledgment = false } = queued;
    const key = queued.key === undefined ? this.#keyFor(now, to, settings) : queued.key;
    if (key === undefined) return undefined;
    const identity: WireObject[] = [];
    if (id !== 0) {
      const flags = asksForAcknowledgment ? ACK_DESIRED : 0;
      identity.push(MessageId.make({ flags, epoch: this.options.epoch, messageIdentifier: id >>> 0 }));
    }
    const plain: RsvpInput = {
      ...message,
      flags: (message.flags ?? 0) | (reducesRefreshes(settings) ? REFRESH_REDUCTION_CAPABLE : 0),
      ttl: message.ttl ?? to.ttl,
      objects: identity.length === 0 ? message.objects : [...identity, ...message.objects],
    };
    const acknowledgments = this.#riders(queued, plain, settings, key);
    // The order of RFC 2961 4.1: INTEGRITY, acknowledgments, MESSAGE_ID, and what the message is about.
    const whole =
      acknowledgments.length === 0 ? plain : { ...plain, objects: [...acknowledgments, ...plain.objects] };
    const { source, destination, routerAlert, ttl } = to;
    const octets = this.#encode(whole, key);
    const packet = { interface: to.interface, destination, ttl, routerAlert, octets };
    return source === undefined ? packet : { ...packet, source };
  }

  #encode(message: RsvpInput, key: IntegrityKey | null): Uint8Array {
    if (key === null) return this.options.codec.encode(message);
    const number = this.#sequenceNumber;
    if (number === undefined) throw new TypeError('firstSequenceNumber: needed where messages are signed');
    this.#sequenceNumber = BigInt.asUintN(64, number + 1n);
    const objects = [unsigned(key, number), ...message.objects];
    const octets = this.options.codec.encode({ ...message, objects, checksum: 0 });
    sign(octets, key);
    return octets;
  }

  /** Acknowledgments that fit: a message that goes hop by hop to whoever is owed some takes them along (RFC 2961 4.6). */
  #riders(
    { to, message, key: given }: Queued,
    plain: RsvpInput,
    settings: ExchangeInterface,
    key: IntegrityKey | null,
  ): WireObject[] {
    if (message.msgType === ACK || given !== undefined) return [];
    const neighbour = this.neighbours.get(to.destination, to.interface);
    if (neighbour === undefined || neighbour.owed.length === 0) return [];
    const size = this.options.codec.encode(plain).length + (key === null ? 0 : integritySize(key));
    const room = roomIn(settings, to.destination) - size;
    return this.acknowledger.take(neighbour, Math.floor(room / ACKNOWLEDGMENT_SIZE));
  }

  /** `null`: nothing is signed there. Undefined: it cannot be signed, and so cannot be sent. */
  #keyFor(
    now: number,
    { interface: index, neighbour, destination }: Queued['to'],
    { integrity }: ExchangeInterface,
  ): IntegrityKey | null | undefined {
    if (integrity?.send === undefined) return null;
    const choice = integrity.send.signing(now, neighbour ?? destination);
    const nothing = `${index} none`;
    if (choice === undefined) {
      if (!this.#warned.has(nothing))
        this.journal.notice(
          'no-key',
          `no key has begun that signs messages to ${destination} on interface ${index}`,
        );
      this.#warned.add(nothing);
      return undefined;
    }
    this.#warned.delete(nothing);
    const { key, isExpired } = choice;
    if (isExpired && !this.#warned.has(`${index} ${key.id}`)) {
      this.#warned.add(`${index} ${key.id}`);
      const text = `key ${key.id}, the last to send with on interface ${index}, has expired and is used on (RFC 2747 5.3)`;
      this.journal.notice('last-key-expired', text);
    }
    return key;
  }

  /**
   * Who gets it in a Bundle: a neighbour that is capable of it and that the message is addressed to. A Path or PathTear has
   * to find its own way, unless the link leads to that neighbour alone (RFC 2961 3.3).
   */
  #bundledFor({ to, message, key }: Queued, settings: ExchangeInterface): Neighbour | undefined {
    if (settings.refreshReduction === 'off' || key !== undefined) return undefined;
    const isPath = message.msgType === PATH || message.msgType === PATH_TEAR;
    const isFree = to.routerAlert || to.source !== undefined || isMulticast(to.destination);
    if ((isPath || isFree) && settings.isPointToPoint !== true) return undefined;
    const address = isPath ? to.neighbour : isFree ? undefined : to.destination;
    const neighbour = address === undefined ? undefined : this.neighbours.get(address, to.interface);
    return neighbour?.isCapable === true && neighbour.isDirect ? neighbour : undefined;
  }

  #bundle(parcels: Map<Neighbour, Parcel>, neighbour: Neighbour, packet: SentPacket, room: number): void {
    const { interface: index, octets } = packet;
    let parcel = parcels.get(neighbour);
    if (parcel !== undefined && (parcel.size + octets.length > parcel.room || parcel.interface !== index)) {
      this.#ship(parcel);
      parcel = undefined;
    }
    if (parcel === undefined) {
      parcel = { interface: index, neighbour, room, packets: [], size: HEADER };
      parcels.set(neighbour, parcel);
    }
    parcel.packets.push(packet);
    parcel.size += octets.length;
  }

  #ship({ interface: index, neighbour, packets, size }: Parcel): void {
    const [first] = packets;
    if (packets.length === 1 && first !== undefined) {
      this.journal.push({ kind: 'send', packet: first });
      return;
    }
    const trailing = new Uint8Array(size - HEADER);
    let at = 0;
    for (const { octets } of packets) {
      trailing.set(octets, at);
      at += octets.length;
    }
    const octets = this.options.codec.encode({
      msgType: BUNDLE,
      flags: REFRESH_REDUCTION_CAPABLE,
      ttl: NEIGHBOUR_TTL,
      objects: [],
      trailing,
    });
    const destination = neighbour.address;
    const packet = { interface: index, destination, ttl: NEIGHBOUR_TTL, routerAlert: false, octets };
    this.journal.push({ kind: 'send', packet });
  }
}

/** Octets of the largest INTEGRITY object that messages carry there. */
function sealSize({ integrity }: ExchangeInterface): number {
  return Math.max(0, ...(integrity?.send?.keys ?? []).map(integritySize));
}
