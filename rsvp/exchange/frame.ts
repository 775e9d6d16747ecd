import { checkChecksum, checksumOf } from '../wire/index.js';
import { Drop } from './effect.js';

const HEADER = 8;
export const BUNDLE = 12;

/** One message out of octets that somebody sent: its common header checked (RFC 2205 3.1.1), cut to RSVP Length. */
export function frame(octets: Uint8Array): Uint8Array | Drop {
  if (octets.length < HEADER)
    return new Drop('truncated', `${octets.length} octets, expected a common header of ${HEADER}`);
  const version = (octets[0] as number) >> 4;
  if (version !== 1) return new Drop('bad-version', `version ${version}, expected 1 (RFC 2205 3.1.1)`);
  const length = u16(octets, 6);
  if (length > octets.length)
    return new Drop('truncated', `${octets.length} octets, expected RSVP Length ${length}`);
  if (length < HEADER || (length & 3) !== 0)
    return new Drop('bad-length', `RSVP Length ${length}, expected a multiple of 4 from ${HEADER} on`);
  const message = octets.subarray(0, length);
  if (checkChecksum(message) === 'wrong') {
    const stated = u16(message, 2);
    return new Drop('bad-checksum', `checksum ${hex(stated)}, expected ${hex(expected(message, stated))}`);
  }
  return message;
}

/**
 * The messages of a Bundle that `frame` has looked at. Its shape is checked as a whole before any of them is looked at: one
 * that is broken has no effect, and a Bundle in a Bundle breaks it (RFC 2961 3.2).
 */
export function partsOf(bundle: Uint8Array): Uint8Array[] | Drop {
  const parts: Uint8Array[] = [];
  let at = HEADER;
  while (at < bundle.length) {
    const length = bundle.length - at < HEADER ? 0 : u16(bundle, at + 6);
    if (length < HEADER || (length & 3) !== 0 || at + length > bundle.length)
      return new Drop('bad-bundle', `a part at octet ${at} that does not fit the Bundle (RFC 2961 3.2)`);
    if (bundle[at + 1] === BUNDLE)
      return new Drop('bad-bundle', `a Bundle in a Bundle at octet ${at} (RFC 2961 3.2)`);
    parts.push(bundle.subarray(at, at + length));
    at += length;
  }
  return parts.length > 0 ? parts : new Drop('bad-bundle', 'an empty Bundle (RFC 2961 3.2)');
}

function u16(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}

/** What the checksum field should have been: the sum without it. */
function expected(message: Uint8Array, stated: number): number {
  const sum = (~checksumOf(message) & 0xffff) + (~stated & 0xffff);
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}
