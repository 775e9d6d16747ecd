import type { CopsCut } from './cops-framer.js';
import { CopsFramer } from './cops-framer.js';
import type { Fault } from './fault.js';

/** What a TCP segment brings to its stream. */
export interface Segment {
  readonly sequence: number;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly octets: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly frame: number;
  /** Seconds; undefined where the capture has no time. */
  readonly time: number | undefined;
}

/** How long the segments behind a gap wait for it to be filled. */
export interface GapLimits {
  readonly octets: number;
  readonly segments: number;
  /** Seconds of capture time. */
  readonly seconds: number;
}

const DEFAULTS: GapLimits = { octets: 1 << 18, segments: 1024, seconds: 10 };

interface Held {
  readonly sequence: number;
  readonly octets: Uint8Array;
  readonly frame: number;
}

/**
 * One direction of a TCP connection: segments in any order, COPS messages in the order of the stream.
 * Sequence numbers are compared modulo 2^32 (RFC 9293 3.4). Where segments overlap, the octets that were
 * put in order first stay. A gap is waited for within limits, then it is said and stepped over.
 */
export class TcpStream {
  readonly #limits: GapLimits;
  #framer: CopsFramer;
  /** The next sequence number; undefined until the first segment. */
  #next: number | undefined;
  /** Segments behind a gap, in order of their sequence numbers. */
  #held: Held[] = [];
  #heldOctets = 0;
  #gapSince: number | undefined;
  #closing: number | undefined;

  constructor(limits: Partial<GapLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
    this.#framer = new CopsFramer(false);
  }

  /** Takes a segment; returns whether the stream is over. */
  push(segment: Segment, out: CopsCut[]): boolean {
    let { sequence } = segment;
    if (segment.syn) {
      sequence = (sequence + 1) >>> 0;
      if (this.#next === undefined || distance(this.#next, sequence) !== 0) this.#restart(sequence, out);
    }
    this.#next ??= sequence;
    if (segment.end > segment.start) this.#data(sequence, segment, out);
    if (segment.fin) this.#closing = (sequence + segment.end - segment.start) >>> 0;
    if (segment.rst || this.#closing === this.#next) {
      this.end(out);
      return true;
    }
    return false;
  }

  /** The connection or the capture is over: what still waits is given out, gaps are said. */
  end(out: CopsCut[]): void {
    while (this.#held.length > 0) this.#jump(out);
    this.#framer.finish(out);
  }

  /** Octets that wait for a gap to be filled or a message to be whole. */
  get waiting(): number {
    return this.#heldOctets + this.#framer.waiting;
  }

  #restart(next: number, out: CopsCut[]): void {
    if (this.#next !== undefined) {
      // A retransmitted SYN of a connection whose data is already here changes nothing.
      const ahead = distance(next, this.#next);
      if (ahead > 0 && ahead < 0x1_0000) return;
      this.end(out);
    }
    this.#framer = new CopsFramer(true);
    this.#next = next;
    this.#closing = undefined;
  }

  #data(sequence: number, segment: Segment, out: CopsCut[]): void {
    const ahead = distance(this.#next ?? sequence, sequence);
    if (ahead > 0) {
      this.#hold(sequence, segment);
      if (this.#patienceIsOver(segment.time)) this.#jump(out);
      return;
    }
    const start = segment.start - ahead;
    if (start >= segment.end) return;
    this.#deliver(segment.octets, start, segment.end, segment.frame, out);
    if (this.#held.length > 0) this.#release(out);
  }

  #deliver(octets: Uint8Array, start: number, end: number, frame: number, out: CopsCut[]): void {
    this.#next = ((this.#next ?? 0) + end - start) >>> 0;
    this.#framer.push(octets, start, end, frame, out);
  }

  #hold(sequence: number, { octets, start, end, frame, time }: Segment): void {
    const next = this.#next ?? sequence;
    let at = this.#held.length;
    while (at > 0 && distance(next, this.#held[at - 1]?.sequence ?? 0) > distance(next, sequence)) at -= 1;
    const same = this.#held[at - 1];
    if (same?.sequence === sequence && same.octets.length >= end - start) return;
    this.#held.splice(at, 0, { sequence, octets: new Uint8Array(octets.subarray(start, end)), frame });
    this.#heldOctets += end - start;
    this.#gapSince ??= time;
  }

  #patienceIsOver(time: number | undefined): boolean {
    const { octets, segments, seconds } = this.#limits;
    const waited = time !== undefined && this.#gapSince !== undefined ? time - this.#gapSince : 0;
    return this.#heldOctets > octets || this.#held.length > segments || waited > seconds;
  }

  /** Gives out what has become the next in order. */
  #release(out: CopsCut[]): void {
    let count = 0;
    for (const { sequence, octets, frame } of this.#held) {
      const ahead = distance(this.#next ?? sequence, sequence);
      if (ahead > 0) break;
      count += 1;
      this.#heldOctets -= octets.length;
      if (-ahead < octets.length) this.#deliver(octets, -ahead, octets.length, frame, out);
    }
    this.#held.splice(0, count);
    if (count > 0) this.#gapSince = undefined;
  }

  /** Says a gap and goes on behind it. */
  #jump(out: CopsCut[]): void {
    const first = this.#held[0];
    if (first === undefined) return;
    const missing = distance(this.#next ?? first.sequence, first.sequence);
    if (missing > 0) this.#framer.interrupt(gap(missing, this.#next ?? 0), out);
    this.#next = first.sequence;
    this.#release(out);
  }
}

function gap(missing: number, from: number): Fault {
  const message = `${missing} octets are missing from sequence number ${from}`;
  return { code: 'stream-gap', message, where: 'TCP stream' };
}

/** How far `to` is ahead of `from`, modulo 2^32: negative where it lies behind. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}
