import { parseAddress } from './address.js';
import { internetChecksum, pseudoHeaderSum, sum16 } from './checksum.js';
import { concat, NO_OCTETS, putU16, putU32, u16, u8 } from './octets.js';

/** What an IP packet is built of, in either family. */
export interface IpFields {
  readonly src: string;
  readonly dst: string;
  /** IP protocol number of the payload, 46 for RSVP. */
  readonly protocol: number;
  /** IPv4 time to live or IPv6 hop limit; 64 if not given. */
  readonly ttl?: number;
  /** IPv4 type of service or IPv6 traffic class; 0 if not given. */
  readonly trafficClass?: number;
  /** IPv4 identification (16 bits), and that of IPv6 fragments (32 bits); 0 if not given. */
  readonly identification?: number;
  /** Value of the Router Alert option: 0 for RSVP (RFC 2113, RFC 2711). Without it there is no option. */
  readonly routerAlert?: number;
  /** IPv4's Don't Fragment. */
  readonly dontFragment?: boolean;
}

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
const FRAGMENT = 44;
const HOP_BY_HOP = 0;

/**
 * An IPv4 packet (RFC 791), with its checksum.
 * @throws {RangeError} where the payload is longer than a datagram can be
 */
export function buildIpv4(fields: IpFields, payload: Uint8Array): Uint8Array {
  const options =
    fields.routerAlert === undefined
      ? NO_OCTETS
      : Uint8Array.of(148, 4, fields.routerAlert >>> 8, fields.routerAlert);
  const headerLength = IPV4_HEADER + options.length;
  const packet = new Uint8Array(headerLength + payload.length);
  if (packet.length > 0xffff) throw tooLong(payload);
  packet[0] = 0x40 | (headerLength / 4);
  packet[1] = fields.trafficClass ?? 0;
  putU16(packet, 4, fields.identification ?? 0);
  packet[6] = fields.dontFragment === true ? 0x40 : 0;
  packet[8] = fields.ttl ?? 64;
  packet[9] = fields.protocol;
  packet.set(addressOf(fields.src, 4), 12);
  packet.set(addressOf(fields.dst, 4), 16);
  packet.set(options, IPV4_HEADER);
  packet.set(payload, headerLength);
  return sealIpv4(packet);
}

/**
 * Cuts an IPv4 packet to an MTU; options with the copied flag, as Router Alert has it, go into every fragment
 * (RFC 791 3.2). A packet that fits is returned as it is.
 * @throws {RangeError} where it may not be fragmented, or no octet fits
 */
export function fragmentIpv4(packet: Uint8Array, mtu: number): Uint8Array[] {
  if (packet.length <= mtu) return [packet];
  if ((u8(packet, 6) & 0x40) !== 0) throw new RangeError("packet: Don't Fragment is set");
  const headerLength = (u8(packet, 0) & 15) * 4;
  const firstHeader = packet.subarray(0, headerLength);
  const laterHeader = concat([packet.subarray(0, IPV4_HEADER), copiedOptions(packet, headerLength)]);
  const payload = packet.subarray(headerLength);
  const fragments: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length;) {
    const header = offset === 0 ? firstHeader : laterHeader;
    const size = partSize(payload.length - offset, mtu - header.length);
    const fragment = concat([header, payload.subarray(offset, offset + size)]);
    fragment[0] = 0x40 | (header.length / 4);
    const more = offset + size < payload.length ? 0x2000 : 0;
    putU16(fragment, 6, (u16(packet, 6) & 0x8000) | more | (offset / 8));
    fragments.push(sealIpv4(fragment));
    offset += size;
  }
  return fragments;
}

/**
 * An IPv6 packet (RFC 8200); a Router Alert goes into a hop-by-hop options header.
 * @throws {RangeError} where the payload is longer than a datagram can be
 */
export function buildIpv6(fields: IpFields, payload: Uint8Array): Uint8Array {
  const alert = fields.routerAlert;
  const options =
    alert === undefined ? NO_OCTETS : Uint8Array.of(fields.protocol, 0, 5, 2, alert >>> 8, alert, 1, 0);
  const packet = new Uint8Array(IPV6_HEADER + options.length + payload.length);
  if (packet.length - IPV6_HEADER > 0xffff) throw tooLong(payload);
  putU32(packet, 0, (6 << 28) | ((fields.trafficClass ?? 0) << 20));
  putU16(packet, 4, options.length + payload.length);
  packet[6] = alert === undefined ? fields.protocol : HOP_BY_HOP;
  packet[7] = fields.ttl ?? 64;
  packet.set(addressOf(fields.src, 16), 8);
  packet.set(addressOf(fields.dst, 16), 24);
  packet.set(options, IPV6_HEADER);
  packet.set(payload, IPV6_HEADER + options.length);
  return packet;
}

/**
 * Cuts an IPv6 packet to an MTU (RFC 8200 4.5): the hop-by-hop options stay in every fragment, what follows is
 * the fragmentable part. A packet that fits is returned as it is.
 * @throws {RangeError} where no octet fits
 */
export function fragmentIpv6(packet: Uint8Array, mtu: number, identification: number): Uint8Array[] {
  if (packet.length <= mtu) return [packet];
  const hopByHop = u8(packet, 6) === HOP_BY_HOP ? (u8(packet, IPV6_HEADER + 1) + 1) * 8 : 0;
  const unfragmentable = IPV6_HEADER + hopByHop;
  const nextHeaderAt = hopByHop === 0 ? 6 : IPV6_HEADER;
  const payload = packet.subarray(unfragmentable);
  const fragments: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length;) {
    const size = partSize(payload.length - offset, mtu - unfragmentable - FRAGMENT_HEADER);
    const header = new Uint8Array(FRAGMENT_HEADER);
    header[0] = u8(packet, nextHeaderAt);
    putU16(header, 2, offset | (offset + size < payload.length ? 1 : 0));
    putU32(header, 4, identification);
    const fragment = concat([
      packet.subarray(0, unfragmentable),
      header,
      payload.subarray(offset, offset + size),
    ]);
    fragment[nextHeaderAt] = FRAGMENT;
    putU16(fragment, 4, fragment.length - IPV6_HEADER);
    fragments.push(fragment);
    offset += size;
  }
  return fragments;
}

/** An IP packet of the family that the addresses are of, cut to an MTU if one is given. */
export function buildIp(fields: IpFields, payload: Uint8Array, mtu = Infinity): Uint8Array[] {
  return fields.src.includes(':')
    ? fragmentIpv6(buildIpv6(fields, payload), mtu, fields.identification ?? 0)
    : fragmentIpv4(buildIpv4(fields, payload), mtu);
}

/** A UDP datagram (RFC 768), the payload of an IP packet between these addresses. */
export function buildUdp(
  { src, dst }: Pick<IpFields, 'src' | 'dst'>,
  srcPort: number,
  dstPort: number,
  payload: Uint8Array,
): Uint8Array {
  const datagram = new Uint8Array(8 + payload.length);
  putU16(datagram, 0, srcPort);
  putU16(datagram, 2, dstPort);
  putU16(datagram, 4, datagram.length);
  datagram.set(payload, 8);
  // A sum of 0 means that there is none.
  putU16(datagram, 6, transportChecksum(src, dst, 17, datagram) || 0xffff);
  return datagram;
}

/** The checksum over pseudo header and segment, whose own field is 0. */
export function transportChecksum(src: string, dst: string, protocol: number, octets: Uint8Array): number {
  const from = parseAddress(src);
  const to = parseAddress(dst);
  const pseudo = pseudoHeaderSum(to, 0, to.length, protocol, octets.length);
  return internetChecksum(octets, 0, octets.length, sum16(from, 0, from.length, pseudo));
}

/** An Ethernet frame without check sequence, padded to the least length there is. */
export function ethernetFrame(
  packet: Uint8Array,
  src = '02:00:00:00:00:01',
  dst = '02:00:00:00:00:02',
): Uint8Array {
  const frame = new Uint8Array(Math.max(60, 14 + packet.length));
  frame.set(macAddress(dst), 0);
  frame.set(macAddress(src), 6);
  putU16(frame, 12, u8(packet, 0) >>> 4 === 6 ? 0x86dd : 0x0800);
  frame.set(packet, 14);
  return frame;
}

function sealIpv4(packet: Uint8Array): Uint8Array {
  const headerLength = (u8(packet, 0) & 15) * 4;
  putU16(packet, 2, packet.length);
  putU16(packet, 10, 0);
  putU16(packet, 10, internetChecksum(packet, 0, headerLength));
  return packet;
}

/** Options whose type has the copied flag, padded with End of Option List to 32 bits. */
function copiedOptions(packet: Uint8Array, headerLength: number): Uint8Array {
  const copied: number[] = [];
  for (let at = IPV4_HEADER; at < headerLength;) {
    const type = u8(packet, at);
    if (type === 0) break;
    const length = type === 1 ? 1 : Math.max(2, u8(packet, at + 1));
    if ((type & 0x80) !== 0) copied.push(...packet.subarray(at, at + length));
    at += length;
  }
  while (copied.length % 4 !== 0) copied.push(0);
  return Uint8Array.from(copied);
}

/** Octets of the next fragment: all that is left if it fits, else a multiple of 8. */
function partSize(left: number, room: number): number {
  if (left <= room) return left;
  const size = Math.floor(room / 8) * 8;
  if (size <= 0) throw new RangeError('mtu: no octet of the payload fits');
  return size;
}

function addressOf(text: string, length: 4 | 16): Uint8Array {
  const address = parseAddress(text);
  if (address.length !== length)
    throw new RangeError(`\`${text}\` is not an IPv${length === 4 ? 4 : 6} address`);
  return address;
}

function macAddress(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new RangeError(`\`${text}\` is not a MAC address`);
  return Uint8Array.from(text.split(':'), (octet) => parseInt(octet, 16));
}

function tooLong(payload: Uint8Array): RangeError {
  return new RangeError(`payload: ${payload.length} octets do not fit an IP datagram`);
}
