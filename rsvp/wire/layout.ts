import { FormError } from './error.js';
import type { Field } from './field.js';
import { compile } from './compile.js';
import type { LooseField } from './compile.js';
import type { Reader, Writer } from './octets.js';

/**
 * A layout is a run of fixed fields and, where the format has them, variable parts behind them. It is
 * declared once and gives decode, encode, text and JSON.
 *
 * Contract. `read` is given a reader narrowed to the body; it throws `WireError` and nothing else, whatever
 * the octets are. Octets that no field and no part takes are kept as `trailing`. `write` throws `RangeError`
 * naming the field. `fromJson` throws `FormError` naming the path. Fields whose name begins with `reserved` are
 * kept as the peer set them, but printed only where they are not zero.
 */
export interface Layout<V extends object = object> {
  /** Octets of the fixed part. */
  readonly size: number;
  readonly names: readonly string[];
  /** `length` and `extra` come from the header in front of the body, where there is one. */
  read(reader: Reader, length?: number, extra?: number): V;
  /** Returns what the header in front carries besides, if anything. */
  write(writer: Writer, value: V): number | undefined;
  /** Lines, each ended by a newline. */
  text(value: V, indent: string): string;
  toJson(value: V): Record<string, unknown>;
  fromJson(json: Readonly<Record<string, unknown>>): V;
  /** A value from what a caller gives; what is left out is zero. */
  make(input: Readonly<Record<string, unknown>>): V;
}

/** A variable part of a layout. The last one reads to the end of the body; another has to know its own end. */
export interface Tail<T> {
  readonly zero: T;
  /** `value` holds the fixed fields; `body` is where the body begins. */
  read(reader: Reader, value: object, body: number): T;
  write(writer: Writer, value: T, body: number): void;
  text(value: T, label: string, indent: string): string;
  toJson(value: T): unknown;
  fromJson(json: unknown): T;
}

// `Field` is invariant in its value; only `any` says "whatever its value is".
/* eslint-disable @typescript-eslint/no-explicit-any */
export type Fields = Readonly<Record<string, Field<any>>>;
export type Tails = Readonly<Record<string, Tail<any>>>;
/* eslint-enable @typescript-eslint/no-explicit-any */
/** No variable part. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- no keys is what it says
export type NoTail = {};
export type ValueOf<F> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : F[K] extends Tail<infer T> ? T : never;
};
type Optional<F, K extends keyof F> = K extends `reserved${string}`
  ? K
  : F[K] extends { readonly derived: true }
    ? K
    : never;
/** What a caller has to give: everything but reserved bits and counts of what follows. */
export type InputOf<F> = {
  readonly [K in keyof F as K extends Optional<F, K> ? never : K]: ValueOf<F>[K];
} & {
  readonly [K in keyof F as Optional<F, K>]?: ValueOf<F>[K];
};

/** What a layout's values carry in front of their fields: what the header in front of the body says. */
export interface Front {
  /** `class`, `classNum`, ...: the same in each value. */
  readonly constants: Readonly<Record<string, string | number | boolean>>;
  /** Is there a `length`: octets on the wire, header included? */
  readonly length: boolean;
  /** One thing more that the header says. */
  readonly extra?: { readonly name: string; readonly field: Field<number> } | undefined;
}

const NO_FRONT: Front = { constants: {}, length: false };

/** Compiles a layout. */
export function layout<F extends Fields, T extends Tails = NoTail>(
  fields: F,
  tails?: T,
  front: Front = NO_FRONT,
): Layout<ValueOf<F> & ValueOf<T>> {
  const entries = Object.entries(fields) as unknown as [string, LooseField][];
  const parts = Object.entries(tails ?? {}) as unknown as [string, Tail<unknown>][];
  const compiled = compile(entries, parts, front);
  const { size, create } = compiled;

  return {
    size,
    names: [...entries, ...parts].map(([name]) => name),
    read: compiled.read as never,
    write: compiled.write,
    text: compiled.text,
    toJson: compiled.toJson,
    fromJson(json) {
      const value = create(0, 0);
      for (const [name, field] of entries) {
        const given = json[name];
        if (given === undefined && (field.derived === true || name.startsWith('reserved'))) continue;
        value[name] = fromJsonAt(name, () => field.fromJson(given));
      }
      for (const [name, part] of parts) value[name] = fromJsonAt(name, () => part.fromJson(json[name]));
      return value as never;
    },
    make(input) {
      const value = create(0, 0);
      for (const [name, part] of Object.entries(input)) if (part !== undefined) value[name] = part;
      return value as never;
    },
  };
}

/** Runs `read` and adds `name` in front of the path of what it complains about. */
export function fromJsonAt<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormError ? error.within(name) : error;
  }
}
