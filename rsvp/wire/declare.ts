import type { Extra, Member } from './family.js';
import { layout } from './layout.js';
import type { Fields, InputOf, NoTail, Tails, ValueOf } from './layout.js';

/** A declared member of a family: `is` tells its values from others, `make` builds one. */
export interface MemberType<V extends object, I = V, B extends object = object> extends Member<B> {
  is(value: object): value is B & V;
  make(input: I): B & V;
}

export interface MemberHead {
  readonly key: number;
  readonly name: string;
  readonly heading: string;
  readonly rfc: string;
  /** What each value carries to say what it is. */
  readonly constants: Readonly<Record<string, string | number>>;
  /** What else the family's header has. */
  readonly extra?: Extra;
}

/** Declares a member of a family: its fields in the order of the RFC's diagram, then its variable part. */
export function declare<B extends object, F extends Fields, T extends Tails = NoTail>(
  head: MemberHead,
  fields: F,
  tails?: T,
): MemberType<ValueOf<F> & ValueOf<T>, InputOf<F> & InputOf<T>, B> {
  const { key, name, heading, rfc, constants, extra } = head;
  const compiled = layout(fields, tails, { constants, length: true, extra });
  const marks = Object.entries(constants);
  return {
    key,
    name,
    heading,
    rfc,
    layout: compiled as never,
    is(value): value is B & ValueOf<F> & ValueOf<T> {
      const loose = value as Readonly<Record<string, unknown>>;
      for (const [mark, constant] of marks) if (loose[mark] !== constant) return false;
      return loose['body'] === undefined;
    },
    make: (input) => compiled.make(input) as never,
  };
}

/** The values of a declared member, or of any of several. */
export type ValueIn<T> = T extends { make(input: never): infer V } ? V : never;

/** The first value of these types: `firstOf(objects, SessionIpv4, SessionIpv6)`. */
export function firstOf<T extends readonly MemberType<object, never>[]>(
  values: readonly object[],
  ...types: T
): ValueIn<T[number]> | undefined {
  for (const value of values) {
    for (const type of types) if (type.is(value)) return value as never;
  }
  return undefined;
}
