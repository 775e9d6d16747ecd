import { octetsForm } from '../../rsvp/wire/field.js';
import { objectKey } from '../../rsvp/wire/object.js';
import type { ObjectType, WireObject } from '../../rsvp/wire/object.js';
import type { Layout } from '../../rsvp/wire/layout.js';
import { fromHex } from '../../rsvp/wire/octets.js';
import { FormError } from '../../rsvp/wire/error.js';

/**
 * PEPID (RFC 2748 2.2.11): "a NULL terminated ASCII string that is also zero padded to a 32-bit word boundary (so
 * the object length is a multiple of 4 octets)". That is what we send. Peers also send other endings (a length without
 * the padding, no NULL at all); those octets are kept in `terminator`.
 */
export interface PepIdValue {
  readonly pepId: string;
  /** What follows the text, where it is not one to four zero octets up to a multiple of four. */
  readonly terminator?: Uint8Array;
}

const HEAD = { class: 'PEPID', classNum: 11, cType: 1 } as const;

const LAYOUT: Layout<WireObject & PepIdValue> = {
  size: 0,
  names: ['pepId'],
  read(reader, length = 0) {
    const octets = reader.rest();
    const zero = octets.indexOf(0);
    const end = zero === -1 ? octets.length : zero;
    const pepId = Buffer.from(octets.buffer, octets.byteOffset, end).toString('latin1');
    const terminator = octets.subarray(end);
    const value = { ...HEAD, length, pepId };
    return isPlain(terminator, end) ? value : { ...value, terminator };
  },
  write(writer, value) {
    const text = Buffer.from(value.pepId, 'latin1');
    if (text.includes(0)) throw new RangeError('pepId: a PEPID ends at its first NULL');
    writer.bytes(text);
    if (value.terminator !== undefined) writer.bytes(value.terminator);
    else writer.skip(4 - (text.length & 3));
  },
  text: (value, indent) =>
    `${indent}pep id: ${JSON.stringify(value.pepId)}\n${
      value.terminator === undefined ? '' : `${indent}terminator: ${octetsForm.text(value.terminator)}\n`
    }`,
  toJson: ({ class: name, classNum, cType, length, pepId, terminator }) => ({
    class: name,
    classNum,
    cType,
    length,
    pepId,
    ...(terminator === undefined ? {} : { terminator: octetsForm.toJson(terminator) }),
  }),
  fromJson(json) {
    const { pepId, terminator } = json;
    // eslint-disable-next-line no-control-regex -- octets, and no NULL
    if (typeof pepId !== 'string' || !/^[\x01-\xff]*$/.test(pepId)) {
      throw new FormError('pepId', `expected ASCII text, got \`${JSON.stringify(pepId)}\``);
    }
    if (terminator === undefined) return { ...HEAD, length: 0, pepId };
    const octets = typeof terminator === 'string' ? fromHex(terminator) : undefined;
    if (octets === undefined) throw new FormError('terminator', 'expected octets in hex');
    return { ...HEAD, length: 0, pepId, terminator: octets };
  },
  make: (input) => ({ ...HEAD, length: 0, ...(input as unknown as PepIdValue) }),
};

export const PepId: ObjectType<PepIdValue> = {
  ...HEAD,
  title: 'PEP Identification',
  rfc: 'RFC 2748 2.2.11',
  key: objectKey(HEAD.classNum, HEAD.cType),
  name: 'PEPID',
  heading: 'PEPID (class 11, C-Type 1 PEP Identification',
  layout: LAYOUT,
  is(value): value is WireObject & PepIdValue {
    const { classNum, cType, body } = value as WireObject & { readonly body?: unknown };
    return classNum === HEAD.classNum && cType === HEAD.cType && body === undefined;
  },
  make: (input) => LAYOUT.make(input as never),
};

/** One to four zeros, up to a multiple of four octets. */
function isPlain(terminator: Uint8Array, textLength: number): boolean {
  return terminator.length === 4 - (textLength & 3) && terminator.every((octet) => octet === 0);
}
