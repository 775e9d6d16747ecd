import type { WireError } from './error.js';
import { FormError } from './error.js';
import type { Family } from './family.js';
import { octetsForm } from './field.js';
import { firstOf } from './declare.js';
import type { ValueIn } from './declare.js';
import { fromJsonAt } from './layout.js';
import { MESSAGE_TYPES } from './numbers.js';
import type { ObjectType, WireObject } from './object.js';
import { Reader, Writer } from './octets.js';

/*
 * The common header (RFC 2205 3.1.1):
 *
 *         0             1              2             3
 *  +-------------+-------------+-------------+-------------+
 *  | Vers | Flags|  Msg Type   |       RSVP Checksum       |
 *  +-------------+-------------+-------------+-------------+
 *  |  Send_TTL   | (Reserved)  |        RSVP Length        |
 *  +-------------+-------------+-------------+-------------+
 */
export interface RsvpMessage {
  /** The RFC's name of the message type, as `Path`. */
  readonly type: string;
  readonly msgType: number;
  readonly version: number;
  readonly flags: number;
  /** As the peer sent it: 0 means that there is none. Left out by a caller, it is computed. */
  readonly checksum?: number;
  /** Send_TTL. */
  readonly ttl: number;
  readonly reserved?: number;
  /** Octets, this header included. */
  readonly length: number;
  /** RSVP Length, where faults are collected and it says something else than `length`. */
  readonly statedLength?: number;
  readonly objects: readonly WireObject[];
  /** The messages of a Bundle (RFC 2961 3.1), which has no objects. */
  readonly messages?: readonly RsvpMessage[];
  /** Octets behind the last object that could be read, where faults are collected. */
  readonly trailing?: Uint8Array;
}

/** What a sender has to say; the rest has one right value. */
export interface RsvpInput {
  readonly msgType: number;
  readonly objects: readonly WireObject[];
  readonly version?: number;
  readonly flags?: number;
  readonly ttl?: number;
  readonly checksum?: number;
  readonly reserved?: number;
  readonly statedLength?: number;
  readonly messages?: readonly RsvpInput[];
  readonly trailing?: Uint8Array;
}

const HEADER = 8;
const BUNDLE = 12;
const COMMON_HEADER = { name: 'common header', rfc: 'RFC 2205 3.1.1' };

/**
 * RSVP messages to octets and back, text and JSON. Immutable: `RSVP` knows everything in this folder, and a codec that
 * knows more (a private policy element) is another value.
 *
 * `decode` throws the first `WireError`; given `faults` it notes them there and keeps what is broken as octets, so that
 * a tool can show the rest. Encoding what was decoded gives the same octets, faults or not.
 */
export class RsvpCodec {
  readonly #writer = new Writer(2048);

  constructor(readonly objects: Family<WireObject>) {}

  /** `octets` begin with the common header; what stands behind RSVP Length is not looked at. */
  decode(octets: Uint8Array, faults?: WireError[]): RsvpMessage {
    const reader = new Reader(octets);
    reader.faults = faults;
    return this.#read(reader);
  }

  /** The returned octets are the caller's own. */
  encode(message: RsvpInput): Uint8Array {
    const writer = this.#writer.reset();
    try {
      this.#write(writer, message);
      return writer.finish();
    } catch (error) {
      writer.at = writer.octets.length;
      throw error;
    }
  }

  /** The whole tree, a field a line. */
  text(message: RsvpMessage, indent = ''): string {
    const inner = `${indent}  `;
    const checksum = `0x${(message.checksum ?? 0).toString(16).padStart(4, '0')}`;
    let lines =
      `${indent}RSVP ${message.type} message (type ${message.msgType}, version ${message.version}, ` +
      `flags 0x${message.flags.toString(16)}${message.flags & 1 ? ' (Refresh-Reduction-Capable)' : ''}, ` +
      `checksum ${checksum}, Send_TTL ${message.ttl}, ${message.length} octets)\n`;
    for (const object of message.objects) lines += this.objects.text(object, inner);
    for (const part of message.messages ?? []) lines += this.text(part, inner);
    if (message.trailing !== undefined)
      lines += `${inner}not decoded: ${octetsForm.text(message.trailing)}\n`;
    return lines;
  }

  toJson(message: RsvpMessage): Record<string, unknown> {
    return {
      type: message.type,
      msgType: message.msgType,
      version: message.version,
      flags: message.flags,
      checksum: message.checksum,
      ttl: message.ttl,
      ...(message.reserved === undefined || message.reserved === 0 ? {} : { reserved: message.reserved }),
      length: message.length,
      ...(message.statedLength === undefined ? {} : { statedLength: message.statedLength }),
      objects: message.objects.map((object) => this.objects.toJson(object)),
      ...(message.messages === undefined
        ? {}
        : { messages: message.messages.map((part) => this.toJson(part)) }),
      ...(message.trailing === undefined ? {} : { trailing: octetsForm.toJson(message.trailing) }),
    };
  }

  /** Throws `FormError` with the path of what is wrong. */
  fromJson(json: unknown): RsvpInput {
    if (typeof json !== 'object' || json === null)
      throw new FormError('', 'expected an RSVP message as an object');
    const form = json as Readonly<Record<string, unknown>>;
    const msgType = form['msgType'] ?? MESSAGE_NUMBERS.get(String(form['type']));
    const number = (name: string, max: number): number | undefined => {
      const value = name === 'msgType' ? msgType : form[name];
      if (value === undefined && name !== 'msgType') return undefined;
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
      throw new FormError(name, `expected an integer from 0 to ${max}, got \`${JSON.stringify(value)}\``);
    };
    const optional = {
      version: number('version', 15),
      flags: number('flags', 15),
      ttl: number('ttl', 255),
      checksum: number('checksum', 0xffff),
      reserved: number('reserved', 255),
      statedLength: number('statedLength', 0xffff),
    };
    const parts = form['messages'];
    return {
      msgType: number('msgType', 255) as number,
      objects: fromJsonAt('objects', () => this.objects.allFromJson(form['objects'] ?? [])),
      ...(Object.fromEntries(
        Object.entries(optional).filter(([, value]) => value !== undefined),
      ) as Partial<RsvpInput>),
      ...(Array.isArray(parts)
        ? { messages: parts.map((part, i) => fromJsonAt(`messages[${i}]`, () => this.fromJson(part))) }
        : {}),
      ...(form['trailing'] === undefined
        ? {}
        : { trailing: fromJsonAt('trailing', () => octetsForm.fromJson(form['trailing'])) }),
    };
  }

  #read(reader: Reader): RsvpMessage {
    reader.subject = COMMON_HEADER;
    const { view } = reader;
    const at = reader.take(HEADER, 'common header');
    const versionFlags = view.getUint8(at);
    const msgType = view.getUint8(at + 1);
    const statedLength = view.getUint16(at + 6);
    const length = this.#length(reader, at, statedLength);
    const version = versionFlags >> 4;
    if (version !== 1) {
      const error = reader.error('version', `version ${version}`, 'version 1', at);
      if (reader.faults === undefined) throw error;
      reader.faults.push(error);
    }
    const outer = reader.end;
    reader.end = at + length;
    const message = {
      type: MESSAGE_TYPES[msgType] ?? `unknown(${msgType})`,
      msgType,
      version,
      flags: versionFlags & 0x0f,
      checksum: view.getUint16(at + 2),
      ttl: view.getUint8(at + 4),
      reserved: view.getUint8(at + 5),
      length,
      objects: NONE,
    };
    if (statedLength !== length) (message as { statedLength?: number }).statedLength = statedLength;
    if (msgType === BUNDLE) (message as { messages?: unknown }).messages = this.#readBundle(reader);
    else message.objects = this.objects.readAll(reader);
    if (reader.at < reader.end) (message as { trailing?: unknown }).trailing = reader.rest();
    reader.end = outer;
    return message;
  }

  /** RSVP Length, or as much as there is where faults are collected. */
  #length(reader: Reader, at: number, length: number): number {
    const available = reader.end - at;
    let error: WireError;
    if (length < HEADER)
      error = reader.error('length', `RSVP Length ${length}`, `at least ${HEADER}`, at + 6);
    else if (length > available)
      error = reader.error('truncated', `${available} octets`, `RSVP Length ${length}`, at + 6);
    else if ((length & 3) !== 0)
      error = reader.error('length', `RSVP Length ${length}`, 'a multiple of 4', at + 6);
    else return length;
    if (reader.faults === undefined) throw error;
    reader.faults.push(error);
    return length < HEADER ? HEADER : Math.min(length, available);
  }

  /** RFC 2961 3.1: a Bundle holds at least one message, and no Bundle. */
  #readBundle(reader: Reader): RsvpMessage[] {
    const messages: RsvpMessage[] = [];
    const error =
      reader.depth > 0
        ? reader.error('limit', 'a Bundle in a Bundle', 'another message type')
        : this.#readParts(reader, messages);
    if (error !== undefined) {
      if (reader.faults === undefined) throw error;
      reader.faults.push(error);
    }
    return messages;
  }

  #readParts(reader: Reader, messages: RsvpMessage[]): WireError | undefined {
    reader.depth++;
    while (reader.left >= HEADER) messages.push(this.#read(reader));
    reader.depth--;
    reader.subject = { name: 'Bundle', rfc: 'RFC 2961 3.1' };
    if (messages.length === 0) return reader.error('truncated', 'an empty Bundle', 'a message');
    if (reader.left === 0) return undefined;
    return reader.error('truncated', `${reader.left} octets left`, `a header of ${HEADER} octets`);
  }

  #write(writer: Writer, message: RsvpInput): void {
    const at = writer.skip(HEADER);
    this.objects.writeAll(writer, message.objects);
    for (const part of message.messages ?? []) this.#write(writer, part);
    if (message.trailing !== undefined) writer.bytes(message.trailing);
    const length = writer.at - at;
    if (length > 0xffff) throw new RangeError(`an RSVP message of ${length} octets; its length has 16 bits`);
    const { view } = writer;
    view.setUint8(at, ((message.version ?? 1) << 4) | (message.flags ?? 0));
    view.setUint8(at + 1, message.msgType);
    view.setUint8(at + 4, message.ttl ?? 0);
    view.setUint8(at + 5, message.reserved ?? 0);
    view.setUint16(at + 6, message.statedLength ?? length);
    view.setUint16(at + 2, message.checksum ?? checksumOf(writer.octets, at, writer.at));
  }
}

const NONE: readonly WireObject[] = [];
const MESSAGE_NUMBERS = new Map(
  Object.entries(MESSAGE_TYPES).map(([number, name]) => [name, Number(number)]),
);

/**
 * The Internet checksum over a message (RFC 2205 3.1.1): 0 over a message with a correct checksum in place; over one
 * whose checksum field is 0, the value to put there.
 */
export function checksumOf(octets: Uint8Array, start = 0, end = octets.length): number {
  let sum = 0;
  let i = start;
  for (; i + 1 < end; i += 2) sum += ((octets[i] as number) << 8) | (octets[i + 1] as number);
  if (i < end) sum += (octets[i] as number) << 8;
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

export type ChecksumState = 'correct' | 'none' | 'wrong';

/** An all-zero checksum field means that no checksum was sent (RFC 2205 3.1.1). */
export function checkChecksum(octets: Uint8Array): ChecksumState {
  if (octets[2] === 0 && octets[3] === 0) return 'none';
  return checksumOf(octets) === 0 ? 'correct' : 'wrong';
}

/** The first object of these types: `find(message, SessionIpv4, SessionIpv6)`. */
export function find<T extends readonly ObjectType<object, never>[]>(
  message: { readonly objects: readonly WireObject[] },
  ...types: T
): ValueIn<T[number]> | undefined {
  return firstOf(message.objects, ...types);
}
