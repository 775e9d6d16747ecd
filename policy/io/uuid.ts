import { randomFillSync } from 'node:crypto';

const octets = Buffer.alloc(16);

/**
 * A UUID of version 7 (RFC 9562 5.7): a time in milliseconds, then random bits. What is made later sorts later, so that
 * rows which are named so are written next to each other.
 */
export function uuidV7(now: number): string {
  randomFillSync(octets, 6);
  octets.writeUIntBE(now, 0, 6);
  octets[6] = 0x70 | ((octets[6] ?? 0) & 0x0f);
  octets[8] = 0x80 | ((octets[8] ?? 0) & 0x3f);
  const hex = octets.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
