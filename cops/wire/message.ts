import { FormError } from '../../rsvp/wire/error.js';
import type { WireError } from '../../rsvp/wire/error.js';
import type { Family } from '../../rsvp/wire/family.js';
import { octetsForm } from '../../rsvp/wire/field.js';
import { fromJsonAt } from '../../rsvp/wire/layout.js';
import type { WireObject } from '../../rsvp/wire/object.js';
import { Reader, Writer } from '../../rsvp/wire/octets.js';
import { COPS_VERSION, OP_NAMES, OP_TITLES, SOLICITED } from './codes.js';
import { COPS_FAMILY } from './objects.js';
import { rsvpText } from './rsvp-contents.js';

/*
 * The common header (RFC 2748 2.1):
 *
 *         0              1              2              3
 *  +--------------+--------------+--------------+--------------+
 *  |Version| Flags|    Op Code   |       Client-type           |
 *  +--------------+--------------+--------------+--------------+
 *  |                      Message Length                       |
 *  +--------------+--------------+--------------+--------------+
 */
export interface CopsMessage {
  /** The RFC's name of the operation, as `REQ`. */
  readonly type: string;
  readonly opCode: number;
  readonly version: number;
  readonly flags: number;
  readonly solicited: boolean;
  readonly clientType: number;
  /** Message Length: octets, this header included. */
  readonly length: number;
  readonly objects: readonly WireObject[];
  /** Octets behind the last object that could be read, where faults are collected. */
  readonly trailing?: Uint8Array;
}

/** What a sender has to say; the rest has one right value. */
export interface CopsInput {
  readonly opCode: number;
  readonly clientType: number;
  readonly objects: readonly WireObject[];
  readonly version?: number;
  readonly flags?: number;
  readonly trailing?: Uint8Array;
}

export const HEADER_SIZE = 8;
const RFC = 'RFC 2748 2.1';

/**
 * COPS messages to octets and back, text and JSON, with the contract of `RsvpCodec`: `decode` throws the first
 * `WireError`, or, given `faults`, notes them there and keeps what is broken as octets. It looks at structure alone;
 * whether a message makes sense is told by `check` in `grammar.ts`.
 */
export class CopsCodec {
  readonly #writer = new Writer(2048);

  constructor(readonly objects: Family<WireObject>) {}

  /** `octets` begin with the common header; what stands behind Message Length is not looked at. */
  decode(octets: Uint8Array, faults?: WireError[]): CopsMessage {
    const reader = new Reader(octets);
    reader.faults = faults;
    reader.subject = { name: 'common header', rfc: RFC };
    const at = reader.take(HEADER_SIZE, 'common header');
    const first = reader.view.getUint8(at);
    const opCode = reader.view.getUint8(at + 1);
    const version = first >> 4;
    if (version !== COPS_VERSION) {
      const error = reader.error('version', `version ${version}`, 'version 1', at);
      if (faults === undefined) throw error;
      faults.push(error);
    }
    const length = readLength(reader, at);
    reader.end = at + length;
    const message = {
      type: OP_NAMES[opCode] ?? `unknown(${opCode})`,
      opCode,
      version,
      flags: first & 0x0f,
      solicited: (first & SOLICITED) !== 0,
      clientType: reader.view.getUint16(at + 2),
      length,
      objects: this.objects.readAll(reader),
    };
    return reader.at < reader.end ? { ...message, trailing: reader.rest() } : message;
  }

  /** The returned octets are the caller's own. */
  encode(message: CopsInput): Uint8Array {
    const writer = this.#writer.reset();
    try {
      this.write(writer, message);
      return writer.finish();
    } catch (error) {
      writer.at = writer.octets.length;
      throw error;
    }
  }

  write(writer: Writer, message: CopsInput): void {
    const at = writer.skip(HEADER_SIZE);
    this.objects.writeAll(writer, message.objects);
    if (message.trailing !== undefined) writer.bytes(message.trailing);
    const { view } = writer;
    view.setUint8(at, ((message.version ?? COPS_VERSION) << 4) | (message.flags ?? 0));
    view.setUint8(at + 1, message.opCode);
    view.setUint16(at + 2, message.clientType);
    view.setUint32(at + 4, writer.at - at);
  }

  /** The whole tree, a field a line. RSVP objects inside (client type 1, RFC 2749) are opened up. */
  text(message: CopsMessage, indent = ''): string {
    const inner = `${indent}  `;
    let lines =
      `${indent}COPS ${message.type} message (${OP_TITLES[message.opCode] ?? 'unknown operation'}, ` +
      `version ${message.version}, flags 0x${message.flags.toString(16)}${message.solicited ? ' (solicited)' : ''}, ` +
      `client-type ${message.clientType}${message.clientType === 1 ? ' (RSVP)' : ''}, ${message.length} octets)\n`;
    for (const object of message.objects) {
      lines += this.objects.text(object, inner) + rsvpText(message.clientType, object, `${inner}  `);
    }
    if (message.trailing !== undefined)
      lines += `${inner}not decoded: ${octetsForm.text(message.trailing)}\n`;
    return lines;
  }

  toJson(message: CopsMessage): Record<string, unknown> {
    return {
      type: message.type,
      opCode: message.opCode,
      version: message.version,
      flags: message.flags,
      solicited: message.solicited,
      clientType: message.clientType,
      length: message.length,
      objects: message.objects.map((object) => this.objects.toJson(object)),
      ...(message.trailing === undefined ? {} : { trailing: octetsForm.toJson(message.trailing) }),
    };
  }

  /** Throws `FormError` with the path of what is wrong. `solicited` may stand in place of `flags`. */
  fromJson(json: unknown): CopsInput {
    if (typeof json !== 'object' || json === null)
      throw new FormError('', 'expected a COPS message as an object');
    const form = json as Readonly<Record<string, unknown>>;
    const number = (name: string, max: number, value: unknown): number => {
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
      throw new FormError(name, `expected an integer from 0 to ${max}, got \`${JSON.stringify(value)}\``);
    };
    return {
      opCode: number('opCode', 255, form['opCode'] ?? OP_NUMBERS.get(String(form['type']))),
      version: number('version', 15, form['version'] ?? COPS_VERSION),
      flags: number('flags', 15, form['flags'] ?? (form['solicited'] === true ? SOLICITED : 0)),
      clientType: number('clientType', 0xffff, form['clientType']),
      objects: fromJsonAt('objects', () => this.objects.allFromJson(form['objects'] ?? [])),
      ...(form['trailing'] === undefined
        ? {}
        : { trailing: fromJsonAt('trailing', () => octetsForm.fromJson(form['trailing'])) }),
    };
  }
}

export const COPS = new CopsCodec(COPS_FAMILY);

const OP_NUMBERS = new Map(Object.entries(OP_NAMES).map(([number, name]) => [name, Number(number)]));

/** Message Length, or as much as there is where faults are collected. */
function readLength(reader: Reader, at: number): number {
  const length = reader.view.getUint32(at + 4);
  const available = reader.end - at;
  let error: WireError;
  if (length < HEADER_SIZE)
    error = reader.error('length', `Message Length ${length}`, `at least ${HEADER_SIZE}`, at + 4);
  else if ((length & 3) !== 0)
    error = reader.error('length', `Message Length ${length}`, 'a multiple of 4', at + 4);
  else if (length > available) {
    error = reader.error('truncated', `${available} octets`, `Message Length ${length}`, at + 4);
  } else return length;
  if (reader.faults === undefined) throw error;
  reader.faults.push(error);
  return length < HEADER_SIZE ? HEADER_SIZE : Math.min(length, available);
}
