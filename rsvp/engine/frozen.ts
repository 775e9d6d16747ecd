import { RSVP, Writer } from '../wire/index.js';
import type { RsvpCodec, WireObject } from '../wire/index.js';
import { Reader } from '../wire/index.js';

/**
 * An object as it is kept: its octets, one a character. A tenth of what the decoded object takes, equal where the octets are
 * equal, and nothing of the packet it came in is kept alive.
 */
export type Frozen = string;

const WRITER = new Writer(1024);

export function freeze(object: WireObject, codec: RsvpCodec = RSVP): Frozen {
  WRITER.reset();
  codec.objects.write(WRITER, object);
  return Buffer.from(WRITER.octets.buffer, 0, WRITER.at).toString('latin1');
}

export function thaw(frozen: Frozen, codec: RsvpCodec = RSVP): WireObject {
  const octets = Buffer.from(frozen, 'latin1');
  const reader = new Reader(octets);
  // What was broken when it came is passed on as it was.
  reader.faults = [];
  const object = codec.objects.read(reader);
  if (object === undefined) throw new TypeError('frozen octets are no object');
  return object;
}

export function freezeAll(objects: readonly WireObject[]): readonly Frozen[] {
  return objects.length === 0 ? NONE : objects.map((object) => freeze(object));
}

export function thawAll(frozen: readonly Frozen[], codec: RsvpCodec = RSVP): readonly WireObject[] {
  return frozen.map((octets) => thaw(octets, codec));
}

export const NONE: readonly never[] = [];

export function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The list with one more, no longer than it has to be: `push` keeps room for sixteen that never come. */
export function added<T>(list: readonly T[], item: T): readonly T[] {
  return list.concat([item]);
}

export function without<T>(list: readonly T[], item: T): readonly T[] {
  const rest = list.filter((other) => other !== item);
  return rest.length === 0 ? NONE : rest;
}

/** A text of its own: what V8 pastes together keeps its parts. */
export function flat(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/**
 * Equal texts and values made one, so that a hundred thousand reservations share what they have in common. It forgets all when
 * it is full: sharing is thrift, and nothing hangs on it.
 */
export class Shared<T> {
  readonly #known = new Map<string, T>();

  constructor(readonly limit = 8192) {}

  get(key: string, make: () => T): T {
    let value = this.#known.get(key);
    if (value !== undefined) return value;
    if (this.#known.size >= this.limit) this.#known.clear();
    value = make();
    this.#known.set(key, value);
    return value;
  }
}
