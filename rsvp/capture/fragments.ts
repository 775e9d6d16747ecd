/** A fragment of an IP datagram's payload. */
export interface Fragment {
  /** What belongs together: addresses, identification, and for IPv4 the protocol (RFC 791, RFC 8200 4.5). */
  readonly key: string;
  /** Octets from the beginning of the datagram's fragmentable part. */
  readonly offset: number;
  readonly more: boolean;
  readonly octets: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly frame: number;
  /** Seconds; undefined where the capture has no time. */
  readonly time: number | undefined;
  /** IPv6: an overlap condemns the datagram even where the octets agree (RFC 5722 4). */
  readonly strict: boolean;
}

/** A datagram put together again. */
export interface Reassembled<Header> {
  readonly header: Header;
  readonly octets: Uint8Array;
  readonly frames: readonly number[];
}

/** A datagram that was given up. */
export interface Abandoned<Header> {
  /** Of the fragment at offset 0, or else of the first that came. */
  readonly header: Header;
  readonly frames: readonly number[];
  readonly message: string;
}

export interface FragmentLimits {
  /** Seconds of capture time that a datagram may take to arrive (RFC 1122 3.3.2, RFC 8200 4.5: 60). */
  readonly seconds: number;
  /** Octets that may wait, all datagrams together. */
  readonly octets: number;
}

const DEFAULTS: FragmentLimits = { seconds: 60, octets: 4 << 20 };

/** What a stored fragment costs beside its octets: a flood of tiny ones is to be bounded as well. */
const OVERHEAD = 128;
const LARGEST_DATAGRAM = 65_535;

interface Piece {
  readonly offset: number;
  readonly octets: Uint8Array;
}

interface Datagram<Header> {
  header: Header;
  hasFirst: boolean;
  readonly since: number | undefined;
  /** Sorted by offset, without overlaps. */
  pieces: Piece[];
  readonly frames: number[];
  received: number;
  total: number | undefined;
  cost: number;
  /** Condemned: what still comes of it is thrown away. */
  refused: boolean;
}

/**
 * Puts fragments together again, in bounded memory. RFC 815's list of holes is kept as its complement, the
 * sorted list of what has come, because a hole list needs the whole datagram's buffer from the start, and
 * a fragment that claims offset 65,528 would get it.
 */
export class Reassembler<Header> {
  readonly #limits: FragmentLimits;
  /** In order of arrival: the first is the oldest. */
  readonly #datagrams = new Map<string, Datagram<Header>>();
  #cost = 0;

  constructor(limits: Partial<FragmentLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** The whole datagram if this fragment completes it; a refusal if it condemns it; else undefined. */
  add(fragment: Fragment, header: Header): Reassembled<Header> | Abandoned<Header> | undefined {
    const datagram = this.#datagrams.get(fragment.key) ?? this.#begin(fragment, header);
    if (datagram.refused) return undefined;
    if (fragment.offset === 0 && !datagram.hasFirst) {
      datagram.header = header;
      datagram.hasFirst = true;
    }
    const trouble = this.#place(datagram, fragment);
    if (trouble !== undefined) return this.#refuse(datagram, fragment.frame, trouble);
    if (datagram.total === undefined || datagram.received < datagram.total) return undefined;
    if (datagram.frames.at(-1) !== fragment.frame) datagram.frames.push(fragment.frame);
    this.#drop(fragment.key, datagram);
    return {
      header: datagram.header,
      octets: joined(datagram.pieces, datagram.total),
      frames: datagram.frames,
    };
  }

  /** What has waited too long at `now` (seconds), or must go to keep memory bounded. */
  expired(now: number | undefined): Abandoned<Header>[] {
    const given: Abandoned<Header>[] = [];
    for (const [key, datagram] of this.#datagrams) {
      const age = now !== undefined && datagram.since !== undefined ? now - datagram.since : 0;
      if (this.#cost <= this.#limits.octets && age <= this.#limits.seconds) break;
      this.#drop(key, datagram);
      if (!datagram.refused) given.push(abandoned(datagram));
    }
    return given;
  }

  /** At the end of the capture: everything that never became whole. */
  flush(): Abandoned<Header>[] {
    const given = [...this.#datagrams.values()].filter(({ refused }) => !refused).map(abandoned);
    this.#datagrams.clear();
    this.#cost = 0;
    return given;
  }

  #begin(fragment: Fragment, header: Header): Datagram<Header> {
    const datagram: Datagram<Header> = {
      header,
      hasFirst: fragment.offset === 0,
      since: fragment.time,
      pieces: [],
      frames: [],
      received: 0,
      total: undefined,
      cost: 0,
      refused: false,
    };
    this.#datagrams.set(fragment.key, datagram);
    this.#charge(datagram, OVERHEAD);
    return datagram;
  }

  /** Stores what is new of a fragment; the reason where it contradicts what has come before. */
  #place(datagram: Datagram<Header>, fragment: Fragment): string | undefined {
    const { offset } = fragment;
    const end = offset + fragment.end - fragment.start;
    if (end > LARGEST_DATAGRAM) return `a fragment reaches to octet ${end}, beyond ${LARGEST_DATAGRAM}`;
    if (datagram.total !== undefined && end > datagram.total) {
      return `a fragment reaches to octet ${end}, beyond the last fragment's ${datagram.total}`;
    }
    if (!fragment.more) {
      const reached = datagram.pieces.at(-1);
      if (datagram.total !== undefined && datagram.total !== end) {
        return `two last fragments end at octets ${datagram.total} and ${end}`;
      }
      if (reached !== undefined && reached.offset + reached.octets.length > end) {
        return `the last fragment ends at octet ${end}, before another`;
      }
      datagram.total = end;
    }
    return this.#insert(datagram, fragment, end);
  }

  #insert(datagram: Datagram<Header>, fragment: Fragment, end: number): string | undefined {
    const { pieces } = datagram;
    const at = firstEndingAfter(pieces, fragment.offset);
    let from = fragment.offset;
    let index = at;
    const fresh: Piece[] = [];
    for (; index < pieces.length; index++) {
      const piece = pieces[index];
      if (piece === undefined || piece.offset >= end) break;
      const trouble = this.#overlap(piece, fragment, end);
      if (trouble !== undefined) return trouble;
      if (piece.offset > from) fresh.push(copyOf(fragment, from, piece.offset));
      fresh.push(piece);
      from = piece.offset + piece.octets.length;
    }
    if (from < end) fresh.push(copyOf(fragment, from, end));
    const before = index - at;
    if (fresh.length === before) return undefined;
    const size = (list: readonly Piece[]): number => list.reduce((sum, { octets }) => sum + octets.length, 0);
    const added = size(fresh) - size(pieces.splice(at, before, ...fresh));
    datagram.received += added;
    datagram.frames.push(fragment.frame);
    this.#charge(datagram, added + OVERHEAD * (fresh.length - before));
    return undefined;
  }

  /** An exact duplicate is harmless everywhere; an overlap that agrees is harmless in IPv4. */
  #overlap(piece: Piece, fragment: Fragment, end: number): string | undefined {
    const pieceEnd = piece.offset + piece.octets.length;
    const from = Math.max(piece.offset, fragment.offset);
    const to = Math.min(pieceEnd, end);
    const exact = piece.offset === fragment.offset && pieceEnd === end;
    if (fragment.strict && !exact) {
      return `fragments overlap at octets ${from} to ${to} (RFC 5722 4)`;
    }
    for (let at = from; at < to; at++) {
      if (piece.octets[at - piece.offset] !== fragment.octets[fragment.start + at - fragment.offset]) {
        return `fragments overlap with different octets at ${at}`;
      }
    }
    return undefined;
  }

  #refuse(datagram: Datagram<Header>, frame: number, message: string): Abandoned<Header> {
    datagram.refused = true;
    datagram.frames.push(frame);
    this.#charge(datagram, OVERHEAD - datagram.cost);
    datagram.pieces = [];
    return { header: datagram.header, frames: datagram.frames, message };
  }

  #charge(datagram: Datagram<Header>, cost: number): void {
    datagram.cost += cost;
    this.#cost += cost;
  }

  #drop(key: string, datagram: Datagram<Header>): void {
    this.#cost -= datagram.cost;
    this.#datagrams.delete(key);
  }
}

/** The index of the first piece that ends behind `offset`. */
function firstEndingAfter(pieces: readonly Piece[], offset: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const piece = pieces[middle];
    if (piece !== undefined && piece.offset + piece.octets.length <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A copy, since a view would keep the chunk of the file in memory as long as the fragment waits. */
function copyOf(fragment: Fragment, from: number, to: number): Piece {
  const shift = fragment.start - fragment.offset;
  return { offset: from, octets: new Uint8Array(fragment.octets.subarray(from + shift, to + shift)) };
}

function joined(pieces: readonly Piece[], total: number): Uint8Array {
  const whole = new Uint8Array(total);
  for (const { offset, octets } of pieces) whole.set(octets, offset);
  return whole;
}

function abandoned<Header>(datagram: Datagram<Header>): Abandoned<Header> {
  const { header, frames, received, total } = datagram;
  const of = total === undefined ? '' : ` of ${total}`;
  return { header, frames, message: `fragments are missing: ${received}${of} octets came` };
}
