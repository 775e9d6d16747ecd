import type { TestPacket } from './packet.js';

/** What arrived within one interval. */
export interface Sample {
  /** Its end, milliseconds since the meter began. */
  readonly at: number;
  /** Octets of IP packets a second. */
  readonly rate: number;
  readonly received: number;
  /** Packets that were sent before one that arrived, and have not. */
  readonly lost: number;
  /** From 0 to 1. */
  readonly loss: number;
}

export interface MeterTotals {
  readonly received: number;
  readonly octets: number;
  readonly lost: number;
  readonly duplicates: number;
  /** Came after one that was sent later. */
  readonly reordered: number;
}

/** How far back a packet may come late without being taken for a duplicate. */
const WINDOW = 4096;
/** More senders of test traffic at once are not told apart. */
const MOST_STREAMS = 64;

/** Counts test traffic: what came, and by the numbers that are missing, what did not. Pure: the caller has the clock. */
export class Meter {
  readonly #streams = new Map<number, Stream>();
  #lost = 0;
  #received = 0;
  #octets = 0;
  #duplicates = 0;
  #reordered = 0;
  #last = { received: 0, octets: 0, lost: 0, at: 0 };

  /** `octets`: of the IP packet. */
  take({ stream: number, sequence }: TestPacket, octets: number): void {
    let stream = this.#streams.get(number);
    if (stream === undefined) {
      if (this.#streams.size >= MOST_STREAMS) return;
      this.#streams.set(number, (stream = new Stream(sequence)));
    }
    const found = stream.take(sequence);
    if (found === 'duplicate') {
      this.#duplicates++;
      return;
    }
    this.#received++;
    this.#octets += octets;
    if (found < 0) {
      this.#reordered++;
      this.#lost--;
    } else this.#lost += found;
  }

  get totals(): MeterTotals {
    return {
      received: this.#received,
      octets: this.#octets,
      lost: this.#lost,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
    };
  }

  /** Ends an interval; `at` is milliseconds since the meter began. */
  sample(at: number): Sample {
    const last = this.#last;
    const seconds = (at - last.at) / 1000;
    const received = this.#received - last.received;
    // What came late was counted as lost in an interval before.
    const lost = Math.max(0, this.#lost - last.lost);
    const octets = this.#octets - last.octets;
    this.#last = { received: this.#received, octets: this.#octets, lost: this.#lost, at };
    return {
      at,
      rate: seconds > 0 ? octets / seconds : 0,
      received,
      lost,
      loss: received + lost === 0 ? 0 : lost / (received + lost),
    };
  }
}

/** Sequence numbers of one sender, the last `WINDOW` of them one by one. */
class Stream {
  readonly #seen = new Uint8Array(WINDOW);
  #highest: number;

  constructor(first: number) {
    this.#highest = first - 1;
  }

  /** How many are missing before it; -1 for one that was missing until now. */
  take(sequence: number): number | 'duplicate' {
    const ahead = sequence - this.#highest;
    if (ahead > 0) {
      for (let i = 1; i < Math.min(ahead, WINDOW); i++) this.#seen[(this.#highest + i) % WINDOW] = 0;
      this.#seen[sequence % WINDOW] = 1;
      this.#highest = sequence;
      return ahead - 1;
    }
    if (-ahead >= WINDOW || this.#seen[sequence % WINDOW] === 1) return 'duplicate';
    this.#seen[sequence % WINDOW] = 1;
    return -1;
  }
}
