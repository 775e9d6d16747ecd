import type { ArrivedPacket } from '../engine/packet.js';
import {
  find,
  MessageId,
  RsvpHopIpv4,
  RsvpHopIpv4IfId,
  RsvpHopIpv6,
  RsvpHopIpv6IfId,
  TimeValues,
} from '../wire/index.js';
import type { RsvpMessage, WireError, WireObject } from '../wire/index.js';
import type { ArrivedMessage } from './advert.js';
import type { Authenticator } from './authenticator.js';
import { Drop } from './effect.js';
import type { Journal } from './effect.js';
import { BUNDLE, frame, partsOf } from './frame.js';
import type { Neighbour, Neighbours } from './neighbour.js';
import type { ExchangeInterface, ExchangeOptions } from './options.js';

/** A message that may be acted upon: its form is right, and it is authentic where that is asked for. */
export interface Admitted {
  /** As it came, with the objects that end here. */
  readonly message: RsvpMessage;
  readonly packet: ArrivedPacket;
  readonly settings: ExchangeInterface;
  readonly sender: string;
  /** Undefined where the message does not come from a neighbour for sure, or there are too many of them. */
  readonly neighbour: Neighbour | undefined;
  readonly messageId: MessageIdValue | undefined;
  readonly faults: readonly WireError[];
}

export type MessageIdValue = ReturnType<typeof MessageId.make>;

const PATH_ERR = 3;
const RESV_CONF = 7;
const ACK = 13;
const SREFRESH = 15;
const CHALLENGE = 25;
const RESPONSE = 26;
const INTEGRITY_CLASS = 4;
const MESSAGE_ID_CLASS = 23;
const MESSAGE_ID_ACK_CLASS = 24;

/** Packets to messages: what RFC 2205 3.1.1, RFC 2961 3.4 and RFC 2747 4.2 ask before a message is looked into. */
export class Inbound {
  constructor(
    readonly options: ExchangeOptions,
    readonly neighbours: Neighbours,
    readonly authenticator: Authenticator,
    readonly journal: Journal,
    readonly act: (now: number, admitted: Admitted) => ArrivedMessage | Drop | undefined,
  ) {}

  receive(now: number, packet: ArrivedPacket): ArrivedMessage[] {
    const settings = this.options.interface(packet.interface);
    if (settings === undefined)
      return this.#drop(packet, new Drop('unknown-interface', 'RSVP does not run on the interface'));
    const octets = frame(packet.octets);
    if (octets instanceof Drop) return this.#drop(packet, octets);
    if (octets[1] !== BUNDLE) return this.#receiveOne(now, packet, settings, octets);
    const parts = partsOf(octets);
    if (parts instanceof Drop) return this.#drop(packet, parts);
    const messages: ArrivedMessage[] = [];
    for (const part of parts) {
      const whole = frame(part);
      if (whole instanceof Drop) this.#drop(packet, whole);
      else messages.push(...this.#receiveOne(now, alone(packet, octets, whole), settings, whole));
    }
    return messages;
  }

  #receiveOne(
    now: number,
    packet: ArrivedPacket,
    settings: ExchangeInterface,
    octets: Uint8Array,
  ): ArrivedMessage[] {
    const faults: WireError[] = [];
    const message = this.options.codec.decode(octets, faults);
    if (message.trailing !== undefined) {
      const text = faults[0]?.message ?? 'objects that do not fit the message';
      return this.#drop(packet, new Drop('malformed', text));
    }
    const hop = find(message, RsvpHopIpv4, RsvpHopIpv6, RsvpHopIpv4IfId, RsvpHopIpv6IfId)?.hopAddress;
    const sender = hop ?? packet.source;
    // RFC 2747 4: a challenge alone is taken without INTEGRITY.
    if (message.msgType !== CHALLENGE) {
      const { integrity = {} } = settings;
      const verdict = this.authenticator.check(now, integrity, packet, octets, message, sender);
      if (verdict instanceof Drop) return this.#drop(packet, verdict);
      if (verdict === 'answered') return [];
    }
    const ids = message.objects.filter(isMessageId);
    if (ids.length > 1)
      return this.#drop(
        packet,
        new Drop('malformed', `${ids.length} MESSAGE_ID objects, expected one (RFC 2961 4)`),
      );
    const neighbour = isFromNeighbour(message, hop) ? this.#heard(now, packet, message, sender) : undefined;
    const messageId = find(message, MessageId);
    const result = this.act(now, { message, packet, settings, sender, neighbour, messageId, faults });
    if (result instanceof Drop) return this.#drop(packet, result);
    return result === undefined ? [] : [result];
  }

  /** What any message says of the neighbour that sent it. */
  #heard(now: number, packet: ArrivedPacket, message: RsvpMessage, sender: string): Neighbour | undefined {
    const neighbour = this.neighbours.heard(now, sender, packet.interface);
    if (neighbour === undefined) {
      this.journal.notice(
        'limit',
        `more than ${this.neighbours.limit} neighbours: ${sender} is not remembered`,
      );
      return undefined;
    }
    const isCapable = (message.flags & 1) !== 0;
    const isFirst = neighbour.isCapable === undefined;
    // RFC 2961 2: the flag of each message counts.
    if (this.neighbours.setCapable(neighbour, isCapable, packet.interface) && (isCapable || !isFirst)) {
      const text = `${sender} is ${isCapable ? '' : 'no longer '}capable of refresh reduction (RFC 2961 2)`;
      this.journal.notice('refresh-reduction', text);
    }
    if (packet.isUdp !== true) neighbour.isDirect = message.ttl === packet.ttl;
    const period = find(message, TimeValues)?.refreshPeriod;
    if (period !== undefined) neighbour.period = Math.min(Math.max(neighbour.period, period), LONGEST_PERIOD);
    return neighbour;
  }

  #drop(packet: ArrivedPacket, drop: Drop): [] {
    this.journal.drop(drop, packet.source, packet.interface);
    return [];
  }
}

/** A neighbour that claims a longer period than this is not believed: its silence would never be noticed. */
const LONGEST_PERIOD = 3_600_000;

function isMessageId({ classNum }: WireObject): boolean {
  return classNum === MESSAGE_ID_CLASS;
}

/**
 * ResvConf and diagnostics without RSVP_HOP may come from far away, and a challenge from anybody. A MESSAGE_ID is "always
 * generated and processed over a single hop" (RFC 2961 4.5).
 */
function isFromNeighbour({ msgType, objects }: RsvpMessage, hop: string | undefined): boolean {
  if (hop !== undefined || objects.some(isMessageId)) return true;
  return msgType === PATH_ERR || msgType === ACK || msgType === SREFRESH;
}

/** INTEGRITY, MESSAGE_ID and MESSAGE_ID_ACK go from hop to hop and end here. */
export function isForEngine({ classNum }: WireObject): boolean {
  return classNum !== INTEGRITY_CLASS && classNum !== MESSAGE_ID_CLASS && classNum !== MESSAGE_ID_ACK_CLASS;
}

export const TYPE = {
  PATH: 1,
  RESV: 2,
  PATH_ERR,
  RESV_ERR: 4,
  RESV_CONF,
  ACK,
  SREFRESH,
  CHALLENGE,
  RESPONSE,
} as const;

/**
 * RFC 2961 3.4: a part of a Bundle counts as if it had come alone, past as many hops without RSVP as the Bundle's Send_TTL tells.
 * Of a Path its own Send_TTL says how far it may go on.
 */
function alone(packet: ArrivedPacket, bundle: Uint8Array, part: Uint8Array): ArrivedPacket {
  const passed = (bundle[4] as number) - packet.ttl;
  return { ...packet, ttl: (part[4] as number) - passed, isBundled: true };
}
