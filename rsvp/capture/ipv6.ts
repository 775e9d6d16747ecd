import type { AddressBook } from './address.js';
import { NO_FAULTS, type Fault } from './fault.js';
import { isRefusal, refusal, truncated, type FragmentPlace, type IpHeader, type IpRefusal } from './ip.js';
import { u16, u32, u8 } from './octets.js';

const IPV6_HEADER = 40;
const ROUTER_ALERT = 5;

/** Extension headers (RFC 8200 4) that are stepped over; 44 is the fragment header. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
const MOBILITY = 135;

function isExtension(header: number): boolean {
  switch (header) {
    case HOP_BY_HOP:
    case ROUTING:
    case FRAGMENT:
    case AUTHENTICATION:
    case DESTINATION:
    case MOBILITY:
      return true;
    default:
      return false;
  }
}

/** Reads an IPv6 header and its extension headers; `wanted` as in `readIpv4`. */
export function readIpv6(
  octets: Uint8Array,
  start: number,
  end: number,
  frameStart: number,
  book: AddressBook,
  wanted: (protocol: number) => boolean,
): IpHeader | IpRefusal | undefined {
  const at = start - frameStart;
  if (end - start < IPV6_HEADER) return refusal('IPv6', at, `${end - start} octets are no header`);
  const first = u8(octets, start + 6);
  if (!wanted(first) && !isExtension(first)) return undefined;
  if (u8(octets, start) >>> 4 !== 6) return refusal('IPv6', at, `a version of ${u8(octets, start) >>> 4}`);
  const announced = u16(octets, start + 4);
  const total = announced === 0 ? end - start : IPV6_HEADER + announced;
  const chain = extensions(octets, first, start + IPV6_HEADER, Math.min(end, start + total), frameStart);
  if (isRefusal(chain)) return chain;
  const later = chain.fragment !== undefined && isExtension(chain.protocol);
  if (!wanted(chain.protocol) && !later) return undefined;
  const faults = chain.faults;
  if (start + total > end) faults.push(truncated('IPv6', at, end - start, total));
  return {
    src: book.ipv6(octets, start + 8),
    dst: book.ipv6(octets, start + 24),
    protocol: chain.protocol,
    ttl: u8(octets, start + 7),
    routerAlert: chain.routerAlert,
    start: chain.start,
    end: Math.min(end, start + total),
    fragment: chain.fragment,
    faults: faults.length === 0 ? NO_FAULTS : faults,
  };
}

export interface ExtensionChain {
  readonly protocol: number;
  readonly start: number;
  readonly routerAlert: number | undefined;
  readonly fragment: FragmentPlace | undefined;
  readonly faults: Fault[];
}

/**
 * Steps over extension headers, up to the payload or to a fragment whose payload is to be put together first.
 * A fragment that is the whole datagram (RFC 6946) is stepped over like any header.
 */
export function extensions(
  octets: Uint8Array,
  first: number,
  start: number,
  end: number,
  frameStart: number,
): ExtensionChain | IpRefusal {
  let protocol = first;
  let at = start;
  let routerAlert: number | undefined;
  const faults: Fault[] = [];
  while (isExtension(protocol)) {
    if (at + 8 > end) {
      return refusal(
        `IPv6 extension header ${protocol}`,
        at - frameStart,
        `${end - at} octets are no header`,
      );
    }
    const next = u8(octets, at);
    if (protocol === FRAGMENT) {
      const place = u16(octets, at + 2);
      const fragment = {
        identification: u32(octets, at + 4),
        offset: place & 0xfff8,
        more: (place & 1) !== 0,
      };
      at += 8;
      if (fragment.offset > 0 || fragment.more) {
        return { protocol: next, start: at, routerAlert, fragment, faults };
      }
    } else {
      const unit = protocol === AUTHENTICATION ? 4 : 8;
      const length =
        protocol === AUTHENTICATION ? (u8(octets, at + 1) + 2) * unit : (u8(octets, at + 1) + 1) * unit;
      if (at + length > end) {
        return refusal(
          `IPv6 extension header ${protocol}`,
          at - frameStart,
          `a length of ${length} where ${end - at} octets are left`,
        );
      }
      if (protocol === HOP_BY_HOP)
        routerAlert = ipv6RouterAlert(octets, at + 2, at + length, frameStart, faults);
      at += length;
    }
    protocol = next;
  }
  return { protocol, start: at, routerAlert, fragment: undefined, faults };
}

/** RFC 2711: option type 5, length 2, value. */
function ipv6RouterAlert(
  octets: Uint8Array,
  start: number,
  end: number,
  frameStart: number,
  faults: Fault[],
): number | undefined {
  let alert: number | undefined;
  for (let at = start; at < end;) {
    const type = u8(octets, at);
    if (type === 0) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? u8(octets, at + 1) : end;
    if (at + 2 + length > end) {
      faults.push({
        code: 'header',
        message: `option ${type} has a length of ${length}, ${Math.max(0, end - at - 2)} octets are left`,
        where: `IPv6 hop-by-hop options at octet ${at - frameStart}`,
      });
      break;
    }
    if (type === ROUTER_ALERT && length === 2) alert = u16(octets, at + 2);
    at += 2 + length;
  }
  return alert;
}
