import type { CopsCut } from './cops-framer.js';
import { NO_FAULTS } from './fault.js';
import type { Frame } from './frame.js';
import type { IpHeader } from './ip.js';
import { NO_OCTETS } from './octets.js';
import { PROTOCOL, type Packet } from './packet.js';
import { TcpStream, type GapLimits, type Segment } from './tcp-stream.js';

/** Where a segment was seen. */
export interface SegmentOrigin {
  readonly frame: Frame;
  readonly ip: IpHeader;
  readonly srcPort: number;
  readonly dstPort: number;
}

interface Entry {
  readonly stream: TcpStream;
  /** Without its octets: what a fault at the end is said with. */
  last: SegmentOrigin;
  waiting: number;
}

/** The least recently begun streams go first when there are more, or when more octets wait. */
const MOST_STREAMS = 4096;
const MOST_WAITING = 32 << 20;

/** The TCP streams of a capture, one for each direction of a connection, in bounded memory. */
export class StreamTable {
  readonly #limits: Partial<GapLimits> | undefined;
  readonly #streams = new Map<string, Entry>();
  #waiting = 0;

  constructor(limits: Partial<GapLimits> | undefined) {
    this.#limits = limits;
  }

  /** Takes a segment and adds the messages that it completes to `out`. */
  push(origin: SegmentOrigin, segment: Segment, out: Packet[]): void {
    const { ip, srcPort, dstPort } = origin;
    const key = `${ip.src} ${srcPort} ${ip.dst} ${dstPort}`;
    let entry = this.#streams.get(key);
    if (entry === undefined) {
      if (segment.start === segment.end && !segment.syn) return;
      entry = { stream: new TcpStream(this.#limits), last: origin, waiting: 0 };
      this.#streams.set(key, entry);
    }
    const cuts: CopsCut[] = [];
    const over = entry.stream.push(segment, cuts);
    entry.last = withoutOctets(origin);
    if (cuts.length === 0 && ip.faults.length > 0 && segment.end > segment.start) cuts.push(mereFault());
    this.#give(cuts, origin, ip.faults, out);
    this.#waiting += entry.stream.waiting - entry.waiting;
    entry.waiting = entry.stream.waiting;
    if (over) this.#forget(key, entry);
    while (this.#streams.size > MOST_STREAMS || this.#waiting > MOST_WAITING) this.#endOldest(out);
  }

  /** The capture is over. */
  end(out: Packet[]): void {
    while (this.#streams.size > 0) this.#endOldest(out);
  }

  #endOldest(out: Packet[]): void {
    const oldest = this.#streams.entries().next().value;
    if (oldest === undefined) return;
    const [key, entry] = oldest;
    const cuts: CopsCut[] = [];
    entry.stream.end(cuts);
    this.#give(cuts, entry.last, NO_FAULTS, out);
    this.#forget(key, entry);
  }

  #forget(key: string, entry: Entry): void {
    this.#waiting -= entry.waiting;
    this.#streams.delete(key);
  }

  #give(cuts: readonly CopsCut[], origin: SegmentOrigin, faults: Packet['faults'], out: Packet[]): void {
    const { frame, ip, srcPort, dstPort } = origin;
    for (const cut of cuts) {
      out.push({
        kind: cut.kind,
        frame: frame.number,
        frames: cut.frames.length > 0 ? cut.frames : [frame.number],
        time: frame.time,
        src: ip.src,
        dst: ip.dst,
        srcPort,
        dstPort,
        protocol: PROTOCOL.tcp,
        ttl: ip.ttl,
        routerAlert: ip.routerAlert,
        payload: cut.octets,
        faults: faults.length > 0 ? [...faults, ...cut.faults] : cut.faults,
      });
    }
  }
}

/** The faults of a segment that completes no message. */
function mereFault(): CopsCut {
  return { kind: 'fault', octets: NO_OCTETS, frames: [], faults: NO_FAULTS };
}

/** A frame that is remembered must not keep the chunk of the file in memory. */
function withoutOctets(origin: SegmentOrigin): SegmentOrigin {
  return { ...origin, frame: { ...origin.frame, octets: NO_OCTETS } };
}
