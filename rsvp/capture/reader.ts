import { damaged, type CaptureFormat, type Frame } from './frame.js';
import { OctetQueue } from './octet-queue.js';
import { u32 } from './octets.js';
import { PcapFormat, pcapVariant } from './pcap.js';
import { PcapngFormat, SECTION_HEADER } from './pcapng.js';

/**
 * Reads pcap and pcapng, told apart by content, as a stream: octets in, frames out. Memory is bounded by
 * the largest frame and the largest chunk.
 *
 * ```ts
 * reader.push(chunk); // or reader.end()
 * for (let frame = reader.next(); frame !== undefined; frame = reader.next()) ...
 * ```
 */
export class CaptureReader {
  readonly #queue = new OctetQueue();
  #format: CaptureFormat | undefined;
  #refused = false;

  push(chunk: Uint8Array): void {
    if (!this.#refused) this.#queue.push(chunk);
  }

  /** There are no more octets: `next()` then also tells of an unfinished record. */
  end(): void {
    this.#queue.ended = true;
  }

  /** The next frame; undefined where more octets are needed. */
  next(): Frame | undefined {
    if (this.#refused) return undefined;
    if (this.#format !== undefined) return this.#format.next(this.#queue);
    if (!this.#queue.has(4)) {
      return this.#queue.ended ? this.#refuse(`it has ${this.#queue.available} octets`) : undefined;
    }
    const magic = u32(this.#queue.octets, this.#queue.start);
    const variant = pcapVariant(magic);
    if (variant !== undefined) this.#format = new PcapFormat(variant);
    else if (magic === SECTION_HEADER) this.#format = new PcapngFormat();
    else return this.#refuse(`it begins with 0x${magic.toString(16).padStart(8, '0')}`);
    return this.#format.next(this.#queue);
  }

  #refuse(found: string): Frame {
    this.#refused = true;
    const message = `neither a pcap nor a pcapng file: ${found}`;
    return damaged(0, { code: 'format', message, where: 'file at octet 0' });
  }
}
