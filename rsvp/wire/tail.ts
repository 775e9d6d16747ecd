import { FormError } from './error.js';
import { BadValue, octetsForm } from './field.js';
import type { Field } from './field.js';
import type { Family } from './family.js';
import { fromJsonAt } from './layout.js';
import type { Layout, Tail } from './layout.js';
import { fromHex, toHex } from './octets.js';

/** The variable parts that formats share. Each reads to the end of its container. */

/** Octets without inner structure. */
export const octets: Tail<Uint8Array> = {
  zero: new Uint8Array(0),
  read: (reader) => reader.rest(),
  write: (writer, value) => writer.bytes(value),
  text: (value, label, indent) => `${indent}${label}: ${octetsForm.text(value)}\n`,
  toJson: octetsForm.toJson,
  fromJson: (json) => octetsForm.fromJson(json),
};

/**
 * Octets that are text: a string in memory and in JSON where they are printable ASCII, which is what a name should
 * be; otherwise `hex:` and the digits, so that every octet survives.
 */
export const text: Tail<string> = {
  zero: '',
  read(reader) {
    const body = reader.rest();
    const plain = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
    return isPlain(plain) ? plain : `hex:${toHex(body)}`;
  },
  write(writer, value) {
    const body = textOctets(value);
    if (body === undefined) throw new RangeError(`\`${value}\` is neither printable ASCII nor hex`);
    writer.bytes(body);
  },
  text: (value, label, indent) => `${indent}${label}: ${value}\n`,
  toJson: (value) => value,
  fromJson(json) {
    if (typeof json === 'string' && textOctets(json) !== undefined) return json;
    throw new FormError('', `expected printable ASCII or hex: and digits, got \`${JSON.stringify(json)}\``);
  },
};

function isPlain(value: string): boolean {
  return /^[ -~]*$/.test(value) && !value.startsWith('hex:');
}

function textOctets(value: string): Uint8Array | undefined {
  if (value.startsWith('hex:')) return fromHex(value.slice(4));
  return isPlain(value) ? Buffer.from(value, 'latin1') : undefined;
}

/** A list of one field: addresses of a SCOPE, labels. */
export function list<T>(field: Field<T>): Tail<readonly T[]> {
  const one = fieldReader(field);
  return {
    zero: [],
    read(reader) {
      const values: T[] = [];
      while (reader.at < reader.end) {
        const at = reader.take(field.size, 'a list entry');
        try {
          values.push(one(reader.view, reader.octets, at));
        } catch (error) {
          if (!(error instanceof BadValue)) throw error;
          throw reader.error('value', error.problem, error.expected, at);
        }
      }
      return values;
    },
    write(writer, values) {
      for (const value of values) {
        const at = writer.skip(field.size);
        field.write(writer.view, at, value);
      }
    },
    text: (values, label, indent) =>
      `${indent}${label}: ${values.map((value) => field.text(value, {})).join(', ')}\n`,
    toJson: (values) => values.map((value) => field.toJson(value)),
    fromJson: (json) =>
      array(json).map((item, index) => fromJsonAt(`[${index}]`, () => field.fromJson(item))),
  };
}

/** A list of records of one fixed layout. */
export function records<V extends object>(record: Layout<V>): Tail<readonly V[]> {
  return {
    zero: [],
    read(reader) {
      const values: V[] = [];
      while (reader.at < reader.end) {
        const { end } = reader;
        if (reader.left >= record.size) reader.end = reader.at + record.size;
        values.push(record.read(reader, record.size));
        reader.end = end;
      }
      return values;
    },
    write(writer, values) {
      for (const value of values) record.write(writer, value);
    },
    text: (values, label, indent) =>
      values.map((value, i) => `${indent}${label} ${i + 1}\n${record.text(value, `${indent}  `)}`).join(''),
    toJson: (values) => values.map((value) => record.toJson(value)),
    fromJson: (json) =>
      array(json).map((item, index) =>
        fromJsonAt(`[${index}]`, () => record.fromJson(item as Readonly<Record<string, unknown>>)),
      ),
  };
}

/** A list of a family's members: policy elements, sub-objects of a route. A function: the family may hold itself. */
export function membersOf<V extends object>(family: Family<V> | (() => Family<V>)): Tail<readonly V[]> {
  let known = typeof family === 'function' ? undefined : family;
  const get = (): Family<V> => (known ??= (family as () => Family<V>)());
  return {
    zero: [],
    read(reader) {
      const values = get().readAll(reader);
      if (reader.at < reader.end) {
        // Only where faults are collected: a member's header is broken, and so is what holds it.
        const fault = reader.faults?.pop();
        if (fault !== undefined) throw fault;
      }
      return values;
    },
    write: (writer, values) => get().writeAll(writer, values),
    text(values, _label, indent) {
      let lines = '';
      for (const value of values) lines += get().text(value, indent);
      return lines;
    },
    toJson: (values) => values.map((value) => get().toJson(value)),
    fromJson: (json) => get().allFromJson(json),
  };
}

/** How a field in front of a variable part counts the octets of that part. */
export interface Count {
  /** The field, declared with `derived`. */
  readonly field: string;
  /** Octets of the field, and from the start of the variable part back to it. */
  readonly size: 1 | 2;
  readonly back: number;
  octets(count: number): number;
  count(octets: number): number;
}

/** A variable part that ends where a field says; what is behind it belongs to the next part, or is `trailing`. */
export function counted<T>(tail: Tail<T>, count: Count): Tail<T> {
  return {
    ...tail,
    read(reader, value, body) {
      const size = count.octets((value as Readonly<Record<string, number>>)[count.field] ?? 0);
      const { end } = reader;
      const stop = reader.at + size;
      if (size < 0 || stop > end)
        throw reader.error(
          'length',
          `${count.field} ${(value as Readonly<Record<string, number>>)[count.field] ?? 0}`,
          `from ${count.count(0)} to ${count.count(end - reader.at)}`,
          reader.at - count.back,
        );
      reader.end = stop;
      const read = tail.read(reader, value, body);
      reader.end = end;
      return read;
    },
    write(writer, value, body) {
      const at = writer.at;
      tail.write(writer, value, body);
      const total = count.count(writer.at - at);
      if (total >= 2 ** (8 * count.size)) throw new RangeError(`${count.field}: ${total} does not fit`);
      if (count.size === 1) writer.view.setUint8(at - count.back, total);
      else writer.view.setUint16(at - count.back, total);
    },
  };
}

/**
 * Padding up to a multiple of four octets, as the last part of a body: 0 where it is the zeros that it should be, which
 * are written without being asked for; else the octets that a peer set. Call the part `reserved...`.
 */
export const padding: Tail<Uint8Array | 0> = {
  zero: 0,
  read(reader, _value, body) {
    const expected = (4 - ((reader.at - body) & 3)) & 3;
    const rest = reader.rest();
    return rest.length === expected && rest.every((octet) => octet === 0) ? 0 : rest;
  },
  write(writer, value, body) {
    if (value === 0) writer.pad(body);
    else writer.bytes(value);
  },
  text: (value, label, indent) => (value === 0 ? '' : `${indent}${label}: ${octetsForm.text(value)}\n`),
  toJson: (value) => (value === 0 ? 0 : toHex(value)),
  fromJson: (json) => (json === undefined || json === 0 ? 0 : octetsForm.fromJson(json)),
};

function array(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json as readonly unknown[];
  throw new FormError('', `expected an array, got \`${JSON.stringify(json)}\``);
}

/** Reads one field at an offset. A list of one kind has no need of a compiled parser: its loop is the cost. */
function fieldReader<T>(field: Field<T>): (view: DataView, octets: Uint8Array, at: number) => T {
  const refine = field.refine as ((raw: unknown) => T) | undefined;
  const raw = (view: DataView, all: Uint8Array, at: number): unknown => {
    if (field.size === 1) return view.getUint8(at);
    if (field.size === 2) return view.getUint16(at);
    if (field.size === 4) return view.getUint32(at);
    return all.subarray(at, at + field.size);
  };
  return refine === undefined ? (raw as never) : (view, all, at) => refine(raw(view, all, at));
}
