import { FormError, WireError } from './error.js';
import { labelOf } from './compile.js';
import { octetsForm } from './field.js';
import type { Field } from './field.js';
import { fromJsonAt } from './layout.js';
import type { Layout } from './layout.js';
import type { Reader, Writer } from './octets.js';

/**
 * A family of type-length-value formats with one kind of header: RSVP objects, COPS objects, policy elements,
 * sub-objects of a route. The loop over them is here, once, and checked: a length that is too small, misaligned
 * or beyond the container is an error before anything is read by it.
 *
 * A member that no declaration knows is kept whole as `body`. When the reader collects faults instead of throwing
 * (`reader.faults`), so is one whose body is broken, with its `error`; a header that is broken ends the list there,
 * and the caller keeps the octets from `reader.at` on.
 */
export interface Header<V extends object> {
  /** `object`, `policy element`: for messages. */
  readonly what: string;
  readonly rfc: string;
  /** Octets of the header. */
  readonly size: number;
  /** Does the length leave out the padding up to a multiple of four? If not, it must be a multiple itself. */
  readonly padded: boolean;
  /** Where the type number stands. */
  readonly key: Place;
  /** Where the length stands. It counts octets from the header's first on; in words, it leaves the header out. */
  readonly length: Place & { readonly words?: boolean };
  /** One thing more that the header carries. */
  readonly extra?: Extra;
  keyOf(value: V): number;
  /** What a member without a declaration carries in front of `length` and `body`. */
  unknown(key: number): V;
  /** First line of a member's text, up to its length. */
  title(value: V): string;
  /** The type number that JSON gives, by number or by name. */
  keyFromJson(json: Readonly<Record<string, unknown>>): number | undefined;
}

/** A number in a header: its octets, and which of their bits where another thing shares them. */
export interface Place {
  readonly at: number;
  readonly octets: 1 | 2;
  readonly bits?: number;
}

/** Flags in a header, in an octet of their own or above the bits of the type number. */
export interface Extra {
  readonly name: string;
  readonly at: number;
  /** Bits below it that belong to the type number. */
  readonly shift: number;
  readonly field: Field<number>;
}

/** A declared member of a family. */
export interface Member<V extends object> {
  readonly key: number;
  /** For error messages: the RFC's name. */
  readonly name: string;
  readonly rfc: string;
  /** First line of its text, up to its length. */
  readonly heading: string;
  readonly layout: Layout<V>;
}

/** A member kept as octets: of an unknown type, or broken (then `error` says how). */
export interface Opaque {
  readonly length: number;
  readonly body: Uint8Array;
  readonly error?: WireError;
}

interface Common {
  length?: number;
  body?: Uint8Array;
  error?: WireError;
  trailing?: Uint8Array;
  padding?: Uint8Array;
}

/** RSVP objects nest in POLICY_DATA only; nobody needs more. */
const MAX_DEPTH = 8;

export class Family<V extends object> {
  readonly #members: (Member<V> | undefined)[][] = [];
  // The header's numbers, flat: they are asked for at every member of every message.
  readonly #size: number;
  readonly #padded: boolean;
  readonly #keyAt: number;
  readonly #keyOctets: number;
  readonly #keyMask: number;
  readonly #lengthAt: number;
  readonly #lengthOctets: number;
  readonly #words: boolean;
  readonly #lengthLimit: number;
  readonly #extra: Extra | undefined;
  /** The last indentation asked for, and the one inside it: the same strings again are quick to compare. */
  #indented = '';
  #inner = '  ';

  constructor(
    readonly header: Header<V>,
    readonly members: readonly Member<V>[],
  ) {
    this.#size = header.size;
    this.#padded = header.padded;
    this.#keyAt = header.key.at;
    this.#keyOctets = header.key.octets;
    this.#keyMask = header.key.bits === undefined ? 0xff : 2 ** header.key.bits - 1;
    this.#lengthAt = header.length.at;
    this.#lengthOctets = header.length.octets;
    this.#lengthLimit = 2 ** (8 * header.length.octets);
    this.#words = header.length.words === true;
    this.#extra = header.extra;
    for (const member of members) (this.#members[member.key >> 8] ??= [])[member.key & 0xff] = member;
  }

  /** The same family with more members; a later declaration of a type replaces an earlier one. */
  with(...more: readonly Member<V>[]): Family<V> {
    const keys = new Set(more.map((member) => member.key));
    return new Family(this.header, [...this.members.filter((member) => !keys.has(member.key)), ...more]);
  }

  find(key: number): Member<V> | undefined {
    return this.#members[key >> 8]?.[key & 0xff];
  }

  /** Reads members to the end of the reader's container. */
  readAll(reader: Reader): V[] {
    if (reader.depth >= MAX_DEPTH)
      throw reader.error('limit', `nested deeper than ${MAX_DEPTH}`, 'a flat list');
    const { subject, end } = reader;
    const values: V[] = [];
    reader.depth++;
    while (reader.at < end) {
      const value = this.read(reader);
      if (value === undefined) break;
      values.push(value);
    }
    reader.depth--;
    reader.subject = subject;
    return values;
  }

  /** One member; undefined where its header is broken and faults are collected. */
  read(reader: Reader): V | undefined {
    const { at, end: outer, view } = reader;
    const length = this.#length(view, at, outer);
    const end = at + length;
    const padding = length & 3 ? 4 - (length & 3) : 0;
    if (length < this.#size || end + padding > outer || (padding !== 0 && !this.#padded)) {
      this.#brokenHeader(reader, length);
      return undefined;
    }
    const key = this.#key(view, at);
    const extra = this.#extra === undefined ? 0 : view.getUint8(at + this.#extra.at) >> this.#extra.shift;
    const member = this.#members[key >> 8]?.[key & 0xff];
    reader.at = at + this.#size;
    reader.end = end;
    const value =
      member === undefined
        ? this.#opaque(reader, key, at, length, extra)
        : reader.faults === undefined
          ? ((reader.subject = member), member.layout.read(reader, length, extra))
          : this.#readLeniently(reader, member, length, extra);
    reader.at = end;
    reader.end = outer;
    if (padding !== 0) this.#readPadding(reader, value, padding);
    return value;
  }

  writeAll(writer: Writer, values: readonly V[]): void {
    for (const value of values) this.write(writer, value);
  }

  write(writer: Writer, value: V): void {
    const { header } = this;
    const key = header.keyOf(value);
    const at = writer.skip(this.#size);
    const { body } = value as Common;
    let extra: number | undefined;
    if (body !== undefined) {
      writer.bytes(body);
      extra = this.#extraOf(value);
    } else {
      const member = this.#members[key >> 8]?.[key & 0xff];
      if (member === undefined)
        throw new TypeError(`${header.title(value)}) has no declaration and no \`body\``);
      extra = member.layout.write(writer, value);
    }
    const length = writer.at - at;
    this.#writeHeader(writer.view, at, value, key, length, extra ?? 0);
    if ((length & 3) === 0) return;
    if (!this.#padded)
      throw new RangeError(`${header.title(value)}): ${length} octets are no multiple of four`);
    const { padding } = value as Common;
    if (padding !== undefined && padding.length === ((4 - (length & 3)) & 3)) writer.bytes(padding);
    else writer.pad(at);
  }

  /** Lines for people: the title, then the fields, indented. */
  text(value: V, indent: string): string {
    const { header } = this;
    const { body, length } = value as Common;
    const key = header.keyOf(value);
    const member = this.#members[key >> 8]?.[key & 0xff];
    if (indent !== this.#indented) {
      this.#indented = indent;
      this.#inner = `${indent}  `;
    }
    const inner = this.#inner;
    const head = `${indent}${member === undefined ? header.title(value) : member.heading}, ${length ?? 0} octets)\n`;
    const lines =
      body === undefined && member !== undefined
        ? member.layout.text(value, inner)
        : this.#opaqueText(value, inner);
    if (!this.#padded) return head + lines;
    const { padding } = value as Common;
    return head + lines + (padding === undefined ? '' : `${inner}padding: ${octetsForm.text(padding)}\n`);
  }

  toJson(value: V): Record<string, unknown> {
    const { body } = value as Common;
    let json: Record<string, unknown>;
    if (body !== undefined) {
      const { error } = value as Common;
      json = { ...value, body: octetsForm.toJson(body) };
      if (error !== undefined) json['error'] = error.message;
    } else {
      const key = this.header.keyOf(value);
      const member = this.#members[key >> 8]?.[key & 0xff];
      if (member === undefined)
        throw new TypeError(`${this.header.title(value)}) has no declaration and no \`body\``);
      json = member.layout.toJson(value);
    }
    if (!this.#padded) return json;
    const { padding } = value as Common;
    if (padding !== undefined) json['padding'] = octetsForm.toJson(padding);
    return json;
  }

  /** Throws `FormError`. The `length` that JSON gives is not believed: it follows from the rest. */
  fromJson(json: unknown): V {
    if (typeof json !== 'object' || json === null) throw new FormError('', `expected an ${this.header.what}`);
    const form = json as Readonly<Record<string, unknown>>;
    const key = this.header.keyFromJson(form);
    if (key === undefined)
      throw new FormError('', `no ${this.header.what} type: \`${JSON.stringify(json).slice(0, 80)}\``);
    const octets = (name: string): Uint8Array => fromJsonAt(name, () => octetsForm.fromJson(form[name]));
    const member = this.find(key);
    let value: V;
    if (form['body'] !== undefined)
      value = Object.assign(
        this.header.unknown(key),
        this.header.extra === undefined ? { length: 0 } : { [this.header.extra.name]: 0, length: 0 },
        { body: octets('body') },
      );
    else if (member !== undefined) value = member.layout.fromJson(form);
    else throw new FormError('body', `expected octets in hex: no declaration knows this ${this.header.what}`);
    const common = value as Common;
    if (form['trailing'] !== undefined) common.trailing = octets('trailing');
    if (form['padding'] !== undefined) common.padding = octets('padding');
    const { extra } = this.header;
    if (extra !== undefined && form[extra.name] !== undefined) {
      (value as Record<string, unknown>)[extra.name] = fromJsonAt(extra.name, () =>
        extra.field.fromJson(form[extra.name]),
      );
    }
    return value;
  }

  allFromJson(json: unknown): V[] {
    if (!Array.isArray(json)) throw new FormError('', `expected an array of ${this.header.what}s`);
    return json.map((item, index) => fromJsonAt(`[${index}]`, () => this.fromJson(item)));
  }

  /** Octets of the member at `at`, padding left out; 0 where there is not even a header. */
  #length(view: DataView, at: number, end: number): number {
    if (end - at < this.#size) return 0;
    const place = at + this.#lengthAt;
    const length = this.#lengthOctets === 2 ? view.getUint16(place) : view.getUint8(place);
    return this.#words ? length * 4 + this.#size : length;
  }

  #key(view: DataView, at: number): number {
    const place = at + this.#keyAt;
    return this.#keyOctets === 2 ? view.getUint16(place) : view.getUint8(place) & this.#keyMask;
  }

  #writeHeader(view: DataView, at: number, value: V, key: number, length: number, bits: number): void {
    const stated = this.#words ? (length - this.#size) / 4 : length;
    if (stated >= this.#lengthLimit)
      throw new RangeError(`${this.header.title(value)}): ${length} octets do not fit its length field`);
    if (this.#lengthOctets === 2) view.setUint16(at + this.#lengthAt, stated);
    else view.setUint8(at + this.#lengthAt, stated);
    if (this.#keyOctets === 2) view.setUint16(at + this.#keyAt, key);
    else view.setUint8(at + this.#keyAt, key);
    const extra = this.#extra;
    if (extra === undefined || bits === 0) return;
    if (!(bits > 0) || bits >= 2 ** (8 - extra.shift))
      throw new RangeError(`${extra.name}: ${bits} does not fit`);
    view.setUint8(at + extra.at, view.getUint8(at + extra.at) | (bits << extra.shift));
  }

  #extraOf(value: V): number {
    if (this.#extra === undefined) return 0;
    return (value as Readonly<Record<string, number | undefined>>)[this.#extra.name] ?? 0;
  }

  #brokenHeader(reader: Reader, length: number): void {
    const { header } = this;
    const left = reader.end - reader.at;
    reader.subject = { name: header.what, rfc: header.rfc };
    const error =
      left < header.size
        ? reader.error('truncated', `${left} octets left`, `a header of ${header.size} octets`)
        : length < header.size
          ? reader.error('length', `a length of ${length}`, `at least ${header.size}`)
          : length > left
            ? reader.error('length', `a length of ${length}`, `at most the ${left} octets left`)
            : header.padded
              ? reader.error('truncated', `${left - length} octets of padding`, 'padding to a multiple of 4')
              : reader.error('length', `a length of ${length}`, 'a multiple of 4');
    if (reader.faults === undefined) throw error;
    reader.faults.push(error);
  }

  /** A member whose body is broken is kept as octets, and the fault is noted. */
  #readLeniently(reader: Reader, member: Member<V>, length: number, extra: number): V {
    const { at, end, depth } = reader;
    reader.subject = member;
    try {
      return member.layout.read(reader, length, extra);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      reader.faults?.push(error);
      reader.end = end;
      reader.depth = depth;
      return Object.assign(this.#opaque(reader, member.key, at - this.#size, length, extra), { error });
    }
  }

  #opaque(reader: Reader, key: number, at: number, length: number, extra: number): V {
    const { header } = this;
    const body = reader.octets.subarray(at + header.size, at + length);
    const front = header.extra === undefined ? { length } : { [header.extra.name]: extra, length };
    return Object.assign(header.unknown(key), front, { body });
  }

  #opaqueText(value: V, indent: string): string {
    const { body, error } = value as Common;
    const extra = this.#extraOf(value);
    let lines = '';
    if (this.#extra !== undefined && extra !== 0)
      lines += `${indent}${labelOf(this.#extra.name)}: ${this.#extra.field.text(extra, value)}\n`;
    if (error !== undefined) lines += `${indent}[malformed] ${error.message}\n`;
    if (body !== undefined && body.length > 0) lines += `${indent}${octetsForm.text(body)}\n`;
    return lines;
  }

  /** Padding should be zero and is not looked at; a peer's other octets are kept, so that they survive. */
  #readPadding(reader: Reader, value: V, size: number): void {
    const padding = reader.bytes(size, 'padding');
    if (padding.some((octet) => octet !== 0)) (value as Common).padding = padding;
  }
}
