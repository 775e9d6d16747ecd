import { Parser } from 'binary-parser';
import { asIs, BadValue, octetsForm } from './field.js';
import type { Field } from './field.js';
import type { Front, Tail } from './layout.js';
import type { Reader, Writer } from './octets.js';

/**
 * The code behind a layout, written once when it is declared: each direction is a run of plain statements, one a
 * field, which V8 compiles well. A loop over fields would look each one up by name, in values of every shape.
 */
export interface Compiled {
  /** Octets of the fixed part. */
  readonly size: number;
  readonly create: (length: number, extra: number) => Loose;
  readonly read: (reader: Reader, length?: number, extra?: number) => Loose;
  readonly write: (writer: Writer, value: Loose) => number;
  readonly text: (value: Loose, indent: string) => string;
  readonly toJson: (value: Loose) => Loose;
}

export type Loose = Record<string, unknown>;
export interface LooseField extends Omit<Field<unknown>, 'refine'> {
  readonly refine: ((raw: unknown) => unknown) | undefined;
}

type Entry = readonly [name: string, field: LooseField];
type Part = readonly [name: string, tail: Tail<unknown>];

export function compile(fields: readonly Entry[], tails: readonly Part[], front: Front): Compiled {
  const all = [...fields, ...tails];
  const inFront = [
    ...Object.keys(front.constants),
    ...(front.extra === undefined ? [] : [front.extra.name]),
    ...(front.length ? ['length'] : []),
  ];
  const refined = fields.filter(([, field]) => field.refine !== undefined);
  const { statements: writes, size } = writing(fields);
  const what = fields.length === 1 ? labelOf(fields[0]?.[0] ?? '') : 'fixed fields';
  const source = `
    ${fields.map(([name], i) => `const ${name}_ = fields[${i}];`).join('\n')}
    ${tails.map(([name], i) => `const ${name}_ = tails[${i}];`).join('\n')}
    ${refined.map(([name]) => `const refine_${name} = ${name}_.refine;`).join('\n')}
    function Value(${['length', 'extra', ...fields.map(([name]) => `${name}__`)].join(', ')}) {
      ${Object.entries(front.constants)
        .map(([name, value]) => `this.${name} = ${JSON.stringify(value)};`)
        .join('\n')}
      ${front.extra === undefined ? '' : `this.${front.extra.name} = extra;`}
      ${front.length ? 'this.length = length;' : ''}
      ${fields.map(([name]) => `this.${name} = ${name}__;`).join('\n')}
      ${tails.map(([name]) => `this.${name} = ${name}_.zero;`).join('\n')}
    }
    Value.prototype = Object.prototype;
    let indented;
    ${[...(front.extra === undefined ? [] : [front.extra.name]), ...all.map(([name]) => name)]
      .map((name) => `let label_${name}, next_${name};`)
      .join(' ')}
    return {
      size: ${size},
      create: (length, extra) => new Value(${['length', 'extra', ...fields.map(([name]) => `${name}_.zero`)].join(', ')}),
      read(reader, length = 0, extra = 0) {
        const at = reader.at;
        try {
        if (reader.end - at < ${size}) reader.take(${size}, '${what}');
        reader.at = at + ${size};
        const dataView = reader.view, buffer = reader.octets;
        let offset = at;
        ${reading(fields)}
        const vars = new Value(${[
          'length',
          'extra',
          ...fields.map(([name, { refine }]) =>
            refine === undefined ? `${name}__` : `refine_${name}(${name}__)`,
          ),
        ].join(', ')});
        ${tails.map(([name]) => `vars.${name} = ${name}_.read(reader, vars, at);`).join('\n')}
        if (reader.at < reader.end) vars.trailing = reader.rest();
        return vars;
        } catch (error) {
          throw locate(error, reader, at);
        }
      },
      write(writer, value) {
        try {
        const at = writer.skip(${size});
        const view = writer.view;
        ${writes.join('\n')}
        ${tails.map(([name]) => `${name}_.write(writer, value.${name}, at);`).join('\n')}
        const trailing = value.trailing;
        if (trailing !== undefined) writer.bytes(trailing);
        } catch (error) {
          throw blame(error, fields, value);
        }
        return ${front.extra === undefined ? '0' : `value.${front.extra.name}`};
      },
      text(value, indent) {
        if (indent !== indented) {
          indented = indent;
          ${[...(front.extra === undefined ? [] : [front.extra.name]), ...all.map(([name]) => name)]
            .map(
              (name) =>
                `label_${name} = indent + '${labelOf(name)}: '; next_${name} = '\\n' + label_${name};`,
            )
            .join('\n')}
        }
        return ${[
          ...(front.extra === undefined ? [] : [printingExtra(front.extra.name)]),
          ...printing(fields),
          ...tails.map(([name]) =>
            unlessZeroReserved(name, `${name}_.text(value.${name}, '${labelOf(name)}', indent)`),
          ),
          `(value.trailing === undefined ? '' : indent + 'trailing: ' + octetsText(value.trailing) + '\\n')`,
        ].join(' + ')};
      },
      toJson(value) {
        const json = ${jsonOf(inFront, all)};
        if (value.trailing !== undefined) json.trailing = octetsHex(value.trailing);
        return json;
      },
    };`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- compiled from declarations in this project alone
  const build = new Function(
    'fields',
    'tails',
    'extra_',
    'locate',
    'blame',
    'octetsText',
    'octetsHex',
    source,
  ) as (fields: readonly unknown[], tails: readonly unknown[], ...helpers: unknown[]) => Compiled;
  return build(
    fields.map(([, field]) => field),
    tails.map(([, tail]) => tail),
    front.extra?.field,
    locate,
    (error: unknown, _fields: unknown, value: Loose) => blame(error, fields, value),
    octetsForm.text,
    octetsForm.toJson,
  );
}

/** A value that a format excludes becomes an error that knows where it stands. */
function locate(error: unknown, reader: Reader, at: number): unknown {
  return error instanceof BadValue ? reader.error('value', error.problem, error.expected, at) : error;
}

/** Which field a caller's value does not fit: each is written alone, until one complains again. */
function blame(error: unknown, fields: readonly Entry[], value: Loose): unknown {
  if (!(error instanceof RangeError)) return error;
  const scratch = new DataView(new ArrayBuffer(64));
  for (const [name, field] of fields) {
    try {
      if (field.encode === undefined) field.write(scratch, 0, value[name]);
      else field.encode(value[name]);
    } catch {
      return new RangeError(`${name}: ${error.message}`);
    }
  }
  return error;
}

/** Reserved bits are left out where they are zero: two literals, so that each has one shape. */
function jsonOf(inFront: readonly string[], all: readonly (readonly [string, object])[]): string {
  const front = inFront.map((name) => `${name}: value.${name}`);
  const literal = (parts: typeof all): string => {
    const own = parts.map(([name, part]) =>
      'plain' in part ? `${name}: value.${name}` : `${name}: ${name}_.toJson(value.${name})`,
    );
    return `{ ${[...front, ...own].join(', ')} }`;
  };
  const reserved = all.filter(([name]) => name.startsWith('reserved'));
  if (reserved.length === 0) return literal(all);
  const zero = reserved.map(([name]) => `value.${name} === 0`).join(' && ');
  return `${zero} ? ${literal(all.filter((part) => !reserved.includes(part)))} : ${literal(all)}`;
}

function unlessZeroReserved(name: string, text: string): string {
  return name.startsWith('reserved') ? `(value.${name} === 0 ? '' : ${text})` : text;
}

/** A line a field. Between two lines that are always there, the end of the one and the label of the other are one string. */
function printing(fields: readonly Entry[]): string[] {
  const pieces: string[] = [];
  let isOpen = false;
  for (const [name, field] of fields) {
    const text = textOf(name, field);
    if (name.startsWith('reserved')) {
      if (isOpen) pieces.push(`'\\n'`);
      pieces.push(unlessZeroReserved(name, `label_${name} + ${text} + '\\n'`));
      isOpen = false;
    } else {
      pieces.push(isOpen ? `next_${name}` : `label_${name}`, text);
      isOpen = true;
    }
  }
  return isOpen ? [...pieces, `'\\n'`] : pieces;
}

function textOf(name: string, field: LooseField): string {
  const value = `value.${name}`;
  if (field.text === String || field.text === asIs) return value;
  return field.text.length > 1 ? `${name}_.text(${value}, value)` : `${name}_.text(${value})`;
}

/** What a header carries besides is printed where it is not 0. */
function printingExtra(name: string): string {
  return `(value.${name} === 0 ? '' : label_${name} + extra_.text(value.${name}, value) + '\\n')`;
}

/**
 * binary-parser writes the code that reads the fixed fields; we wrap it. Run as it comes, it allocates a DataView
 * a call and deletes two bookkeeping properties from each value, which makes V8 treat the values as dictionaries
 * (0.8 µs an object where 0.05 µs will do). So its prologue and bookkeeping are cut out, the view and the offset
 * are given, and the fields become the arguments of one constructor.
 */
function reading(fields: readonly Entry[]): string {
  const parser = fields.reduce<Parser>((before, [name, field]) => field.declare(before, name), new Parser());
  const code = parser
    .getCode()
    .replace(/^var (dataView|offset|vars) = .*$/gm, '')
    .replace(/^(vars\.\$(parent|root) = .*|delete vars\.\$(parent|root);|return vars;)$/gm, '')
    .replace(/^vars\.(\w+) = /gm, 'const $1__ = ');
  if (/\bvar (?!\$tmp\d+ = 0;)|\$(?!tmp\d)|delete|return|vars/.test(code)) {
    throw new Error(`binary-parser wrote code that this wrapper does not know:\n${code}`);
  }
  return code;
}

/** One statement a field; bit fields up to the next octet boundary share one. */
function writing(fields: readonly Entry[]): { statements: string[]; size: number } {
  const statements: string[] = [];
  let at = 0;
  let run: Entry[] = [];
  let width = 0;
  for (const entry of fields) {
    const [name, field] = entry;
    if (field.bits === undefined) {
      if (width !== 0) throw new TypeError(`${name}: the bit fields in front of it end inside an octet`);
      statements.push(writingOf(name, field, at));
      at += field.size;
      continue;
    }
    run.push(entry);
    width += field.bits;
    if ((width & 7) !== 0) continue;
    let shift = width;
    const sum = run.map(([part, { bits = 0 }]) => `${part}_.encode(value.${part}) * ${2 ** (shift -= bits)}`);
    statements.push(storing(width, at, sum.join(' + ')));
    at += width / 8;
    run = [];
    width = 0;
  }
  if (width !== 0) throw new TypeError('bit fields that end inside an octet');
  return { statements, size: at };
}

function writingOf(name: string, field: LooseField, at: number): string {
  if (field.integer === undefined) return `${name}_.write(view, at + ${at}, value.${name});`;
  const { setter, min, max } = field.integer;
  return `{ const number = value.${name};
    if (!Number.isInteger(number) || number < ${min} || number > ${max}) ${name}_.write(view, at + ${at}, number);
    view.${setter}(at + ${at}, number); }`;
}

function storing(width: number, at: number, bits: string): string {
  if (width === 24)
    return `view.setUint8(at + ${at}, (${bits}) >>> 16); view.setUint16(at + ${at + 1}, ${bits});`;
  return `view.setUint${width}(at + ${at}, ${bits});`;
}

/** `refreshPeriod` is printed as `refresh period`. */
export function labelOf(name: string): string {
  return name.replace(
    /[A-Z]+(?![a-z])|[A-Z]/g,
    (capitals) => ` ${capitals.length > 1 ? capitals : capitals.toLowerCase()}`,
  );
}
