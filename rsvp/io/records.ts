import type { ArrivedPacket, SentPacket } from '../engine/packet.js';
import { ipv4Number, ipv4Text, ipv6Octets, ipv6Text } from '../wire/address.js';

/**
 * Packets as they cross into and out of the addon: `struct record` of `native/raw.c`, then the octets, filled up to a
 * multiple of four. Numbers are in the machine's order of octets, and so are aligned arrays of them.
 */
const HEADER = 56;
const ROUTER_ALERT = 1;
const HAS_SOURCE = 2;

/** In 32-bit words. */
const AT = { length: 0, interface: 1, ttl: 2, flags: 3, port: 4, error: 5 } as const;
const SOURCE = 24;
const DESTINATION = 40;

export type Family = 4 | 6;

/** A packet for a UDP socket has the port it goes to. */
export type RecordPacket = SentPacket & { readonly port?: number };

interface Address {
  readonly family: Family;
  /** 16, of which IPv4 uses the first four. */
  readonly octets: Uint8Array;
}

/** Addresses repeat, and reading an IPv6 one takes longer than sending a packet: those lately read. */
const known = new Map<string, Address>();
const MOST_KNOWN = 4096;

/** Undefined where it is no address. */
function readAddress(text: string): Address | undefined {
  const before = known.get(text);
  if (before !== undefined) return before;
  const number = ipv4Number(text);
  let octets: Uint8Array | undefined;
  if (number === undefined) octets = ipv6Octets(text);
  else new DataView((octets = new Uint8Array(16)).buffer).setUint32(0, number);
  if (octets === undefined) return undefined;
  const address: Address = { family: number === undefined ? 6 : 4, octets };
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, address);
  return address;
}

/** Of an address as text; undefined where it is none. */
export function familyOf(address: string): Family | undefined {
  return readAddress(address)?.family;
}

/** 16 octets, of which IPv4 uses the first four. */
export function addressOctets(address: string): Uint8Array {
  const read = readAddress(address);
  if (read === undefined) throw new TypeError(`address: \`${address}\` is no IP address`);
  return read.octets;
}

/** Packets of one family, for one `send` of the addon. */
export function encodeRecords(packets: readonly RecordPacket[]): Uint8Array {
  let size = 0;
  for (const { octets } of packets) size += HEADER + padded(octets.length);
  const buffer = new Uint8Array(size);
  let at = 0;
  for (const packet of packets) {
    const words = new Uint32Array(buffer.buffer, at, HEADER / 4);
    words[AT.length] = packet.octets.length;
    words[AT.interface] = packet.interface;
    words[AT.ttl] = packet.ttl;
    words[AT.flags] =
      (packet.routerAlert ? ROUTER_ALERT : 0) | (packet.source === undefined ? 0 : HAS_SOURCE);
    words[AT.port] = packet.port ?? 0;
    if (packet.source !== undefined) buffer.set(addressOctets(packet.source), at + SOURCE);
    buffer.set(addressOctets(packet.destination), at + DESTINATION);
    buffer.set(packet.octets, at + HEADER);
    at += HEADER + padded(packet.octets.length);
  }
  return buffer;
}

/** What became of records that the addon took: `error` (errno) of each that could not be sent. */
export interface FailedRecord {
  readonly interface: number;
  readonly destination: string;
  readonly error: number;
}

/** Counts the records in `buffer` up to octet `end` (from `start`), and finds the failed ones. */
export function takenRecords(
  buffer: Uint8Array,
  start: number,
  end: number,
  family: Family,
): { readonly count: number; readonly failed: readonly FailedRecord[] } {
  const words = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2);
  const failed: FailedRecord[] = [];
  let count = 0;
  for (let at = start; at < end; count++) {
    const word = at >>> 2;
    const error = words[word + AT.error] ?? 0;
    if (error !== 0) {
      failed.push({
        interface: words[word + AT.interface] ?? 0,
        destination: addressText(buffer, at + DESTINATION, family),
        error,
      });
    }
    at += HEADER + padded(words[word] ?? 0);
  }
  return { count, failed };
}

/**
 * Packets of a batch that the addon received. The octets of each are a copy: who keeps one of them shall not keep the
 * batch in memory.
 */
export function decodeRecords(batch: Uint8Array, family: Family): ArrivedPacket[] {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  const packets: ArrivedPacket[] = [];
  for (let at = 0; at < batch.length;) {
    const length = view.getUint32(at, LITTLE);
    packets.push({
      interface: view.getUint32(at + 4 * AT.interface, LITTLE),
      source: addressText(batch, at + SOURCE, family),
      destination: addressText(batch, at + DESTINATION, family),
      ttl: view.getUint32(at + 4 * AT.ttl, LITTLE),
      octets: Uint8Array.prototype.slice.call(batch, at + HEADER, at + HEADER + length),
    });
    at += HEADER + padded(length);
  }
  return packets;
}

/** Whether this machine puts the low octet first. */
const LITTLE = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function padded(length: number): number {
  return (length + 3) & ~3;
}

function addressText(octets: Uint8Array, at: number, family: Family): string {
  if (family === 6) return ipv6Text(octets.subarray(at, at + 16));
  const [a = 0, b = 0, c = 0, d = 0] = octets.subarray(at, at + 4);
  return ipv4Text(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
}
