import { concat, NO_OCTETS } from './octets.js';

/**
 * Chunks of any size in, contiguous octets out. The window `octets[start..end)` lies in the chunk
 * itself where it can; only what straddles two chunks is copied, and once: chunks of one octet do not
 * cost a copy each.
 */
export class OctetQueue {
  octets: Uint8Array = NO_OCTETS;
  start = 0;
  end = 0;
  /** No more octets will come. */
  ended = false;
  #waiting: Uint8Array[] = [];
  #waitingSize = 0;
  #toSkip = 0;
  /** Where `octets[0]` lies in the stream. */
  #base = 0;

  /** Where the window starts in the stream. */
  get position(): number {
    return this.#base + this.start;
  }

  get available(): number {
    return this.end - this.start + this.#waitingSize;
  }

  /** Octets that were skipped and have not come yet. */
  get missing(): number {
    return this.#toSkip;
  }

  forgive(): void {
    this.#toSkip = 0;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    // A Buffer's `slice` and `subarray` are not a Uint8Array's: behind this line there are no Buffers.
    this.#waiting.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#waitingSize += chunk.length;
    this.#discard();
  }

  /** Are `count` octets there? If so, the window holds them. */
  has(count: number): boolean {
    if (this.end - this.start >= count) return true;
    if (this.available < count) return false;
    this.#join();
    return true;
  }

  /** Drops octets, now or when they come. */
  skip(count: number): void {
    this.#toSkip += count;
    this.#discard();
  }

  /** Everything that is there becomes the window. */
  all(): void {
    this.#join();
  }

  #join(): void {
    if (this.#waiting.length === 0) return;
    const rest = this.octets.subarray(this.start, this.end);
    const [first] = this.#waiting;
    const base = this.position;
    this.octets =
      rest.length === 0 && this.#waiting.length === 1 && first !== undefined
        ? first
        : concat([rest, ...this.#waiting]);
    this.#base = base;
    this.start = 0;
    this.end = this.octets.length;
    this.#waiting = [];
    this.#waitingSize = 0;
  }

  #discard(): void {
    if (this.#toSkip === 0) return;
    if (this.end - this.start < this.#toSkip) this.#join();
    const now = Math.min(this.#toSkip, this.end - this.start);
    this.start += now;
    this.#toSkip -= now;
  }
}
