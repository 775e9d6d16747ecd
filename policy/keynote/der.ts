import { KeyNoteKeyError } from './error.js';

/**
 * Reads a DER SEQUENCE of INTEGERs: what RFC 2792 3 makes of RSA and DSA keys. Each is returned
 * without leading zeros. Octets after the SEQUENCE are left alone, as the recorded implementation does.
 */
export function readIntegers(octets: Buffer, count: number): Buffer[] {
  const sequence = readElement(octets, 0, octets.length, 0x30);
  const integers: Buffer[] = [];
  let at = sequence.start;
  for (let i = 0; i < count; i++) {
    const { start, end } = readElement(octets, at, sequence.end, 0x02);
    if (start === end || (octets[start] ?? 0) >= 0x80)
      throw new KeyNoteKeyError('an INTEGER is not positive');
    let first = start;
    while (first < end && octets[first] === 0) first++;
    if (first === end) throw new KeyNoteKeyError('an INTEGER is zero');
    integers.push(octets.subarray(first, end));
    at = end;
  }
  if (at !== sequence.end) throw new KeyNoteKeyError(`the SEQUENCE holds more than ${count} INTEGERs`);
  return integers;
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

function readElement(octets: Buffer, at: number, limit: number, tag: number): Extent {
  if (octets[at] !== tag || at + 2 > limit) {
    throw new KeyNoteKeyError(`expected ${tag === 0x30 ? 'a SEQUENCE' : 'an INTEGER'} at octet ${at}`);
  }
  const length = octets[at + 1] ?? 0;
  let start = at + 2;
  let size = length;
  if (length >= 0x80) {
    const octetsOfLength = length - 0x80;
    if (octetsOfLength === 0 || octetsOfLength > 3 || start + octetsOfLength > limit) {
      throw new KeyNoteKeyError(`unusable length at octet ${at + 1}`);
    }
    size = octets.readUIntBE(start, octetsOfLength);
    start += octetsOfLength;
  }
  if (start + size > limit) throw new KeyNoteKeyError(`the element at octet ${at} is cut short`);
  return { start, end: start + size };
}
