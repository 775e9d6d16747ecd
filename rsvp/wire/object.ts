import { Family } from './family.js';
import { declare } from './declare.js';
import type { MemberType } from './declare.js';
import type { Fields, InputOf, NoTail, Tails, ValueOf } from './layout.js';

/**
 * What every RSVP and COPS object carries (RFC 2205 3.1.2, RFC 2748 2.2): the RFC's name of its class (the C-Num in
 * COPS), the two numbers, and its length in octets, header included, padding excluded.
 */
export interface WireObject {
  readonly class: string;
  readonly classNum: number;
  readonly cType: number;
  readonly length: number;
}

/** A declared object: `is` tells its values from others, `make` builds one. */
export interface ObjectType<V extends object, I = V> extends MemberType<V, I, WireObject> {
  readonly class: string;
  readonly classNum: number;
  readonly cType: number;
  /** What this C-Type is, as `IPv4/UDP`. */
  readonly title: string;
}

export interface ObjectHead {
  /** The RFC's name of the class. */
  readonly class: string;
  readonly classNum: number;
  readonly cType: number;
  readonly title: string;
  /** Where the format is defined, as `RFC 2205 A.4`. */
  readonly rfc: string;
}

/** Any object type, where its values do not matter. */
export type AnyObjectType = ObjectType<object, never>;

/** Declares an object of RSVP or COPS: its fields in the order of the RFC's diagram, then its variable part. */
export function object<F extends Fields, T extends Tails = NoTail>(
  head: ObjectHead,
  fields: F,
  tail?: T,
): ObjectType<ValueOf<F> & ValueOf<T>, InputOf<F> & InputOf<T>> {
  const { class: name, classNum, cType, title, rfc } = head;
  return {
    ...head,
    ...declare<WireObject, F, T>(
      {
        key: objectKey(classNum, cType),
        name: `${name} (${title})`,
        heading: `${name} (class ${classNum}, C-Type ${cType} ${title}`,
        rfc,
        constants: { class: name, classNum, cType },
      },
      fields,
      tail,
    ),
    is(value): value is WireObject & ValueOf<F> & ValueOf<T> {
      const { classNum: c, cType: t, body } = value as WireObject & { readonly body?: unknown };
      return c === classNum && t === cType && body === undefined;
    },
  };
}

export function objectKey(classNum: number, cType: number): number {
  return (classNum << 8) | cType;
}

/** Options of an object family: RSVP's and COPS's differ in padding and in the names of unknown classes. */
export interface ObjectFamilyOptions {
  readonly what: string;
  readonly rfc: string;
  readonly padded: boolean;
}

export function objectFamily(
  options: ObjectFamilyOptions,
  types: readonly AnyObjectType[],
): Family<WireObject> {
  const names = new Map(types.map((type) => [type.classNum, type.class]));
  const numbers = new Map(types.map((type) => [type.class, type.classNum]));
  return new Family<WireObject>(
    {
      ...options,
      size: 4,
      key: { at: 2, octets: 2 },
      length: { at: 0, octets: 2 },
      keyOf: (value) => objectKey(value.classNum, value.cType),
      unknown: (key) => ({
        class: names.get(key >> 8) ?? `unknown(${key >> 8})`,
        classNum: key >> 8,
        cType: key & 0xff,
        length: 0,
      }),
      title: (value) => `${value.class} (class ${value.classNum}, C-Type ${value.cType} unknown`,
      keyFromJson(json) {
        const classNum = json['classNum'] ?? numbers.get(String(json['class']));
        const cType = json['cType'];
        return isOctet(classNum) && isOctet(cType) ? objectKey(classNum, cType) : undefined;
      },
    },
    types,
  );
}

function isOctet(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255;
}
