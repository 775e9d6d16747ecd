import type { Interface } from '../../cops/index.js';
import { firstOf, MessageId, RSVP, TimeValues, toHex, Writer } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { hopAddress } from '../flow.js';

/** RFC 2205 3.7: K, and the refresh period R of a message without TIME_VALUES, in milliseconds. */
const K = 3;
const DEFAULT_REFRESH = 30_000;

/** What goes away unless it is refreshed. Times in milliseconds. */
export interface SoftState {
  readonly handle: string;
  readonly session: SessionState;
  lifetime: number;
  expiresAt: number;
  /** What its last message said, for telling a change from a refresh. */
  content: string;
  /** Names it in Srefresh messages (RFC 2961 5.1). */
  messageId: string | undefined;
}

export interface PathState extends SoftState {
  readonly kind: 'path';
  readonly sender: string;
  /** The previous hop, and the interface towards it. */
  hop: Interface;
  readonly out: Interface;
}

/** A reservation of one next hop. */
export interface ResvState extends SoftState {
  readonly kind: 'resv';
  readonly group: ResvGroup;
  readonly in: Interface;
  objects: readonly WireObject[];
  /** Asked about as it comes in alone, because its interface has others to be merged with. */
  isSeparate: boolean;
}

/** The reservations of an interface that are merged into one: same session, style and, for FF, sender (RFC 2205 2.2). */
export interface ResvGroup {
  readonly key: string;
  readonly style: string;
  readonly members: Map<string, ResvState>;
  /** Handle of the merged allocation, once there were several. */
  allocation: string | undefined;
  /** Handles of the outgoing messages, by previous hop, where these are asked for on their own. */
  readonly out: Map<string, string>;
}

export interface SessionState {
  readonly name: string;
  readonly paths: Map<string, PathState>;
  readonly groups: Map<string, ResvGroup>;
}

/** L >= (K + 0.5) * 1.5 * R (RFC 2205 3.7). */
export function lifetimeOf(refreshPeriod: number): number {
  return (K + 0.5) * 1.5 * refreshPeriod;
}

/** The lifetime that a message asks for. */
export function lifetimeIn(objects: readonly WireObject[]): number {
  return lifetimeOf(firstOf(objects, TimeValues)?.refreshPeriod ?? DEFAULT_REFRESH);
}

export function messageIdIn(objects: readonly WireObject[], src: string): string | undefined {
  const id = firstOf(objects, MessageId);
  return id === undefined ? undefined : idKey(hopAddress(objects) ?? src, id.epoch, id.messageIdentifier);
}

export function idKey(neighbour: string, epoch: number, id: number): string {
  return `${neighbour} ${epoch} ${id}`;
}

/** Classes that differ from one refresh to the next though nothing has changed. */
const TRANSIENT = new Set([
  'INTEGRITY',
  'TIME_VALUES',
  'RESV_CONFIRM',
  'MESSAGE_ID',
  'MESSAGE_ID_ACK',
  'MESSAGE_ID_LIST',
]);

/** What a message says. */
export function contentOf(objects: readonly WireObject[]): string {
  const writer = new Writer();
  RSVP.objects.writeAll(
    writer,
    objects.filter((object) => !TRANSIENT.has(object.class)),
  );
  return toHex(writer.finish());
}
