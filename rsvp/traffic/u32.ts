import { ipv4Number, ipv6Octets } from '../wire/address.js';
import type { Flow } from './flow.js';
import { PROTOCOL_AH } from './flow.js';

/**
 * A flow as the kernel's u32 classifier sees it: words of the IP packet with masks, and the place in two levels of hash tables,
 * each of 256 buckets, so that a packet meets few filters whatever their number: by the last octet of the destination, then
 * by the last octet of the destination port, of the SPI or of the flow label. A flow that has none of these stands in the
 * first level.
 *
 * Offsets are fixed: packets with IPv4 options or IPv6 extension headers before the transport header are not found and get best
 * effort; so do fragments but the first (RFC 2205 1.2 has applications avoid fragmentation). A second list for such packets
 * could not be hashed, and would let anybody who sends them have the router walk through every filter.
 */
export interface Selector {
  readonly family: 4 | 6;
  /** Bucket of the first level. */
  readonly first: number;
  /** The second level. */
  readonly second?: { readonly kind: SecondLevel; readonly bucket: number };
  readonly keys: readonly Key[];
}

export type SecondLevel = 'port' | 'label' | 'ah';

/** 32 bits of the packet at `at` octets after the start of the IP header, under a mask. */
export interface Key {
  readonly value: number;
  readonly mask: number;
  readonly at: number;
}

/** Where the words stand. */
const LAYOUT = {
  4: { source: 12, destination: 16, transport: 20, words: 1 },
  6: { source: 8, destination: 24, transport: 40, words: 4 },
} as const;

export function selectorOf(flow: Flow): Selector {
  const { family, destination, source } = flow;
  const layout = LAYOUT[family];
  const destinationWords = addressWords(destination, family);
  const keys = [...addressKeys(destinationWords, layout.destination)];
  const first = (destinationWords.at(-1) as number) & 0xff;
  const second = secondLevel(flow);
  const transport = transportKey(flow, layout.transport);
  if (transport !== undefined) keys.push(transport);
  if (flow.flowLabel !== undefined) keys.push({ value: flow.flowLabel, mask: 0xfffff, at: 0 });
  if (source !== undefined) keys.push(...addressKeys(addressWords(source, family), layout.source));
  if (flow.protocol !== undefined) keys.push(...protocolKeys(flow.protocol, family, transport !== undefined));
  return { family, first, ...(second === undefined ? {} : { second }), keys };
}

/** What the second level of tables hashes by. */
export function hashKeyOf(family: 4 | 6, kind: SecondLevel): { readonly mask: number; readonly at: number } {
  const { transport } = LAYOUT[family];
  return { mask: 0xff, at: kind === 'label' ? 0 : kind === 'ah' ? transport + 4 : transport };
}

/** What the first level hashes by: the last word of the destination. */
export function firstHashAt(family: 4 | 6): number {
  return family === 4 ? 16 : 36;
}

function secondLevel({ flowLabel, spi, protocol, destinationPort }: Flow): Selector['second'] {
  if (flowLabel !== undefined) return { kind: 'label', bucket: flowLabel & 0xff };
  if (spi !== undefined) return { kind: protocol === PROTOCOL_AH ? 'ah' : 'port', bucket: spi & 0xff };
  if (destinationPort !== undefined) return { kind: 'port', bucket: destinationPort & 0xff };
  return undefined;
}

function transportKey({ spi, protocol, sourcePort, destinationPort }: Flow, at: number): Key | undefined {
  // RFC 4303 2: the SPI is the first word of ESP; RFC 4302 2: and the second of AH.
  if (spi !== undefined) return { value: spi, mask: 0xffff_ffff, at: protocol === PROTOCOL_AH ? at + 4 : at };
  if (sourcePort === undefined && destinationPort === undefined) return undefined;
  const mask =
    ((sourcePort === undefined ? 0 : 0xffff_0000) | (destinationPort === undefined ? 0 : 0xffff)) >>> 0;
  return { value: (((sourcePort ?? 0) << 16) | (destinationPort ?? 0)) >>> 0, mask, at };
}

function protocolKeys(protocol: number, family: 4 | 6, looksBehind: boolean): Key[] {
  if (family === 6) return [{ value: protocol << 8, mask: 0xff00, at: 4 }];
  const key = { value: protocol << 16, mask: 0xff_0000, at: 8 };
  // Only the first fragment has what stands behind the header.
  return looksBehind ? [key, { value: 0, mask: 0x1fff, at: 4 }] : [key];
}

/** The last word first: it differs most. */
function addressKeys(words: readonly number[], at: number): Key[] {
  return words.map((value, i) => ({ value, mask: 0xffff_ffff, at: at + 4 * i })).reverse();
}

function addressWords(address: string, family: 4 | 6): number[] {
  if (family === 4) {
    const word = ipv4Number(address);
    if (word === undefined) throw new TypeError(`address: expected an IPv4 address, got \`${address}\``);
    return [word >>> 0];
  }
  const octets = ipv6Octets(address);
  if (octets === undefined) throw new TypeError(`address: expected an IPv6 address, got \`${address}\``);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return [0, 4, 8, 12].map((at) => view.getUint32(at));
}
