import type { Fault } from './fault.js';
import { NO_OCTETS } from './octets.js';
import type { OctetQueue } from './octet-queue.js';
import type { Timestamp } from './time.js';

/**
 * One record of a capture file. The octets lie at `octets[start..end)`, in the chunk that was read where
 * possible: no copy is made for a packet that nobody asks for.
 */
export interface Frame {
  /** Counted from 1 through the whole file, as Wireshark counts. */
  readonly number: number;
  /** Undefined where the file has none (pcapng Simple Packet Block). */
  readonly time: Timestamp | undefined;
  /** LINKTYPE_ value of https://www.tcpdump.org/linktypes.html. */
  readonly linkType: number;
  readonly octets: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Octets on the wire; more than `end - start` where the snap length cut the packet. */
  readonly originalLength: number;
  /** Damage of the file at or before this record; the frame is then empty. */
  readonly fault: Fault | undefined;
}

/** A damage of the file, as a frame without octets. */
export function damaged(number: number, fault: Fault): Frame {
  const octets = NO_OCTETS;
  return { number, time: undefined, linkType: -1, octets, start: 0, end: 0, originalLength: 0, fault };
}

/** As libpcap and Wireshark have it: a longer record is damage. */
export const LARGEST_FRAME = 1 << 18;

/**
 * What a file format does: takes the next frame out of the queue, or returns undefined where it needs more
 * octets, or, after `queue.ended`, where nothing is left.
 */
export interface CaptureFormat {
  next(queue: OctetQueue): Frame | undefined;
}
