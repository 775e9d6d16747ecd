import { damaged, LARGEST_FRAME, type CaptureFormat, type Frame } from './frame.js';
import type { OctetQueue } from './octet-queue.js';
import { u32, u32le } from './octets.js';

/*
 * pcap (draft-ietf-opsawg-pcap): a header of 24 octets, then records of a header of 16 octets and the packet.
 *
 *   magic a1b2c3d4 | version | 0 | 0 | snap length | FCS and link type
 *   seconds | micro- or nanoseconds | captured length | original length | octets ...
 *
 * The magic is written in the byte order of the writing host and tells it and the unit of the fraction.
 */
const FILE_HEADER = 24;

interface PcapVariant {
  readonly littleEndian: boolean;
  /** Nanoseconds in one unit of the fraction. */
  readonly unit: number;
  /** Octets of a record header: Kuznetzov's modified form has eight more. */
  readonly recordHeader: number;
}

/** The variant that a file's first four octets name, read as big-endian. */
export function pcapVariant(magic: number): PcapVariant | undefined {
  switch (magic) {
    case 0xa1b2c3d4:
      return { littleEndian: false, unit: 1000, recordHeader: 16 };
    case 0xd4c3b2a1:
      return { littleEndian: true, unit: 1000, recordHeader: 16 };
    case 0xa1b23c4d:
      return { littleEndian: false, unit: 1, recordHeader: 16 };
    case 0x4d3cb2a1:
      return { littleEndian: true, unit: 1, recordHeader: 16 };
    case 0xa1b2cd34:
      return { littleEndian: false, unit: 1000, recordHeader: 24 };
    case 0x34cdb2a1:
      return { littleEndian: true, unit: 1000, recordHeader: 24 };
    default:
      return undefined;
  }
}

/** Packets further apart than this do not follow each other, when looking for records in garbage. */
const BELIEVABLE_SECONDS = 86_400;

export class PcapFormat implements CaptureFormat {
  readonly #variant: PcapVariant;
  readonly #fractionLimit: number;
  #linkType: number | undefined;
  #count = 0;
  #lastSeconds: number | undefined;
  /** The file is damaged here; looking for the next believable record. */
  #lost = false;

  constructor(variant: PcapVariant) {
    this.#variant = variant;
    this.#fractionLimit = 1e9 / variant.unit;
  }

  next(queue: OctetQueue): Frame | undefined {
    if (this.#linkType === undefined) {
      if (!queue.has(FILE_HEADER)) return this.#cutShort(queue, FILE_HEADER);
      // The upper half says whether frames end in a check sequence, which the IP length leaves out anyway.
      this.#linkType = this.#u32(queue.octets, queue.start + 20) & 0xffff;
      queue.skip(FILE_HEADER);
    }
    if (this.#lost && !this.#seek(queue)) return undefined;
    const header = this.#variant.recordHeader;
    if (!queue.has(header)) return this.#cutShort(queue, header);
    const captured = this.#u32(queue.octets, queue.start + 8);
    const original = this.#u32(queue.octets, queue.start + 12);
    const fraction = this.#u32(queue.octets, queue.start + 4);
    if (captured > LARGEST_FRAME || (captured > original && fraction >= this.#fractionLimit)) {
      return this.#damage(queue, 'format', `a record claims to hold ${captured} of ${original} octets`);
    }
    if (!queue.has(header + captured)) return this.#cutShort(queue, header + captured);
    const { octets, start } = queue;
    const seconds = this.#u32(octets, start);
    this.#lastSeconds = seconds;
    // A fraction of a second or more is no capture's, but a sum has only one meaning.
    const carry = Math.floor(fraction / this.#fractionLimit);
    const nanoseconds = (fraction % this.#fractionLimit) * this.#variant.unit;
    queue.skip(header + captured);
    return {
      number: ++this.#count,
      time: { seconds: seconds + carry, nanoseconds },
      linkType: this.#linkType,
      octets,
      start: start + header,
      end: start + header + captured,
      originalLength: Math.max(captured, original),
      fault: undefined,
    };
  }

  #cutShort(queue: OctetQueue, wanted: number): Frame | undefined {
    if (!queue.ended || queue.available === 0) return undefined;
    const message = `the file is cut short: ${queue.available} of a record's ${wanted} octets`;
    return this.#damage(queue, 'cut-short', message);
  }

  /** Says so, and steps over one octet, to look for the next record behind it. */
  #damage(queue: OctetQueue, code: 'format' | 'cut-short', message: string): Frame {
    const where = `file at octet ${queue.position}`;
    this.#lost = true;
    queue.skip(1);
    return damaged(++this.#count, { code, message, where });
  }

  /** Moves to the next octet where a record begins; false while there is none. */
  #seek(queue: OctetQueue): boolean {
    queue.all();
    const { octets, start, end } = queue;
    let at = start;
    let verdict: boolean | undefined = false;
    for (; at + this.#variant.recordHeader <= end; at++) {
      verdict = this.#recordAt(octets, at, end, queue.ended);
      if (verdict !== false) break;
    }
    if (verdict === true) this.#lost = false;
    queue.skip((queue.ended && verdict !== true ? end : at) - start);
    return verdict === true;
  }

  /** Does a record begin here: one that is followed by another, or by the end of the file? */
  #recordAt(octets: Uint8Array, at: number, end: number, ended: boolean): boolean | undefined {
    if (!this.#headerAt(octets, at)) return false;
    const { recordHeader } = this.#variant;
    const next = at + recordHeader + this.#u32(octets, at + 8);
    if (next + recordHeader <= end) return this.#headerAt(octets, next);
    return ended ? next === end : undefined;
  }

  #headerAt(octets: Uint8Array, at: number): boolean {
    const captured = this.#u32(octets, at + 8);
    const original = this.#u32(octets, at + 12);
    const seconds = this.#u32(octets, at);
    return (
      captured > 0 &&
      captured <= original &&
      original <= LARGEST_FRAME &&
      this.#u32(octets, at + 4) < this.#fractionLimit &&
      Math.abs(seconds - (this.#lastSeconds ?? seconds)) < BELIEVABLE_SECONDS
    );
  }

  #u32(octets: Uint8Array, at: number): number {
    return this.#variant.littleEndian ? u32le(octets, at) : u32(octets, at);
  }
}
