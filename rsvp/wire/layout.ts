import { Parser } from 'binary-parser';
import { FormError } from './error.js';
import { BadValue } from './field.js';
import type { Field } from './field.js';
import type { Reader, Writer } from './octets.js';

/**
 * A layout is a run of fixed fields and, where the format has one, a variable part behind them. It is
 * declared once and gives decode, encode, text and JSON.
 *
 * Contract. `read` is given a reader narrowed to the body; it throws `WireError` and nothing else, whatever
 * the octets are. Octets behind a layout without a variable part are kept as `trailing`. `write` throws
 * `RangeError` naming the field. `fromJson` throws `FormError` naming the path. Fields whose name begins
 * with `reserved` are kept as the peer set them, but printed only where they are not zero.
 */
export interface Layout<V extends object = object> {
  /** Octets of the fixed part. */
  readonly size: number;
  readonly names: readonly string[];
  read(reader: Reader, length: number): V;
  write(writer: Writer, value: V): void;
  /** Lines, each ended by a newline. */
  text(value: V, indent: string): string;
  toJson(value: V): Record<string, unknown>;
  fromJson(json: Readonly<Record<string, unknown>>): V;
  /** A value from what a caller gives; what is left out is zero. */
  make(input: Readonly<Record<string, unknown>>): V;
}

/** The variable part of a layout: reads to the end of the body. */
export interface Tail<T> {
  readonly zero: T;
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
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
type Reserved = `reserved${string}`;
/** What a caller has to give: everything but reserved bits. */
export type InputOf<F> = { readonly [K in keyof F as K extends Reserved ? never : K]: ValueOf<F>[K] } & {
  readonly [K in keyof F as K extends Reserved ? K : never]?: ValueOf<F>[K];
};

/** What a layout's values carry besides their fields, in front of them: `class`, `classNum`, ... */
export type Constants = Readonly<Record<string, string | number | boolean>>;

interface LooseField extends Omit<Field<unknown>, 'refine'> {
  readonly refine: ((raw: unknown) => unknown) | undefined;
}

/**
 * Compiles a layout. `constants` are set on each value first, then `length` where `withLength` (octets on the
 * wire, header included), then the fields, then the variable part.
 */
export function layout<F extends Fields, T extends Tails = NoTail>(
  fields: F,
  tail?: T,
  constants: Constants = {},
  withLength = false,
): Layout<ValueOf<F> & ValueOf<T>> {
  const entries = Object.entries(fields) as unknown as [string, LooseField][];
  const [tailName, tailPart] = (Object.entries(tail ?? {})[0] ?? []) as unknown as [string?, Tail<unknown>?];
  const size = entries.reduce((sum, [, field]) => sum + field.size, 0);
  const { create, decode } = compile(entries, tailName, tailPart, constants, withLength);
  const labels = entries.map(([name]) => labelOf(name));
  const tailLabel = tailName === undefined ? '' : labelOf(tailName);
  const what = entries.length === 1 ? (labels[0] ?? '') : 'fixed fields';

  const text = (value: Loose, indent: string): string => {
    let lines = '';
    for (let i = 0; i < entries.length; i++) {
      const [name, field] = entries[i] as [string, LooseField];
      const part = value[name];
      if (part === 0 && name.startsWith('reserved')) continue;
      lines += `${indent}${labels[i] as string}: ${field.text(part)}\n`;
    }
    if (tailName !== undefined && tailPart !== undefined)
      lines += tailPart.text(value[tailName], tailLabel, indent);
    return lines;
  };

  return {
    size,
    names: [...entries.map(([name]) => name), ...(tailName === undefined ? [] : [tailName])],
    read(reader, length) {
      const at = reader.take(size, what);
      let value: Loose;
      try {
        value = decode(reader.view, reader.octets, at, length);
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        throw reader.error('value', error.problem, error.expected, at);
      }
      if (tailName !== undefined && tailPart !== undefined) value[tailName] = tailPart.read(reader);
      else if (reader.at < reader.end) value['trailing'] = reader.rest();
      return value as never;
    },
    write(writer, value: Loose) {
      let at = writer.skip(size);
      for (const [name, field] of entries) {
        try {
          field.write(writer.view, at, value[name]);
        } catch (error) {
          throw error instanceof RangeError ? new RangeError(`${name}: ${error.message}`) : error;
        }
        at += field.size;
      }
      if (tailName !== undefined && tailPart !== undefined) tailPart.write(writer, value[tailName]);
      const trailing = value['trailing'];
      if (trailing instanceof Uint8Array) writer.bytes(trailing);
    },
    text: text,
    toJson(value: Loose) {
      const json: Loose = {};
      for (const name of Object.keys(constants)) json[name] = value[name];
      if (withLength) json['length'] = value['length'];
      for (const [name, field] of entries) {
        const part = value[name];
        if (part === 0 && name.startsWith('reserved')) continue;
        json[name] = field.toJson(part);
      }
      if (tailName !== undefined && tailPart !== undefined) json[tailName] = tailPart.toJson(value[tailName]);
      return json;
    },
    fromJson(json) {
      const value = create();
      for (const [name, field] of entries) {
        const given = json[name];
        if (given === undefined && name.startsWith('reserved')) continue;
        value[name] = fromJsonAt(name, () => field.fromJson(given));
      }
      if (tailName !== undefined && tailPart !== undefined) {
        value[tailName] = fromJsonAt(tailName, () => tailPart.fromJson(json[tailName]));
      }
      return value as never;
    },
    make(input) {
      const value = create();
      for (const [name, part] of Object.entries(input)) if (part !== undefined) value[name] = part;
      return value as never;
    },
  };
}

type Loose = Record<string, unknown>;

/** `refreshPeriod` is printed as `refresh period`. */
export function labelOf(name: string): string {
  return name.replace(
    /[A-Z]+(?![a-z])|[A-Z]/g,
    (capitals) => ` ${capitals.length > 1 ? capitals : capitals.toLowerCase()}`,
  );
}

/** Runs `read` and adds `name` in front of the path of what it complains about. */
export function fromJsonAt<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormError ? error.within(name) : error;
  }
}

type Decode = (view: DataView, octets: Uint8Array, at: number, length: number) => Loose;

/**
 * binary-parser writes the code that reads the fixed fields; we wrap it. Run as it comes, it allocates a DataView
 * a call and deletes two bookkeeping properties from each value, which makes V8 treat the values as dictionaries
 * (0.8 µs an object where 0.05 µs will do). So its prologue and bookkeeping are cut out, the view and the offset
 * are given, and the values come from a constructor with all fields in their place.
 */
function compile(
  entries: readonly (readonly [string, LooseField])[],
  tailName: string | undefined,
  tailPart: Tail<unknown> | undefined,
  constants: Constants,
  withLength: boolean,
): { create: () => Loose; decode: Decode } {
  const parser = entries.reduce<Parser>((before, [name, field]) => field.declare(before, name), new Parser());
  const code = parser
    .getCode()
    .replace(/^var (dataView|offset|vars) = .*$/gm, '')
    .replace(/^(vars\.\$(parent|root) = .*|delete vars\.\$(parent|root);|return vars;)$/gm, '');
  if (/\bvar\b|\$|delete|return/.test(code)) {
    throw new Error(`binary-parser wrote code that this wrapper does not know:\n${code}`);
  }
  const refined = entries.filter(([, field]) => field.refine !== undefined);
  const source = `
    function Value(length) {
      ${Object.entries(constants)
        .map(([name, value]) => `this.${name} = ${JSON.stringify(value)};`)
        .join('\n')}
      ${withLength ? 'this.length = length;' : ''}
      ${entries.map(([name], i) => `this.${name} = zeros[${i}];`).join('\n')}
      ${tailName === undefined ? '' : `this.${tailName} = zeros[${entries.length}];`}
    }
    Value.prototype = Object.prototype;
    ${refined.map(([name], i) => `const refine_${name} = refines[${i}];`).join('\n')}
    return {
      create: () => new Value(0),
      decode(dataView, buffer, offset, length) {
        const vars = new Value(length);
        ${code}
        ${refined.map(([name]) => `vars.${name} = refine_${name}(vars.${name});`).join('\n')}
        return vars;
      },
    };`;
  const zeros = [...entries.map(([, field]) => field.zero), tailPart?.zero];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- compiled from declarations in this project alone
  const build = new Function('zeros', 'refines', source) as (
    zeros: readonly unknown[],
    refines: readonly unknown[],
  ) => { create: () => Loose; decode: Decode };
  return build(
    zeros,
    refined.map(([, field]) => field.refine),
  );
}
