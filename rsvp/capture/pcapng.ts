import { damaged, LARGEST_FRAME, type CaptureFormat, type Frame } from './frame.js';
import type { OctetQueue } from './octet-queue.js';
import { u16, u16le, u32, u32le, u8 } from './octets.js';
import { clockOf, timestampOf, type Clock } from './time.js';

/*
 * pcapng (draft-ietf-opsawg-pcapng): blocks of
 *
 *   type | total length | body, padded to 32 bits | total length again
 *
 * A Section Header begins a section, in its own byte order and with its own interfaces.
 */
export const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const BLOCK_FRAME = 12;
/** Options of a packet and of an interface fit in this; a longer block of a kind we read is damage. */
const LARGEST_BLOCK = LARGEST_FRAME + (1 << 18);

const OPTION_END = 0;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;

const MICROSECONDS = 1_000_000n;
/** Nobody has so many; a file that goes on describing interfaces is not listened to. */
const MOST_INTERFACES = 1 << 16;

interface Interface {
  readonly linkType: number;
  /** 0 is without limit. */
  readonly snapLength: number;
  readonly clock: Clock;
}

/** Where a packet block holds what. */
interface PacketBlock {
  readonly interfaceId: number;
  readonly time: readonly [high: number, low: number] | undefined;
  readonly captured: number;
  readonly original: number;
  readonly start: number;
}

export class PcapngFormat implements CaptureFormat {
  #littleEndian = false;
  #interfaces: Interface[] = [];
  #count = 0;
  #lost = false;

  next(queue: OctetQueue): Frame | undefined {
    for (;;) {
      if (this.#lost && !this.#seek(queue)) return undefined;
      if (!queue.has(BLOCK_FRAME)) return this.#cutShort(queue, BLOCK_FRAME);
      const type = this.#u32(queue.octets, queue.start);
      if (type === SECTION_HEADER && !this.#byteOrder(queue)) {
        return this.#damage(queue, 'a section header without the byte-order magic');
      }
      const length = this.#u32(queue.octets, queue.start + 4);
      if (length < BLOCK_FRAME || length % 4 !== 0) {
        return this.#damage(queue, `a block of type ${type} has a total length of ${length}`);
      }
      if (!isRead(type)) {
        queue.skip(length);
        continue;
      }
      if (length > LARGEST_BLOCK) {
        return this.#damage(queue, `a block of type ${type} has a total length of ${length}`);
      }
      if (!queue.has(length)) return this.#cutShort(queue, length);
      const trailing = this.#u32(queue.octets, queue.start + length - 4);
      if (trailing !== length) {
        return this.#damage(
          queue,
          `a block begins with a total length of ${length} and ends with ${trailing}`,
        );
      }
      const frame = this.#block(type, queue, queue.start + 8, queue.start + length - 4);
      queue.skip(length);
      if (frame !== undefined) return frame;
    }
  }

  #block(type: number, queue: OctetQueue, start: number, end: number): Frame | undefined {
    switch (type) {
      case SECTION_HEADER:
        this.#interfaces = [];
        return undefined;
      case INTERFACE_DESCRIPTION:
        if (end - start < 8) return this.#fault(queue, 'an interface description without a body');
        if (this.#interfaces.length === MOST_INTERFACES) return this.#fault(queue, 'too many interfaces');
        this.#interfaces.push(this.#interface(queue.octets, start, end));
        return undefined;
      default:
        return this.#packet(type, queue, start, end);
    }
  }

  #packet(type: number, queue: OctetQueue, start: number, end: number): Frame | undefined {
    const { octets } = queue;
    const packet = this.#packetBlock(type, octets, start, end);
    if (packet === undefined) return this.#fault(queue, `a packet block of ${end - start} octets`);
    const from = this.#interfaces[packet.interfaceId];
    if (from === undefined) {
      return this.#fault(queue, `a packet of interface ${packet.interfaceId}, which no block describes`);
    }
    const captured =
      type === SIMPLE_PACKET && from.snapLength > 0
        ? Math.min(packet.captured, from.snapLength)
        : packet.captured;
    if (packet.start + captured > end) {
      return this.#fault(queue, `a packet block claims ${captured} octets and has ${end - packet.start}`);
    }
    return {
      number: ++this.#count,
      time: packet.time && timestampOf(packet.time[0], packet.time[1], from.clock),
      linkType: from.linkType,
      octets,
      start: packet.start,
      end: packet.start + captured,
      originalLength: Math.max(captured, packet.original),
      fault: undefined,
    };
  }

  #packetBlock(type: number, octets: Uint8Array, at: number, end: number): PacketBlock | undefined {
    if (type === SIMPLE_PACKET) {
      if (end - at < 4) return undefined;
      const original = this.#u32(octets, at);
      const captured = Math.min(original, end - at - 4);
      return { interfaceId: 0, time: undefined, captured, original, start: at + 4 };
    }
    if (end - at < 20) return undefined;
    return {
      interfaceId: type === OLD_PACKET ? this.#u16(octets, at) : this.#u32(octets, at),
      time: [this.#u32(octets, at + 4), this.#u32(octets, at + 8)],
      captured: this.#u32(octets, at + 12),
      original: this.#u32(octets, at + 16),
      start: at + 20,
    };
  }

  #interface(octets: Uint8Array, start: number, end: number): Interface {
    const linkType = this.#u16(octets, start);
    const snapLength = this.#u32(octets, start + 4);
    let unitsPerSecond = MICROSECONDS;
    let offset = 0;
    for (let at = start + 8; at + 4 <= end;) {
      const code = this.#u16(octets, at);
      const length = this.#u16(octets, at + 2);
      if (code === OPTION_END || at + 4 + length > end) break;
      if (code === IF_TSRESOL && length === 1) unitsPerSecond = resolution(u8(octets, at + 4));
      if (code === IF_TSOFFSET && length === 8) offset = this.#seconds(octets, at + 4);
      at += 4 + Math.ceil(length / 4) * 4;
    }
    return { linkType, snapLength, clock: clockOf(unitsPerSecond, offset) };
  }

  /** A signed number of 64 bits in this section's byte order. */
  #seconds(octets: Uint8Array, at: number): number {
    const first = this.#u32(octets, at);
    const second = this.#u32(octets, at + 4);
    const [high, low] = this.#littleEndian ? [second, first] : [first, second];
    return (high | 0) * 0x1_0000_0000 + low;
  }

  /** Takes the byte order from a section header; false where it has none. */
  #byteOrder({ octets, start }: OctetQueue): boolean {
    if (u32(octets, start + 8) === BYTE_ORDER_MAGIC) this.#littleEndian = false;
    else if (u32le(octets, start + 8) === BYTE_ORDER_MAGIC) this.#littleEndian = true;
    else return false;
    return true;
  }

  #cutShort(queue: OctetQueue, wanted: number): Frame | undefined {
    if (!queue.ended || (queue.available === 0 && queue.missing === 0)) return undefined;
    if (queue.missing > 0) {
      const message = `the file is cut short: ${queue.missing} octets of its last block are missing`;
      queue.forgive();
      return this.#fault(queue, message, 'cut-short');
    }
    return this.#damage(
      queue,
      `the file is cut short: ${queue.available} of a block's ${wanted} octets`,
      'cut-short',
    );
  }

  /** A block that is whole but makes no sense: it counts as a packet, and the next block follows. */
  #fault(queue: OctetQueue, message: string, code: 'format' | 'cut-short' = 'format'): Frame {
    const where = `file at octet ${queue.position}`;
    return damaged(++this.#count, { code, message, where });
  }

  /** Where the next block is can't be told: it is looked for. */
  #damage(queue: OctetQueue, message: string, code: 'format' | 'cut-short' = 'format'): Frame {
    const where = `file at octet ${queue.position}`;
    this.#lost = true;
    queue.skip(4);
    return damaged(++this.#count, { code, message, where });
  }

  /** Moves to the next block of a kind we read whose two lengths agree; false while there is none. */
  #seek(queue: OctetQueue): boolean {
    queue.all();
    const { octets, start, end } = queue;
    let at = start;
    let verdict: boolean | undefined = false;
    for (; at + BLOCK_FRAME <= end; at += 4) {
      verdict = this.#blockAt(octets, at, end);
      if (verdict === true || (verdict === undefined && !queue.ended)) break;
    }
    if (verdict === true) this.#lost = false;
    queue.skip((queue.ended && verdict !== true ? end : Math.min(at, end)) - start);
    return verdict === true;
  }

  #blockAt(octets: Uint8Array, at: number, end: number): boolean | undefined {
    const type = this.#u32(octets, at);
    if (!isRead(type)) return false;
    if (type === SECTION_HEADER) {
      return u32(octets, at + 8) === BYTE_ORDER_MAGIC || u32le(octets, at + 8) === BYTE_ORDER_MAGIC;
    }
    const length = this.#u32(octets, at + 4);
    if (length < BLOCK_FRAME || length % 4 !== 0 || length > LARGEST_BLOCK) return false;
    return at + length > end ? undefined : this.#u32(octets, at + length - 4) === length;
  }

  #u16(octets: Uint8Array, at: number): number {
    return this.#littleEndian ? u16le(octets, at) : u16(octets, at);
  }

  #u32(octets: Uint8Array, at: number): number {
    return this.#littleEndian ? u32le(octets, at) : u32(octets, at);
  }
}

function isRead(type: number): boolean {
  return (
    type === ENHANCED_PACKET ||
    type === INTERFACE_DESCRIPTION ||
    type === SECTION_HEADER ||
    type === SIMPLE_PACKET ||
    type === OLD_PACKET
  );
}

/** if_tsresol: a negative power of 10, or of 2 where the highest bit is set. */
function resolution(octet: number): bigint {
  return (octet & 0x80) !== 0 ? 2n ** BigInt(octet & 0x7f) : 10n ** BigInt(octet);
}
