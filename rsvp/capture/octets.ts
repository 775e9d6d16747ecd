/**
 * Big-endian numbers at a place in octets. The caller has checked that they are there; what is beyond
 * the end reads as 0 rather than as NaN, so that a mistake can't spread.
 */
export function u8(octets: Uint8Array, at: number): number {
  return octets[at] ?? 0;
}

export function u16(octets: Uint8Array, at: number): number {
  return (u8(octets, at) << 8) | u8(octets, at + 1);
}

export function u32(octets: Uint8Array, at: number): number {
  return (
    ((u8(octets, at) << 24) | (u8(octets, at + 1) << 16) | (u8(octets, at + 2) << 8) | u8(octets, at + 3)) >>>
    0
  );
}

export function u16le(octets: Uint8Array, at: number): number {
  return u8(octets, at) | (u8(octets, at + 1) << 8);
}

export function u32le(octets: Uint8Array, at: number): number {
  return ((u16le(octets, at + 2) << 16) | u16le(octets, at)) >>> 0;
}

export function putU16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 8;
  octets[at + 1] = value;
}

export function putU32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24;
  octets[at + 1] = value >>> 16;
  octets[at + 2] = value >>> 8;
  octets[at + 3] = value;
}

export const NO_OCTETS = new Uint8Array(0);

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equalOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
