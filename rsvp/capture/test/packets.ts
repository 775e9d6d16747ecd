import { buildIpv4, buildIpv6, pcapFile, timestampOfMillis, type Packet } from '../index.js';

/** An RSVP common header (RFC 2205 3.1.1) and arbitrary octets: capture code does not look inside. */
export function rsvpMessage(length = 40): Uint8Array {
  const message = Uint8Array.from({ length }, (_, i) => (i * 7 + 3) & 0xff);
  message.set([0x10, 1, 0, 0, 64, 0, length >>> 8, length & 255]);
  return message;
}

/** A COPS message (RFC 2748 2.1) of one object: operation, then an object of `size` octets. */
export function copsMessage(operation: number, size: number): Uint8Array {
  const length = 8 + size;
  const message = Uint8Array.from({ length }, (_, i) => (i * 11 + operation) & 0xff);
  message.set([0x10, operation, 0, 1, 0, 0, length >>> 8, length & 255]);
  message.set([size >>> 8, size & 255, 1, 1], 8);
  return message;
}

export const FROM = { src: '10.0.0.1', dst: '10.0.0.2' };
export const FROM6 = { src: '2001:db8::1', dst: '2001:db8::2' };

export function rsvpV4(payload = rsvpMessage()): Uint8Array {
  return buildIpv4({ ...FROM, protocol: 46, routerAlert: 0 }, payload);
}

export function rsvpV6(payload = rsvpMessage()): Uint8Array {
  return buildIpv6({ ...FROM6, protocol: 46, routerAlert: 0 }, payload);
}

/** A pcap file of raw IP packets, `step` seconds apart, the first at second 1. */
export function rawIp(packets: readonly Uint8Array[], step = 0.01): Uint8Array {
  return pcapFile(packets.map((octets, i) => ({ time: timestampOfMillis(1000 * (1 + i * step)), octets })));
}

export const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
export const unhex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

export const payloads = (packets: readonly Packet[], kind: Packet['kind'] = 'rsvp'): string[] =>
  packets.filter((packet) => packet.kind === kind).map(({ payload }) => hex(payload));

export const codes = (packets: readonly Packet[]): string[] =>
  packets.flatMap(({ faults }) => faults.map(({ code }) => code));
