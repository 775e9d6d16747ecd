import { u16, u8 } from './octets.js';

/** The ones' complement sum of 16-bit words (RFC 1071), not yet folded or complemented. */
export function sum16(octets: Uint8Array, start: number, end: number, initial = 0): number {
  let sum = initial;
  let at = start;
  for (; at + 1 < end; at += 2) sum += u16(octets, at);
  if (at < end) sum += u8(octets, at) << 8;
  return sum;
}

/** Folds the carries of a sum into its 16 bits. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}

/** The Internet checksum over octets whose checksum field is 0. */
export function internetChecksum(octets: Uint8Array, start = 0, end = octets.length, initial = 0): number {
  return ~fold(sum16(octets, start, end, initial)) & 0xffff;
}

/** The sum of a pseudo header (RFC 768, RFC 8200 8.1) for addresses of either family. */
export function pseudoHeaderSum(
  addresses: Uint8Array,
  start: number,
  end: number,
  protocol: number,
  length: number,
): number {
  return sum16(addresses, start, end, protocol + (length >>> 16) + (length & 0xffff));
}
