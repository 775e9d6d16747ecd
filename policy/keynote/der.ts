import { KeyNoteKeyError } from './error.js';

/**
 * A DER SEQUENCE of positive INTEGERs, which is what RFC 2792 3 makes of RSA and DSA keys: returned in
 * its one canonical encoding. Octets after the SEQUENCE are left alone, as the recorded implementation
 * does; longer lengths and leading zeros than needed are taken away.
 */
export function canonicalIntegers(octets: Buffer, count: number): Buffer {
  const extents = readExtents(octets, count);
  if (extents.canonical && extents.end === octets.length) return octets;
  return writeIntegers(extents.integers.map(({ start, end }) => octets.subarray(start, end)));
}

/** The INTEGERs, without leading zeros. */
export function readIntegers(octets: Buffer, count: number): Buffer[] {
  return readExtents(octets, count).integers.map(({ start, end }) => octets.subarray(start, end));
}

export function writeIntegers(values: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(values.map(writeInteger)));
}

function writeInteger(value: Buffer): Buffer {
  return element(0x02, (value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value);
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

interface Extents {
  readonly integers: readonly Extent[];
  readonly end: number;
  readonly canonical: boolean;
}

function readExtents(octets: Buffer, count: number): Extents {
  const sequence = readElement(octets, 0, octets.length, 0x30);
  let canonical = sequence.canonical;
  const integers: Extent[] = [];
  let at = sequence.start;
  for (let i = 0; i < count; i++) {
    const { start, end, canonical: minimal } = readElement(octets, at, sequence.end, 0x02);
    if (start === end || (octets[start] ?? 0) >= 0x80)
      throw new KeyNoteKeyError('an INTEGER is not positive');
    let first = start;
    while (first < end && octets[first] === 0) first++;
    if (first === end) throw new KeyNoteKeyError('an INTEGER is zero');
    const needed = (octets[first] ?? 0) >= 0x80 ? 1 : 0;
    canonical &&= minimal && first - start === needed;
    integers.push({ start: first, end });
    at = end;
  }
  if (at !== sequence.end) throw new KeyNoteKeyError(`the SEQUENCE holds more than ${count} INTEGERs`);
  return { integers, end: sequence.end, canonical };
}

function readElement(
  octets: Buffer,
  at: number,
  limit: number,
  tag: number,
): Extent & { canonical: boolean } {
  if (octets[at] !== tag || at + 2 > limit) {
    throw new KeyNoteKeyError(`expected ${tag === 0x30 ? 'a SEQUENCE' : 'an INTEGER'} at octet ${at}`);
  }
  let size = octets[at + 1] ?? 0;
  let start = at + 2;
  let least = 0;
  if (size >= 0x80) {
    const octetsOfLength = size - 0x80;
    if (octetsOfLength === 0 || octetsOfLength > 2 || start + octetsOfLength > limit) {
      throw new KeyNoteKeyError(`unusable length at octet ${at + 1}`);
    }
    size =
      octetsOfLength === 1 ? (octets[start] ?? 0) : ((octets[start] ?? 0) << 8) | (octets[start + 1] ?? 0);
    least = octetsOfLength === 1 ? 0x80 : 0x100;
    start += octetsOfLength;
  }
  if (start + size > limit) throw new KeyNoteKeyError(`the element at octet ${at} is cut short`);
  return { start, end: start + size, canonical: size >= least };
}
