import { concat, putU16, putU32 } from './octets.js';
import type { Timestamp } from './time.js';

export interface PcapOptions {
  /** LINKTYPE_ value; raw IP (101) if not given. */
  readonly linkType?: number;
  /** Longest packet; 262,144 if not given. */
  readonly snapLength?: number;
  /** The fraction counts nanoseconds rather than microseconds. */
  readonly nanoseconds?: boolean;
}

/** A packet and when it was sent. */
export interface TimedOctets {
  readonly time: Timestamp;
  readonly octets: Uint8Array;
}

const RAW_IP = 101;
const SNAP_LENGTH = 262_144;

/** The header of a pcap file, big-endian; records of `pcapRecord` with the same options follow it. */
export function pcapHeader(options: PcapOptions = {}): Uint8Array {
  const header = new Uint8Array(24);
  putU32(header, 0, options.nanoseconds === true ? 0xa1b23c4d : 0xa1b2c3d4);
  putU16(header, 4, 2);
  putU16(header, 6, 4);
  putU32(header, 16, options.snapLength ?? SNAP_LENGTH);
  putU32(header, 20, options.linkType ?? RAW_IP);
  return header;
}

/** One packet as a record of a pcap file, cut where it is longer than the snap length. */
export function pcapRecord({ time, octets }: TimedOctets, options: PcapOptions = {}): Uint8Array {
  const captured = octets.subarray(0, options.snapLength ?? SNAP_LENGTH);
  const record = new Uint8Array(16 + captured.length);
  putU32(record, 0, time.seconds);
  putU32(record, 4, options.nanoseconds === true ? time.nanoseconds : Math.floor(time.nanoseconds / 1000));
  putU32(record, 8, captured.length);
  putU32(record, 12, octets.length);
  record.set(captured, 16);
  return record;
}

/** A whole pcap file. */
export function pcapFile(packets: Iterable<TimedOctets>, options: PcapOptions = {}): Uint8Array {
  return concat([pcapHeader(options), ...Array.from(packets, (packet) => pcapRecord(packet, options))]);
}
