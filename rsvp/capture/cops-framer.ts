import { NO_FAULTS, type Fault } from './fault.js';
import { concat, NO_OCTETS, u16, u32, u8 } from './octets.js';

/** A COPS message cut out of a stream, or the octets that are in the way of one. */
export interface CopsCut {
  /** `fault`: no message; the octets, if any, are the beginning of one. */
  readonly kind: 'cops' | 'fault';
  readonly octets: Uint8Array;
  /** The frames it came in, in the order of the stream. */
  readonly frames: readonly number[];
  readonly faults: readonly Fault[];
}

/** Octets that are being cut, from `at` on. */
interface Run {
  readonly octets: Uint8Array;
  at: number;
  readonly end: number;
}

const HEADER = 8;
/** More than COPS objects of 64 kB each need; a longer length is no length. */
const LONGEST_MESSAGE = 1 << 20;
/** A header and the header of its first object, by which a message is known out of step. */
const FIRST_OBJECT = HEADER + 4;

/**
 * Cuts a stream of octets in order into COPS messages (RFC 2748 2.1): views where a message lies in one
 * piece, copies where it was sent in several. After a gap, or when it starts within a message, it looks for
 * the next octets that make a message header with an object behind it.
 */
export class CopsFramer {
  #parts: Uint8Array[] = [];
  #size = 0;
  #frames: number[] = [];
  /** The octets that the message needs, as far as is known. */
  #wanted = HEADER;
  #inStep: boolean;
  #skipped = 0;

  /** @param inStep the next octet begins a message: the stream is read from its beginning. */
  constructor(inStep: boolean) {
    this.#inStep = inStep;
  }

  /** Octets that wait for the rest of their message. */
  get waiting(): number {
    return this.#size;
  }

  /** Octets of the stream, in order. */
  push(octets: Uint8Array, start: number, end: number, frame: number, out: CopsCut[]): void {
    let run: Run = { octets, at: start, end };
    while (run.at < run.end) {
      if (!this.#inStep) run = this.#search(run, frame);
      else if (this.#size === 0) run.at = this.#whole(run, frame, out);
      else run.at = this.#partial(run, frame, out);
    }
  }

  /** Octets are missing, or the stream ends: what was begun can't become a message. */
  interrupt(fault: Fault, out: CopsCut[]): void {
    const octets = concat(this.#parts);
    const faults = octets.length > 0 && this.#inStep ? [fault, this.#incomplete(octets)] : [fault];
    out.push({ kind: 'fault', octets, frames: this.#frames, faults });
    this.#forget();
    this.#inStep = false;
  }

  /** The stream ended: what was begun, if anything. */
  finish(out: CopsCut[]): void {
    if (this.#size > 0 && this.#inStep) {
      const octets = concat(this.#parts);
      out.push({ kind: 'fault', octets, frames: this.#frames, faults: [this.#incomplete(octets)] });
    } else if (this.#skipped + this.#size > 0) {
      out.push({
        kind: 'fault',
        octets: NO_OCTETS,
        frames: this.#frames,
        faults: this.#passedOver(this.#size),
      });
    }
    this.#forget();
    this.#skipped = 0;
  }

  /** A message that lies in one piece, or the first part of one that does not; returns where to go on. */
  #whole({ octets, at, end }: Run, frame: number, out: CopsCut[]): number {
    if (end - at >= HEADER) {
      const length = messageLength(octets, at);
      if (length === undefined) {
        this.#outOfStep(octets.subarray(at, at + HEADER), frame, out);
        return at + 1;
      }
      if (at + length <= end) {
        this.#emit(octets.subarray(at, at + length), [frame], out);
        return at + length;
      }
      this.#wanted = length;
    }
    this.#keep(octets, at, end, frame);
    return end;
  }

  /** The next part of a message. */
  #partial({ octets, at, end }: Run, frame: number, out: CopsCut[]): number {
    const next = at + Math.min(end - at, this.#wanted - this.#size);
    this.#keep(octets, at, next, frame);
    if (this.#size < this.#wanted) return end;
    const message = concat(this.#parts);
    const frames = this.#frames;
    const length = messageLength(message, 0);
    if (length === undefined) {
      this.#forget();
      this.#outOfStep(message, frame, out);
      this.#keep(message, 1, HEADER, frame);
    } else if (length > message.length) {
      this.#wanted = length;
      this.#parts = [message];
    } else {
      this.#forget();
      this.#emit(message, frames, out);
    }
    return next;
  }

  #outOfStep(header: Uint8Array, frame: number, out: CopsCut[]): void {
    const message = `a message header with a length of ${u32(header, 4)}, 8 to ${LONGEST_MESSAGE} was expected (RFC 2748 2.1)`;
    const fault: Fault = { code: 'framing', message, where: 'COPS header at octet 4' };
    out.push({ kind: 'fault', octets: header, frames: [frame], faults: [fault] });
    this.#inStep = false;
  }

  /** Looks for a message header in what was kept of the last look and the new octets. */
  #search(run: Run, frame: number): Run {
    let { octets, at, end } = run;
    if (this.#size > 0) {
      octets = concat([...this.#parts, octets.subarray(at, end)]);
      at = 0;
      end = octets.length;
      this.#forget();
    }
    const from = at;
    while (at + FIRST_OBJECT <= end && !believable(octets, at)) at += 1;
    this.#skipped += at - from;
    this.#inStep = at + FIRST_OBJECT <= end;
    if (this.#inStep) return { octets, at, end };
    this.#keep(octets, at, end, frame);
    return { octets, at: end, end };
  }

  #keep(octets: Uint8Array, start: number, end: number, frame: number): void {
    if (this.#frames.at(-1) !== frame) this.#frames.push(frame);
    // A copy: a view would keep the chunk of the file in memory.
    this.#parts.push(new Uint8Array(octets.subarray(start, end)));
    this.#size += end - start;
    // One octet a segment is no reason to keep a hundred octets of bookkeeping each.
    if (this.#parts.length >= 256) this.#parts = [concat(this.#parts)];
  }

  #emit(octets: Uint8Array, frames: readonly number[], out: CopsCut[]): void {
    const faults = this.#skipped > 0 ? this.#passedOver(0) : NO_FAULTS;
    this.#skipped = 0;
    out.push({ kind: 'cops', octets, frames, faults });
  }

  #passedOver(more: number): Fault[] {
    const message = `${this.#skipped + more} octets were passed over to find the beginning of a message`;
    return [{ code: 'stream-sync', message, where: 'TCP stream' }];
  }

  #incomplete(octets: Uint8Array): Fault {
    const wanted = octets.length < HEADER ? `a header's ${HEADER}` : `a message's ${u32(octets, 4)}`;
    const message = `the stream breaks off after ${octets.length} of ${wanted} octets`;
    return { code: 'truncated', message, where: `COPS message at octet ${octets.length}` };
  }

  #forget(): void {
    this.#parts = [];
    this.#size = 0;
    this.#frames = [];
    this.#wanted = HEADER;
  }
}

/** The length of the message that begins here; undefined where nothing can be cut at it. */
function messageLength(octets: Uint8Array, at: number): number | undefined {
  const length = u32(octets, at + 4);
  if (length < HEADER || length > LONGEST_MESSAGE) return undefined;
  const version = u8(octets, at) >>> 4;
  return version === 1 || length % 4 === 0 ? length : undefined;
}

/** Is this, out of step, a message header: version 1, a known operation, a length, an object that fits? */
function believable(octets: Uint8Array, at: number): boolean {
  const length = u32(octets, at + 4);
  const operation = u8(octets, at + 1);
  if (u8(octets, at) >>> 1 !== 0x08 || operation < 1 || operation > 10) return false;
  if (length % 4 !== 0 || length > LONGEST_MESSAGE) return false;
  if (length === HEADER) return operation === 9;
  const object = u16(octets, at + HEADER);
  const cNum = u8(octets, at + HEADER + 2);
  return object >= 4 && HEADER + object <= length && cNum >= 1 && cNum <= 16;
}
