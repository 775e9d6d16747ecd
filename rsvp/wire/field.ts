import type { Parser } from 'binary-parser';
import { ipv4Number, ipv4Text, ipv6Octets, ipv6Text } from './address.js';
import { FormError } from './error.js';
import { fromHex, printable, toHex } from './octets.js';

/**
 * One field of a fixed layout. `declare` says how binary-parser reads it, `refine` what becomes of the
 * raw value; `write` is the other direction; `text` is for people, `toJson` and `fromJson` for programs.
 *
 * `fromJson` throws `FormError`; `write` trusts the type but checks the range (`RangeError`), because a
 * caller's number that does not fit must not become another number on the wire.
 */
export interface Field<T> {
  /** Octets on the wire; 0 for a bit field. */
  readonly size: number;
  /** Bits on the wire of a bit field. Bit fields in a row end at an octet's boundary, 32 bits at most. */
  readonly bits?: number;
  /** What a bit field writes. */
  encode?(value: T): number;
  /** It counts what follows: whoever writes that sets it, and a caller may leave it out. */
  readonly derived?: true;
  /** A plain integer, written without a call: the DataView's method and the range. */
  readonly integer?: { readonly setter: string; readonly min: number; readonly max: number };
  /** JSON has the value as it is. */
  readonly plain?: true;
  readonly zero: T;
  declare(parser: Parser, name: string): Parser;
  /** Undefined where the raw value is the value. A thrown `BadValue` becomes a `WireError`. */
  readonly refine: ((raw: never) => T) | undefined;
  write(view: DataView, at: number, value: T): void;
  /** `record` has the other fields, for a number whose meaning hangs on another. */
  text(value: T, record: object): string;
  toJson(value: T): unknown;
  fromJson(json: unknown): T;
}

/** The text of a value that is text. */
export const asIs = (value: string): string => value;

/** A value that a format excludes; whoever knows the offset makes a `WireError` of it. */
export class BadValue extends Error {
  constructor(
    readonly problem: string,
    readonly expected: string,
  ) {
    super(`${problem}, expected ${expected}`);
  }
}

/** What a field prints beside its number. */
export interface Look {
  /** `ms`, `octets`: printed after the number. */
  readonly unit?: string;
  /** Names of values: `17` is printed as `17 (UDP)`. */
  readonly names?: Readonly<Record<number, string>>;
  /** Names of bits, by mask: `0x01 (E_Police)`. */
  readonly bits?: Readonly<Record<number, string>>;
  /** The whole text, where it is none of these. */
  readonly text?: (value: number, record: object) => string;
  /** Value when a caller leaves it out. */
  readonly zero?: number;
}

function numberText(look: Look): (value: number, record: object) => string {
  const { text, names, bits, unit } = look;
  if (text !== undefined) return text;
  if (names !== undefined) {
    const known = new Map(
      Object.entries(names).map(([value, name]) => [Number(value), `${value} (${name})`]),
    );
    return (value) => known.get(value) ?? `${value} (unknown)`;
  }
  if (bits !== undefined) return bitsText(bits);
  if (unit !== undefined) return (value) => `${value} ${unit}`;
  return String;
}

/** Which bits are set, by mask: `0x01 (E_Police)`. */
export function bitsText(bits: Readonly<Record<number, string>>): (value: number) => string {
  const masks = Object.entries(bits).map(([mask, name]) => [Number(mask), name] as const);
  return (value) => {
    if (value === 0) return '0x00';
    const hex = `0x${value < 16 ? '0' : ''}${value.toString(16)}`;
    const set = masks.filter(([mask]) => (value & mask) !== 0).map(([, name]) => name);
    return set.length === 0 ? hex : `${hex} (${set.join(', ')})`;
  };
}

type IntegerKind = 'uint8' | 'uint16' | 'uint32' | 'int32';

function integer(
  kind: IntegerKind,
  size: 1 | 2 | 4,
  setter: 'setUint8' | 'setUint16' | 'setUint32' | 'setInt32',
) {
  const min = kind === 'int32' ? -(2 ** 31) : 0;
  const max = kind === 'int32' ? 2 ** 31 - 1 : 2 ** (8 * size) - 1;
  return (look: Look = {}): Field<number> => ({
    size,
    integer: { setter, min, max },
    plain: true,
    zero: look.zero ?? 0,
    declare: (parser, name) => parser[kind](name),
    refine: undefined,
    write(view, at, value) {
      if (!Number.isInteger(value) || value < min || value > max) {
        throw new RangeError(`${value} is not an integer from ${min} to ${max}`);
      }
      view[setter](at, value);
    },
    text: numberText(look),
    toJson: (value) => value,
    fromJson(json) {
      if (typeof json === 'number' && Number.isInteger(json) && json >= min && json <= max) return json;
      throw new FormError('', `expected an integer from ${min} to ${max}, got \`${JSON.stringify(json)}\``);
    },
  });
}

export const u8 = integer('uint8', 1, 'setUint8');
export const u16 = integer('uint16', 2, 'setUint16');
export const u32 = integer('uint32', 4, 'setUint32');
export const i32 = integer('int32', 4, 'setInt32');

/** A count of what follows in the format: written by whoever writes that. */
export function derived(field: Field<number>): Field<number> & { readonly derived: true } {
  return { ...field, derived: true };
}

/** A field of some bits, unsigned, most significant first as in the RFCs' diagrams. */
export function bits(width: number, look: Look = {}): Field<number> {
  const max = 2 ** width - 1;
  const encode = (value: number): number => {
    if (!Number.isInteger(value) || value < 0 || value > max)
      throw new RangeError(`${value} is not an integer from 0 to ${max}`);
    return value;
  };
  return {
    size: 0,
    bits: width,
    encode,
    plain: true,
    zero: look.zero ?? 0,
    declare: (parser, name) => parser[`bit${width}`]?.(name) ?? parser,
    // binary-parser makes its bits with `>>`: the topmost ones come out negative.
    refine: width === 32 ? (raw: number) => raw >>> 0 : undefined,
    write: () => undefined,
    text: numberText(look),
    toJson: (value) => value,
    fromJson(json) {
      if (typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= max) return json;
      throw new FormError('', `expected an integer from 0 to ${max}, got \`${JSON.stringify(json)}\``);
    },
  };
}

/** One bit that is yes or no. */
export const flag: Field<boolean> = {
  size: 0,
  bits: 1,
  encode: Number,
  plain: true,
  zero: false,
  declare: (parser, name) => parser['bit1']?.(name) ?? parser,
  refine: (raw: number) => raw !== 0,
  write: () => undefined,
  text: (value) => (value ? 'yes' : 'no'),
  toJson: (value) => value,
  fromJson(json) {
    if (typeof json === 'boolean') return json;
    throw new FormError('', `expected true or false, got \`${JSON.stringify(json)}\``);
  },
};

/** An unsigned 64-bit number: bigint in memory, a decimal string in JSON. */
export const u64: Field<bigint> = {
  size: 8,
  zero: 0n,
  declare: (parser, name) => parser.uint64(name),
  refine: undefined,
  write(view, at, value) {
    if (value < 0n || value >= 1n << 64n) throw new RangeError(`${value.toString()} does not fit 64 bits`);
    view.setBigUint64(at, value);
  },
  text: String,
  toJson: String,
  fromJson(json) {
    if (typeof json === 'string' && /^\d{1,20}$/.test(json) && BigInt(json) < 1n << 64n) return BigInt(json);
    throw new FormError('', `expected a decimal string below 2^64, got \`${JSON.stringify(json)}\``);
  },
};

/**
 * An IEEE single-precision number (RFC 2210 3). NaN is no rate and no size, and is refused: its many
 * encodings would not survive a JavaScript number. What JSON cannot say is a string: `"Infinity"`.
 */
export function f32(
  look: { readonly unit?: string; readonly text?: (value: number) => string } = {},
): Field<number> {
  return {
    size: 4,
    zero: 0,
    declare: (parser, name) => parser.floatbe(name),
    refine: checkedFloat,
    write(view, at, value) {
      if (Number.isNaN(value)) throw new RangeError('NaN is not a rate or a size');
      view.setFloat32(at, value);
    },
    text:
      look.text ??
      (look.unit === undefined ? floatText : (value) => `${floatText(value)} ${look.unit ?? ''}`),
    toJson: (value) =>
      Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value),
    fromJson(json) {
      if (typeof json === 'number') return json;
      if (json === 'Infinity' || json === '-Infinity' || json === '-0') return Number(json);
      throw new FormError('', `expected a number or "Infinity", got \`${JSON.stringify(json)}\``);
    },
  };
}

function checkedFloat(raw: number): number {
  if (raw !== raw) throw new BadValue('not a number (NaN)', 'an IEEE single-precision number');
  return raw;
}

/**
 * Texts of numbers lately printed: rates and sizes repeat from message to message, and are slow to print. Two
 * arrays that never grow.
 */
function recent(text: (value: number) => string): (value: number) => string {
  const SLOTS = 256;
  const values = new Float64Array(SLOTS).fill(NaN);
  const texts = new Array<string>(SLOTS).fill('');
  return (value) => {
    const slot = (value ^ (value / 65536)) & (SLOTS - 1);
    if (values[slot] === value) return texts[slot] as string;
    const made = text(value);
    values[slot] = value;
    texts[slot] = made;
    return made;
  };
}

/** The shortest decimal that is this single-precision number: 0.1, not 0.10000000149011612. */
export const floatText = recent((value) => {
  if (!Number.isFinite(value)) return value > 0 ? 'infinite' : '-infinite';
  if (Number.isInteger(value)) return String(value);
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
});

/** A rate in octets a second, as RFC 2210 has them, also in the bit/s that people talk in. */
export const rateText = recent((octetsPerSecond) => {
  if (!Number.isFinite(octetsPerSecond)) return 'infinite';
  return `${floatText(octetsPerSecond)} octets/s (${bitRateText(octetsPerSecond * 8)})`;
});

export function bitRateText(bitsPerSecond: number): string {
  for (const [scale, unit] of [
    [1e12, 'Tbit/s'],
    [1e9, 'Gbit/s'],
    [1e6, 'Mbit/s'],
    [1e3, 'kbit/s'],
  ] as const) {
    if (Math.abs(bitsPerSecond) >= scale) return `${Number((bitsPerSecond / scale).toPrecision(6))} ${unit}`;
  }
  return `${Number(bitsPerSecond.toPrecision(6))} bit/s`;
}

export const ipv4: Field<string> = {
  size: 4,
  plain: true,
  zero: '0.0.0.0',
  declare: (parser, name) => parser.uint32(name),
  refine: ipv4Text,
  write(view, at, value) {
    const address = ipv4Number(value);
    if (address === undefined) throw new RangeError(`\`${value}\` is not an IPv4 address`);
    view.setUint32(at, address);
  },
  text: asIs,
  toJson: (value) => value,
  fromJson(json) {
    if (typeof json === 'string' && ipv4Number(json) !== undefined) return json;
    throw new FormError('', `expected an IPv4 address, got \`${JSON.stringify(json)}\``);
  },
};

export const ipv6: Field<string> = {
  size: 16,
  plain: true,
  zero: '::',
  declare: (parser, name) => parser.buffer(name, { length: 16 }),
  refine: ipv6Text,
  write(view, at, value) {
    const octets = ipv6Octets(value);
    if (octets === undefined) throw new RangeError(`\`${value}\` is not an IPv6 address`);
    new Uint8Array(view.buffer, view.byteOffset + at, 16).set(octets);
  },
  text: asIs,
  toJson: (value) => value,
  fromJson(json) {
    if (typeof json === 'string' && ipv6Octets(json) !== undefined) return json;
    throw new FormError('', `expected an IPv6 address, got \`${JSON.stringify(json)}\``);
  },
};

/** A fixed number of octets without inner structure: a hex string in memory and in JSON. */
export function hex(size: number): Field<string> {
  return {
    size,
    zero: '00'.repeat(size),
    declare: (parser, name) => parser.buffer(name, { length: size }),
    refine: toHex,
    write(view, at, value) {
      const octets = fromHex(value);
      if (octets?.length !== size) throw new RangeError(`\`${value}\` is not ${size} octets in hex`);
      new Uint8Array(view.buffer, view.byteOffset + at, size).set(octets);
    },
    text: asIs,
    toJson: (value) => value,
    fromJson(json) {
      if (typeof json === 'string' && fromHex(json)?.length === size) return json.toLowerCase();
      throw new FormError('', `expected ${size} octets in hex, got \`${JSON.stringify(json)}\``);
    },
  };
}

/** Octets of any number: `Uint8Array` in memory, hex in JSON. Not a field (no fixed size), but a value. */
export const octetsForm = {
  toJson: toHex,
  fromJson(json: unknown): Uint8Array {
    const octets = typeof json === 'string' ? fromHex(json) : undefined;
    if (octets === undefined)
      throw new FormError('', `expected octets in hex, got \`${JSON.stringify(json)}\``);
    return octets;
  },
  text: (value: Uint8Array): string => `${value.length} octets: ${preview(value)}`,
};

function preview(octets: Uint8Array): string {
  const shown = octets.subarray(0, 32);
  const text =
    octets.length > 0 && shown.every((octet) => octet >= 0x20 && octet < 0x7f)
      ? ` "${printable(shown)}"`
      : '';
  return `${toHex(shown)}${octets.length > 32 ? '…' : ''}${text}`;
}
