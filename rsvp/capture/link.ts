import { u16, u32, u8 } from './octets.js';

/** LINKTYPE_ values that are read (https://www.tcpdump.org/linktypes.html). */
export const LINK = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  rawBsd: 12,
  rawOpenBsd: 14,
  pppHdlc: 50,
  pppoe: 51,
  raw: 101,
  ciscoHdlc: 104,
  loop: 108,
  linuxCooked: 113,
  ipv4: 228,
  ipv6: 229,
  linuxCooked2: 276,
} as const;

/** What the link carries, and where it begins. */
export interface LinkPayload {
  readonly etherType: number;
  readonly start: number;
}

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;
/** The link carries something that is not IP: nothing to say about it. */
const OTHER = 0;

/**
 * Steps over the link header. Undefined where the frame is too short for it or the header makes no sense,
 * `unknown` where the link type is not one of `LINK`.
 */
export function linkPayload(
  linkType: number,
  octets: Uint8Array,
  start: number,
  end: number,
): LinkPayload | 'unknown' | undefined {
  switch (linkType) {
    case LINK.ethernet:
      return end - start < 14 ? undefined : ethernet(octets, start + 12, end);
    case LINK.linuxCooked:
      return end - start < 16 ? undefined : ethernet(octets, start + 14, end);
    case LINK.linuxCooked2:
      return end - start < 20 ? undefined : etherPayload(u16(octets, start), octets, start + 20, end);
    case LINK.raw:
    case LINK.rawBsd:
    case LINK.rawOpenBsd:
    case LINK.ipv4:
    case LINK.ipv6:
      return byVersion(octets, start, end);
    case LINK.null:
    case LINK.loop:
      return end - start < 4 ? undefined : addressFamily(u32(octets, start), octets, start + 4, end);
    case LINK.ppp:
      return ppp(octets, start, end);
    case LINK.pppHdlc:
    case LINK.ciscoHdlc:
      return hdlc(octets, start, end);
    case LINK.pppoe:
      return pppoe(octets, start, end);
    default:
      return 'unknown';
  }
}

/** At a type or length field: what follows it, VLAN tags (802.1Q, 802.1ad) and LLC/SNAP included. */
function ethernet(octets: Uint8Array, at: number, end: number): LinkPayload | undefined {
  const type = u16(octets, at);
  if (type >= 0x0600) return etherPayload(type, octets, at + 2, end);
  const snap = end - at >= 10 && u32(octets, at + 2) === 0xaaaa0300 && u16(octets, at + 6) === 0;
  return snap ? etherPayload(u16(octets, at + 8), octets, at + 10, end) : { etherType: OTHER, start: at + 2 };
}

function etherPayload(type: number, octets: Uint8Array, start: number, end: number): LinkPayload | undefined {
  switch (type) {
    case ETHERTYPE_IPV4:
    case ETHERTYPE_IPV6:
      return { etherType: type, start };
    case 0x8100: // 802.1Q
    case 0x88a8: // 802.1ad
    case 0x9100: // QinQ before 802.1ad
    case 0x9200:
      return end - start < 4 ? undefined : ethernet(octets, start + 2, end);
    case 0x8847: // MPLS: RSVP of a tunnel's ends may travel in the tunnel
    case 0x8848:
      return mpls(octets, start, end);
    case 0x8864:
      return pppoe(octets, start, end);
    default:
      return { etherType: OTHER, start };
  }
}

function mpls(octets: Uint8Array, start: number, end: number): LinkPayload | undefined {
  for (let at = start; at + 4 <= end; at += 4) {
    const bottomOfStack = (u8(octets, at + 2) & 1) !== 0;
    if (bottomOfStack) return byVersion(octets, at + 4, end);
  }
  return undefined;
}

function byVersion(octets: Uint8Array, start: number, end: number): LinkPayload | undefined {
  if (start >= end) return undefined;
  const version = u8(octets, start) >>> 4;
  if (version === 4) return { etherType: ETHERTYPE_IPV4, start };
  if (version === 6) return { etherType: ETHERTYPE_IPV6, start };
  return { etherType: OTHER, start };
}

/** AF_INET6 differs from system to system, and NULL has the byte order of the capturing host. */
function addressFamily(
  family: number,
  octets: Uint8Array,
  start: number,
  end: number,
): LinkPayload | undefined {
  const value = family > 0xffff ? family >>> 24 : family;
  const isIp = value === 2 || value === 10 || value === 24 || value === 28 || value === 30;
  return isIp ? byVersion(octets, start, end) : { etherType: OTHER, start };
}

/** PPP (RFC 1661), with or without HDLC-like framing (RFC 1662) and compressed protocol field. */
function ppp(octets: Uint8Array, start: number, end: number): LinkPayload | undefined {
  const framed = end - start >= 2 && u16(octets, start) === 0xff03;
  const at = framed ? start + 2 : start;
  if (at >= end) return undefined;
  if ((u8(octets, at) & 1) !== 0) return pppPayload(u8(octets, at), octets, at + 1, end);
  return end - at < 2 ? undefined : pppPayload(u16(octets, at), octets, at + 2, end);
}

function pppPayload(
  protocol: number,
  octets: Uint8Array,
  start: number,
  end: number,
): LinkPayload | undefined {
  switch (protocol) {
    case 0x0021:
      return { etherType: ETHERTYPE_IPV4, start };
    case 0x0057:
      return { etherType: ETHERTYPE_IPV6, start };
    case 0x0281:
    case 0x0283:
      return mpls(octets, start, end);
    default:
      return { etherType: OTHER, start };
  }
}

/** PPP in HDLC-like framing, or Cisco HDLC: address 0x0f or 0x8f, control 0, EtherType. */
function hdlc(octets: Uint8Array, start: number, end: number): LinkPayload | undefined {
  const address = u8(octets, start);
  if (address !== 0x0f && address !== 0x8f) return ppp(octets, start, end);
  return end - start < 4 ? undefined : etherPayload(u16(octets, start + 2), octets, start + 4, end);
}

function pppoe(octets: Uint8Array, start: number, end: number): LinkPayload | undefined {
  return end - start < 8 ? undefined : ppp(octets, start + 6, end);
}
