import { AddressBook } from './address.js';
import type { Fault } from './fault.js';
import { Reassembler, type FragmentLimits } from './fragments.js';
import type { Frame } from './frame.js';
import { isRefusal, type IpHeader, type IpRefusal } from './ip.js';
import { readIpv4 } from './ipv4.js';
import { extensions, readIpv6 } from './ipv6.js';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, linkPayload } from './link.js';
import { NO_OCTETS, u16, u8 } from './octets.js';
import { PROTOCOL, type Packet } from './packet.js';
import { CaptureReader } from './reader.js';
import { StreamTable } from './stream-table.js';
import type { GapLimits } from './tcp-stream.js';
import { readTcp } from './tcp.js';
import { udpFault } from './udp.js';

export interface CaptureOptions {
  /** TCP ports that carry COPS; 3288 (RFC 2748 2.4) if not given. */
  readonly copsPorts?: readonly number[];
  /** UDP ports that carry RSVP; 1698 and 1699 (RFC 2205 Appendix C) if not given. */
  readonly rsvpPorts?: readonly number[];
  readonly fragments?: Partial<FragmentLimits>;
  readonly gaps?: Partial<GapLimits>;
}

const COPS_PORT = 3288;
const RSVP_PORTS = [1698, 1699];
/** IP within IP within IP: deeper is nobody's tunnel. */
const DEEPEST_TUNNEL = 4;

/** An IP header that has been given up waiting for its fragments, or is being worked on. */
interface Origin {
  readonly ip: IpHeader;
  readonly frame: Frame;
  readonly frames: readonly number[];
}

/**
 * A capture as a stream: octets of the file in, RSVP and COPS messages out, faults at their places. Never
 * throws for what the file holds. Memory is bounded whatever the file's size.
 */
export class CaptureDecoder {
  readonly #reader = new CaptureReader();
  readonly #book = new AddressBook();
  readonly #fragments: Reassembler<Origin>;
  readonly #streams: StreamTable;
  readonly #copsPorts: ReadonlySet<number>;
  readonly #rsvpPorts: ReadonlySet<number>;
  readonly #unknownLinks = new Set<number>();
  #fragmented = false;
  #out: Packet[] = [];

  constructor(options: CaptureOptions = {}) {
    this.#copsPorts = new Set(options.copsPorts ?? [COPS_PORT]);
    this.#rsvpPorts = new Set(options.rsvpPorts ?? RSVP_PORTS);
    this.#fragments = new Reassembler(options.fragments);
    this.#streams = new StreamTable(options.gaps);
  }

  /** The next octets of the file; returns what they complete. */
  push(chunk: Uint8Array): Packet[] {
    this.#reader.push(chunk);
    return this.#drain();
  }

  /** The file is over; returns what was still waiting. */
  end(): Packet[] {
    this.#reader.end();
    const last = this.#drain();
    for (const { header, frames, message } of this.#fragments.flush()) this.#missing(header, frames, message);
    this.#streams.end(this.#out);
    return last.concat(this.#take());
  }

  #drain(): Packet[] {
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next())
      this.#frame(frame);
    return this.#take();
  }

  #take(): Packet[] {
    const packets = this.#out;
    this.#out = [];
    return packets;
  }

  #frame(frame: Frame): void {
    if (this.#fragmented) this.#expire(frame);
    if (frame.fault !== undefined) {
      this.#out.push(faultPacket(frame, undefined, NO_OCTETS, [frame.fault]));
      return;
    }
    const { octets, start, end, linkType } = frame;
    const link = linkPayload(linkType, octets, start, end);
    if (link === 'unknown') this.#unknownLink(frame);
    else if (link === undefined) {
      const message = `${end - start} octets are no link header of type ${linkType}`;
      this.#out.push(
        faultPacket(frame, undefined, NO_OCTETS, [{ code: 'link', message, where: 'frame at octet 0' }]),
      );
    } else if (link.etherType === ETHERTYPE_IPV4) this.#ipv4(frame, octets, link.start, end, start, 0);
    else if (link.etherType === ETHERTYPE_IPV6) this.#ipv6(frame, octets, link.start, end, start, 0);
  }

  /** Said once for each link type, not for each frame. */
  #unknownLink(frame: Frame): void {
    if (this.#unknownLinks.has(frame.linkType)) return;
    this.#unknownLinks.add(frame.linkType);
    const message = `link type ${frame.linkType} is not read: its frames are passed over`;
    this.#out.push(
      faultPacket(frame, undefined, NO_OCTETS, [{ code: 'link', message, where: 'frame at octet 0' }]),
    );
  }

  #ipv4(frame: Frame, octets: Uint8Array, start: number, end: number, base: number, depth: number): void {
    if (this.#isOthersIpv4(octets, start, end)) return;
    this.#ip(frame, octets, base, depth, readIpv4(octets, start, end, base, this.#book, isWanted));
  }

  #ipv6(frame: Frame, octets: Uint8Array, start: number, end: number, base: number, depth: number): void {
    this.#ip(frame, octets, base, depth, readIpv6(octets, start, end, base, this.#book, isWanted));
  }

  /** Whole UDP or TCP of other ports: known from a look at the ports, before anything is checked. */
  #isOthersIpv4(octets: Uint8Array, start: number, end: number): boolean {
    const ports = start + (u8(octets, start) & 15) * 4;
    if (ports + 4 > end || (u16(octets, start + 6) & 0x3fff) !== 0) return false;
    const protocol = u8(octets, start + 9);
    if (protocol === PROTOCOL.tcp) return !this.#either(this.#copsPorts, octets, ports);
    return protocol === PROTOCOL.udp && !this.#either(this.#rsvpPorts, octets, ports);
  }

  #either(ports: ReadonlySet<number>, octets: Uint8Array, at: number): boolean {
    return ports.has(u16(octets, at)) || ports.has(u16(octets, at + 2));
  }

  #ip(
    frame: Frame,
    octets: Uint8Array,
    base: number,
    depth: number,
    ip: IpHeader | IpRefusal | undefined,
  ): void {
    if (ip === undefined) return;
    if (isRefusal(ip)) this.#out.push(faultPacket(frame, undefined, NO_OCTETS, [ip.fault]));
    else if (ip.fragment === undefined) {
      this.#payload({ ip, frame, frames: [frame.number] }, octets, ip.start, ip.end, base, depth);
    } else this.#fragment({ ip, frame, frames: [] }, octets, base, depth);
  }

  #fragment(origin: Origin, octets: Uint8Array, base: number, depth: number): void {
    const { ip, frame } = origin;
    const place = ip.fragment;
    if (place === undefined) return;
    const size = ip.end - ip.start;
    const version6 = ip.src.includes(':');
    if (ip.faults.some(({ code }) => code === 'truncated') || (place.more && size % 8 !== 0)) {
      const message = `a fragment of ${size} octets at ${place.offset} is not followed by another`;
      const broken: Fault = {
        code: 'fragments-missing',
        message,
        where: `fragment at octet ${ip.start - base}`,
      };
      const faults = ip.faults.length > 0 ? ip.faults : [broken];
      if (ip.protocol === PROTOCOL.rsvp) this.#out.push(faultPacket(frame, origin, NO_OCTETS, faults));
      return;
    }
    this.#fragmented = true;
    const protocol = version6 ? '' : ip.protocol;
    const whole = this.#fragments.add(
      {
        key: `${ip.src} ${ip.dst} ${place.identification} ${protocol}`,
        offset: place.offset,
        more: place.more,
        octets,
        start: ip.start,
        end: ip.end,
        frame: frame.number,
        time: seconds(frame),
        strict: version6,
      },
      { ip, frame: { ...frame, octets: NO_OCTETS }, frames: [] },
    );
    if (whole === undefined) return;
    if ('message' in whole) this.#overlap(origin, whole.frames, whole.message);
    else this.#reassembled({ ...whole.header, frame, frames: whole.frames }, whole.octets, depth);
  }

  #reassembled(origin: Origin, octets: Uint8Array, depth: number): void {
    const rest = extensions(octets, origin.ip.protocol, 0, octets.length, 0);
    if (isRefusal(rest)) {
      this.#out.push(faultPacket(origin.frame, origin, NO_OCTETS, [rest.fault]));
      return;
    }
    const ip: IpHeader = {
      ...origin.ip,
      protocol: rest.protocol,
      routerAlert: origin.ip.routerAlert ?? rest.routerAlert,
      faults: [...origin.ip.faults, ...rest.faults],
    };
    if (rest.fragment === undefined)
      this.#payload({ ...origin, ip }, octets, rest.start, octets.length, 0, depth);
  }

  #payload(
    origin: Origin,
    octets: Uint8Array,
    start: number,
    end: number,
    base: number,
    depth: number,
  ): void {
    switch (origin.ip.protocol) {
      case PROTOCOL.rsvp:
        this.#out.push(packet('rsvp', origin, octets.subarray(start, end), origin.ip.faults));
        return;
      case PROTOCOL.udp:
        this.#udp(origin, octets, start, end, base);
        return;
      case PROTOCOL.tcp:
        this.#tcp(origin, octets, start, end, base);
        return;
      case PROTOCOL.ipv4:
        if (depth < DEEPEST_TUNNEL) this.#ipv4(origin.frame, octets, start, end, base, depth + 1);
        return;
      case PROTOCOL.ipv6:
        if (depth < DEEPEST_TUNNEL) this.#ipv6(origin.frame, octets, start, end, base, depth + 1);
        return;
    }
  }

  /** RSVP in UDP: the message is the UDP payload (RFC 2205 Appendix C). */
  #udp(origin: Origin, octets: Uint8Array, start: number, end: number, base: number): void {
    if (end - start < 8 || !this.#either(this.#rsvpPorts, octets, start)) return;
    const { ip } = origin;
    const fault = udpFault(ip, octets, start, end, base);
    const faults = fault === undefined ? ip.faults : [...ip.faults, fault];
    const length = u16(octets, start + 4);
    const stop = length < 8 ? end : Math.min(end, start + length);
    this.#out.push(
      packet(
        'rsvp',
        origin,
        octets.subarray(start + 8, stop),
        faults,
        u16(octets, start),
        u16(octets, start + 2),
      ),
    );
  }

  #tcp(origin: Origin, octets: Uint8Array, start: number, end: number, base: number): void {
    if (end - start < 4 || !this.#either(this.#copsPorts, octets, start)) return;
    const segment = readTcp(octets, start, end, base, origin.frame.number, seconds(origin.frame));
    if ('code' in segment) {
      this.#out.push(faultPacket(origin.frame, origin, NO_OCTETS, [segment]));
      return;
    }
    const from = {
      frame: origin.frame,
      ip: origin.ip,
      srcPort: u16(octets, start),
      dstPort: u16(octets, start + 2),
    };
    this.#streams.push(from, segment, this.#out);
  }

  #expire(frame: Frame): void {
    for (const { header, frames, message } of this.#fragments.expired(seconds(frame))) {
      this.#missing(header, frames, message);
    }
  }

  /** Only RSVP's own: whose UDP or TCP it was is not known before it is whole. */
  #missing(origin: Origin, frames: readonly number[], message: string): void {
    if (origin.ip.protocol !== PROTOCOL.rsvp) return;
    const fault: Fault = { code: 'fragments-missing', message, where: 'fragments' };
    this.#out.push(faultPacket(origin.frame, { ...origin, frames }, NO_OCTETS, [...origin.ip.faults, fault]));
  }

  #overlap(origin: Origin, frames: readonly number[], message: string): void {
    if (origin.ip.protocol !== PROTOCOL.rsvp) return;
    const fault: Fault = { code: 'fragments-overlap', message, where: 'fragments' };
    this.#out.push(faultPacket(origin.frame, { ...origin, frames }, NO_OCTETS, [...origin.ip.faults, fault]));
  }
}

/** The messages of a capture that arrives in chunks, in one batch a chunk. */
export async function* readCapture(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: CaptureOptions = {},
): AsyncGenerator<Packet[]> {
  const decoder = new CaptureDecoder(options);
  for await (const chunk of chunks) yield decoder.push(chunk);
  yield decoder.end();
}

/** The messages of a capture that is in memory. */
export function decodeCapture(octets: Uint8Array, options: CaptureOptions = {}): Packet[] {
  const decoder = new CaptureDecoder(options);
  return decoder.push(octets).concat(decoder.end());
}

function isWanted(protocol: number): boolean {
  switch (protocol) {
    case PROTOCOL.rsvp:
    case PROTOCOL.udp:
    case PROTOCOL.tcp:
    case PROTOCOL.ipv4:
    case PROTOCOL.ipv6:
      return true;
    default:
      return false;
  }
}

function seconds({ time }: Frame): number | undefined {
  return time === undefined ? undefined : time.seconds + time.nanoseconds / 1e9;
}

function packet(
  kind: Packet['kind'],
  { ip, frame, frames }: Origin,
  payload: Uint8Array,
  faults: readonly Fault[],
  srcPort?: number,
  dstPort?: number,
): Packet {
  return {
    kind,
    frame: frame.number,
    frames,
    time: frame.time,
    src: ip.src,
    dst: ip.dst,
    srcPort,
    dstPort,
    protocol: ip.protocol,
    ttl: ip.ttl,
    routerAlert: ip.routerAlert,
    payload,
    faults,
  };
}

function faultPacket(
  frame: Frame,
  origin: Origin | undefined,
  payload: Uint8Array,
  faults: readonly Fault[],
): Packet {
  if (origin !== undefined) {
    const frames = origin.frames.length > 0 ? origin.frames : [frame.number];
    return packet('fault', { ...origin, frame, frames }, payload, faults);
  }
  return {
    kind: 'fault',
    frame: frame.number,
    frames: [frame.number],
    time: frame.time,
    src: '',
    dst: '',
    srcPort: undefined,
    dstPort: undefined,
    protocol: -1,
    ttl: 0,
    routerAlert: undefined,
    payload,
    faults,
  };
}
