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
  /** The next member starts at a multiple of this. */
  readonly align: 1 | 4;
  /** Does the length leave out the padding up to `align`? If not, it must be a multiple itself. */
  readonly padded: boolean;
  /** Type number of the member at `at`. */
  key(view: DataView, at: number): number;
  /** Octets from the header's first on, padding excluded. */
  length(view: DataView, at: number): number;
  keyOf(value: V): number;
  write(view: DataView, at: number, value: V, length: number): void;
  /** One thing more that the header carries besides type and length. */
  readonly extra?: Extra;
  /** What a member without a declaration carries in front of `length` and `body`. */
  unknown(key: number): V;
  /** First line of a member's text, up to its length. */
  title(value: V): string;
  /** The type number that JSON gives, by number or by name. */
  keyFromJson(json: Readonly<Record<string, unknown>>): number | undefined;
}

/** Flags in a header. In text they are a line of their own where they are not 0. */
export interface Extra {
  readonly name: string;
  readonly field: Field<number>;
  read(view: DataView, at: number): number;
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
  readonly members: readonly Member<V>[];

  constructor(
    readonly header: Header<V>,
    members: readonly Member<V>[],
  ) {
    this.members = members;
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
    const values: V[] = [];
    if (reader.depth >= MAX_DEPTH)
      throw reader.error('limit', `nested deeper than ${MAX_DEPTH}`, 'a flat list');
    reader.depth++;
    const { object, rfc, end } = reader;
    try {
      while (reader.at < end) {
        const value = this.read(reader);
        if (value === undefined) break;
        values.push(value);
      }
    } finally {
      reader.depth--;
      reader.object = object;
      reader.rfc = rfc;
      reader.end = end;
    }
    return values;
  }

  /** One member; undefined where its header is broken and faults are collected. */
  read(reader: Reader): V | undefined {
    const { header } = this;
    const at = reader.at;
    const outer = reader.end;
    const broken = this.#headerError(reader);
    if (broken !== undefined) {
      if (reader.faults === undefined) throw broken;
      reader.faults.push(broken);
      return undefined;
    }
    const view = reader.view;
    const key = header.key(view, at);
    const length = header.length(view, at);
    const member = this.#members[key >> 8]?.[key & 0xff];
    const end = at + length;
    reader.at = at + header.size;
    reader.end = end;
    const extra = header.extra === undefined ? 0 : header.extra.read(view, at);
    let value: V;
    if (member === undefined) {
      value = this.#opaque(reader, key, at, length, extra);
    } else {
      reader.object = member.name;
      reader.rfc = member.rfc;
      const { faults } = reader;
      if (faults === undefined) {
        value = member.layout.read(reader, length, extra);
      } else {
        try {
          value = member.layout.read(reader, length, extra);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          faults.push(error);
          reader.at = at + header.size;
          reader.end = end;
          value = Object.assign(this.#opaque(reader, key, at, length, extra), { error });
        }
      }
    }
    reader.at = end;
    reader.end = outer;
    if (header.padded && (length & 3) !== 0) this.#readPadding(reader, value, length);
    return value;
  }

  writeAll(writer: Writer, values: readonly V[]): void {
    for (const value of values) this.write(writer, value);
  }

  write(writer: Writer, value: V): void {
    const { header } = this;
    const at = writer.skip(header.size);
    const { body, padding } = value as Common;
    if (body !== undefined) writer.bytes(body);
    else {
      const member = this.find(header.keyOf(value));
      if (member === undefined)
        throw new TypeError(`${header.title(value)}) has no declaration and no \`body\``);
      member.layout.write(writer, value);
    }
    const length = writer.at - at;
    header.write(writer.view, at, value, length);
    if (header.align === 4 && (length & 3) !== 0) {
      if (!header.padded)
        throw new RangeError(`${header.title(value)}): ${length} octets are no multiple of four`);
      if (padding !== undefined && padding.length === ((4 - (length & 3)) & 3)) writer.bytes(padding);
      else writer.pad(at);
    }
  }

  /** Lines for people: the title, then the fields, indented. */
  text(value: V, indent: string): string {
    const { header } = this;
    const { body, error, trailing, padding, length } = value as Common;
    const member = this.find(header.keyOf(value));
    const inner = `${indent}  `;
    let lines = `${indent}${member === undefined ? header.title(value) : member.heading}, ${length ?? 0} octets)\n`;
    if (header.extra !== undefined) {
      const extra = (value as Readonly<Record<string, unknown>>)[header.extra.name] as number;
      if (extra !== 0)
        lines += `${inner}${labelOf(header.extra.name)}: ${header.extra.field.text(extra, value)}\n`;
    }
    if (error !== undefined) lines += `${inner}[malformed] ${error.message}\n`;
    if (body === undefined) lines += member?.layout.text(value, inner) ?? '';
    else if (body.length > 0) lines += `${inner}${octetsForm.text(body)}\n`;
    if (trailing !== undefined) lines += `${inner}trailing: ${octetsForm.text(trailing)}\n`;
    if (padding !== undefined) lines += `${inner}padding: ${octetsForm.text(padding)}\n`;
    return lines;
  }

  toJson(value: V): Record<string, unknown> {
    const { body, error, trailing, padding } = value as Common;
    let json: Record<string, unknown>;
    if (body !== undefined) json = { ...value, body: octetsForm.toJson(body) };
    else {
      const member = this.find(this.header.keyOf(value));
      if (member === undefined)
        throw new TypeError(`${this.header.title(value)}) has no declaration and no \`body\``);
      json = member.layout.toJson(value);
    }
    if (error !== undefined) json['error'] = error.message;
    if (trailing !== undefined) json['trailing'] = octetsForm.toJson(trailing);
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

  #headerError(reader: Reader): WireError | undefined {
    const { header } = this;
    const left = reader.end - reader.at;
    const fault = (code: 'truncated' | 'length', problem: string, expected: string): WireError => {
      reader.object = header.what;
      reader.rfc = header.rfc;
      return reader.error(code, problem, expected);
    };
    if (left < header.size)
      return fault('truncated', `${left} octets left`, `a header of ${header.size} octets`);
    const length = header.length(reader.view, reader.at);
    if (length < header.size) return fault('length', `a length of ${length}`, `at least ${header.size}`);
    if (length > left) return fault('length', `a length of ${length}`, `at most the ${left} octets left`);
    if (header.align === 4 && (length & 3) !== 0) {
      if (!header.padded) return fault('length', `a length of ${length}`, 'a multiple of 4');
      if (((length + 3) & ~3) > left)
        return fault('truncated', `${left - length} octets of padding`, 'padding to a multiple of 4');
    }
    return undefined;
  }

  #opaque(reader: Reader, key: number, at: number, length: number, extra: number): V {
    const { header } = this;
    const body = reader.octets.subarray(at + header.size, at + length);
    const front = header.extra === undefined ? { length } : { [header.extra.name]: extra, length };
    return Object.assign(header.unknown(key), front, { body });
  }

  /** Padding should be zero and is not looked at; a peer's other octets are kept, so that they survive. */
  #readPadding(reader: Reader, value: V, length: number): void {
    const padding = reader.bytes((4 - (length & 3)) & 3, 'padding');
    if (padding.some((octet) => octet !== 0)) (value as Common).padding = padding;
  }
}
