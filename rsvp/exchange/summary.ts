import {
  MessageIdList,
  MessageIdMcastListIpv4,
  MessageIdMcastListIpv6,
  MessageIdSrcListIpv4,
  MessageIdSrcListIpv6,
} from '../wire/index.js';
import type { RsvpInput, WireObject } from '../wire/index.js';
import type { Timed } from './heap.js';
import type { Told } from './told.js';

/**
 * Where state may be refreshed by number, and in which list (RFC 2961 5.2): LIST and MCAST_LIST go to a neighbour, or a LIST to
 * a unicast session's destination; a SRC_LIST goes to a multicast group.
 */
export interface SummaryTarget {
  /** Index of the interface. */
  readonly interface: number;
  readonly destination: string;
  readonly list: 'LIST' | 'SRC_LIST' | 'MCAST_LIST';
  /** It is addressed to a session and not to a neighbour. */
  readonly routerAlert: boolean;
}

/** State that is refreshed by the same Srefresh messages: told to one destination, with one period. The oldest is first. */
export class Summary implements Timed {
  due = 0;
  slot = -1;
  first: Told | undefined;
  last: Told | undefined;
  size = 0;

  constructor(
    readonly key: string,
    readonly target: SummaryTarget,
    readonly refreshPeriod: number,
  ) {}

  /** As the one refreshed last. */
  append(told: Told, at: number): void {
    told.due = at;
    told.summary = this;
    told.previous = this.last;
    told.next = undefined;
    if (this.last === undefined) this.first = told;
    else this.last.next = told;
    this.last = told;
    this.size++;
  }

  remove(told: Told): void {
    const { previous, next } = told;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    told.summary = told.previous = told.next = undefined;
    this.size--;
  }
}

export function summaryKey(target: SummaryTarget, refreshPeriod: number): string {
  return `${target.list} ${target.interface} ${target.destination} ${refreshPeriod}`;
}

const SREFRESH = 15;
/** Common header, and header of the list object with its epoch. */
const FRONT = 8 + 8;

/** Identifiers that fit an Srefresh of at most `room` octets. */
export function capacityOf({ list, destination }: SummaryTarget, room: number): number {
  const address = destination.includes(':') ? 16 : 4;
  const tuple = list === 'LIST' ? 4 : list === 'SRC_LIST' ? 4 + address : 4 + 2 * address;
  return Math.max(1, Math.floor((room - FRONT) / tuple));
}

/** The message (RFC 2961 5.2). */
export function srefreshOf(target: SummaryTarget, told: readonly Told[], epoch: number): RsvpInput {
  return { msgType: SREFRESH, objects: [listOf(target, told, epoch)] };
}

function listOf({ list, destination }: SummaryTarget, told: readonly Told[], epoch: number): WireObject {
  const head = { flags: 0, epoch };
  if (list === 'LIST')
    return MessageIdList.make({ ...head, messageIdentifiers: told.map(({ id }) => id >>> 0) });
  const isIpv6 = destination.includes(':');
  const tuples = told.map(({ id, advert }) => ({
    messageIdentifier: id >>> 0,
    sourceIpAddress: advert.source ?? (isIpv6 ? '::' : '0.0.0.0'),
    destinationIpAddress: advert.destination,
  }));
  if (list === 'MCAST_LIST') {
    const type = isIpv6 ? MessageIdMcastListIpv6 : MessageIdMcastListIpv4;
    return type.make({ ...head, tuples });
  }
  const sources = tuples.map(({ messageIdentifier, sourceIpAddress }) => ({
    messageIdentifier,
    sourceIpAddress,
  }));
  const type = isIpv6 ? MessageIdSrcListIpv6 : MessageIdSrcListIpv4;
  return type.make({ ...head, tuples: sources });
}
