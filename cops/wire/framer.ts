import { COPS_VERSION, ERROR } from './codes.js';
import { fault } from './fault.js';
import type { Fault } from './fault.js';

const HEADER = 8;

/**
 * Finds COPS messages in a stream (RFC 2748 2.1). Nothing is copied while whole messages arrive; the beginning of one
 * is kept until the rest is here, in a buffer that grows with what has arrived, never with what a length claims.
 *
 *     framer.feed(chunk);
 *     while (framer.next()) read(framer.octets, framer.start, framer.end);
 *     if (framer.fault !== undefined) ... // the boundaries are lost: nothing more can be read
 *
 * The octets of a message are valid until the next call.
 */
export class Framer {
  octets: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  fault: Fault | undefined;

  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #partial: Uint8Array = EMPTY;
  #have = 0;

  /** `maxLength`: messages longer than this end the connection. */
  constructor(readonly maxLength: number) {}

  /** Is the beginning of a message waiting for its rest? */
  get waiting(): boolean {
    return this.#have > 0;
  }

  /** Octets given and not yet read as messages. */
  get left(): number {
    return this.#have + this.#chunk.length - this.#at;
  }

  /** The chunk before must have been read to its end. */
  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  next(): boolean {
    if (this.fault !== undefined) return false;
    if (this.#have > 0) return this.#complete();
    const at = this.#at;
    const left = this.#chunk.length - at;
    if (left >= HEADER) {
      const length = this.#lengthAt(this.#chunk, at);
      if (length === 0) return false;
      if (length <= left) {
        this.octets = this.#chunk;
        this.start = at;
        this.end = this.#at = at + length;
        return true;
      }
    }
    this.#keep(left);
    return false;
  }

  /** Goes on with a message whose beginning came earlier. */
  #complete(): boolean {
    if (this.#have < HEADER) this.#keep(Math.min(HEADER - this.#have, this.#chunk.length - this.#at));
    if (this.#have < HEADER) return false;
    const length = this.#lengthAt(this.#partial, 0);
    if (length === 0) return false;
    this.#keep(Math.min(length - this.#have, this.#chunk.length - this.#at));
    if (this.#have < length) return false;
    this.octets = this.#partial;
    this.start = 0;
    this.end = length;
    this.#partial = EMPTY;
    this.#have = 0;
    return true;
  }

  #keep(size: number): void {
    if (size > 0) {
      const needed = this.#have + size;
      if (needed > this.#partial.length) {
        const larger = new Uint8Array(Math.max(needed, 2 * this.#partial.length, 64));
        larger.set(this.#partial.subarray(0, this.#have));
        this.#partial = larger;
      }
      this.#partial.set(this.#chunk.subarray(this.#at, this.#at + size), this.#have);
      this.#have = needed;
      this.#at += size;
    }
    // The chunk is not held any longer than needed.
    if (this.#at === this.#chunk.length) this.feed(EMPTY);
  }

  /** Message Length of the header at `at`; 0 after noting a fault. */
  #lengthAt(octets: Uint8Array, at: number): number {
    const version = (octets[at] as number) >> 4;
    const length =
      (((octets[at + 4] as number) << 24) |
        ((octets[at + 5] as number) << 16) |
        ((octets[at + 6] as number) << 8) |
        (octets[at + 7] as number)) >>>
      0;
    if (version === COPS_VERSION && length >= HEADER && (length & 3) === 0 && length <= this.maxLength)
      return length;
    this.octets = octets;
    this.start = at;
    this.end = at + HEADER;
    const problem =
      version !== COPS_VERSION
        ? `version ${version}, expected version 1`
        : length < HEADER
          ? `Message Length ${length}, expected at least ${HEADER}`
          : length > this.maxLength
            ? `Message Length ${length}, expected at most ${this.maxLength}`
            : `Message Length ${length}, expected a multiple of 4`;
    this.fault = fault(ERROR.badMessageFormat, `common header: ${problem} (RFC 2748 2.1)`);
    return 0;
  }
}

const EMPTY = new Uint8Array(0);
