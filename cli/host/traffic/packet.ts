/*
 * A packet of test traffic, in UDP: "BDXT", 0, then the number of the stream, the packet's own, and when it was sent.
 *
 *  +-------------+-------------+-------------+-------------+
 *  |     'B'     |     'D'     |     'X'     |     'T'     |
 *  +-------------+-------------+-------------+-------------+
 *  |                    Stream (32 bits)                   |
 *  +-------------+-------------+-------------+-------------+
 *  |               Sequence number (32 bits)               |
 *  +-------------+-------------+-------------+-------------+
 *  |  Microseconds of the sender's clock (32 bits, wraps)  |
 *  +-------------+-------------+-------------+-------------+
 *  |                 zeros, up to the size                 |
 */
const MAGIC = 0x42445854;
export const TEST_HEADER = 16;

export interface TestPacket {
  /** Random, one a sender: a restarted one is another. */
  readonly stream: number;
  readonly sequence: number;
  readonly micros: number;
}

export function encodeTestPacket({ stream, sequence, micros }: TestPacket, size: number): Buffer {
  const octets = Buffer.alloc(Math.max(size, TEST_HEADER));
  octets.writeUInt32BE(MAGIC, 0);
  octets.writeUInt32BE(stream >>> 0, 4);
  octets.writeUInt32BE(sequence >>> 0, 8);
  octets.writeUInt32BE(micros >>> 0, 12);
  return octets;
}

/** Undefined: it is something else. */
export function decodeTestPacket(octets: Buffer): TestPacket | undefined {
  if (octets.length < TEST_HEADER || octets.readUInt32BE(0) !== MAGIC) return undefined;
  return {
    stream: octets.readUInt32BE(4),
    sequence: octets.readUInt32BE(8),
    micros: octets.readUInt32BE(12),
  };
}

/** Octets of the IP and UDP headers: reservations count whole IP packets (RFC 2215 3.6). */
export function headersOf(address: string): number {
  return (address.includes(':') ? 40 : 20) + 8;
}
