import type { AddressBook } from './address.js';
import { fold, sum16 } from './checksum.js';
import { NO_FAULTS, type Fault } from './fault.js';
import { hex16, refusal, truncated, type IpHeader, type IpRefusal } from './ip.js';
import { u16, u8 } from './octets.js';

const IPV4_HEADER = 20;
const ROUTER_ALERT = 148;

/**
 * Reads an IPv4 header (RFC 791). `wanted` is asked for the protocol before anything else is done: most
 * packets of a capture are nobody's business here, and undefined is returned for them.
 */
export function readIpv4(
  octets: Uint8Array,
  start: number,
  end: number,
  frameStart: number,
  book: AddressBook,
  wanted: (protocol: number) => boolean,
): IpHeader | IpRefusal | undefined {
  const at = start - frameStart;
  if (end - start < IPV4_HEADER) return refusal('IPv4', at, `${end - start} octets are no header`);
  const headerLength = (u8(octets, start) & 15) * 4;
  const protocol = u8(octets, start + 9);
  if (!wanted(protocol)) return undefined;
  if (u8(octets, start) >>> 4 !== 4 || headerLength < IPV4_HEADER || start + headerLength > end) {
    return refusal(
      'IPv4',
      at,
      `version and header length 0x${u8(octets, start).toString(16)} do not fit ${end - start} octets`,
    );
  }
  // 0: the sender's network card was to cut the packet and fill this in.
  const announced = u16(octets, start + 2);
  const total = announced === 0 ? end - start : announced;
  if (total < headerLength) {
    return refusal('IPv4', at + 2, `a total length of ${total} is less than the header's ${headerLength}`);
  }
  const faults: Fault[] = [];
  const sum = sum16(octets, start, start + headerLength);
  if (fold(sum) !== 0xffff) {
    const found = u16(octets, start + 10);
    const expected = ~fold(sum - found) & 0xffff;
    faults.push({
      code: 'checksum',
      message: `the IPv4 header checksum is ${hex16(found)}, ${hex16(expected)} was expected`,
      where: `IPv4 header at octet ${at + 10}`,
    });
  }
  if (start + total > end) faults.push(truncated('IPv4', at, end - start, total));
  const flags = u16(octets, start + 6);
  const fragmented = (flags & 0x3fff) !== 0;
  return {
    src: book.ipv4(octets, start + 12),
    dst: book.ipv4(octets, start + 16),
    protocol,
    ttl: u8(octets, start + 8),
    routerAlert:
      headerLength > IPV4_HEADER
        ? ipv4RouterAlert(octets, start, headerLength, frameStart, faults)
        : undefined,
    start: start + headerLength,
    end: Math.min(end, start + total),
    fragment: fragmented
      ? {
          identification: u16(octets, start + 4),
          offset: (flags & 0x1fff) * 8,
          more: (flags & 0x2000) !== 0,
        }
      : undefined,
    faults: faults.length === 0 ? NO_FAULTS : faults,
  };
}

/** RFC 2113: type 148, length 4, value. */
function ipv4RouterAlert(
  octets: Uint8Array,
  start: number,
  headerLength: number,
  frameStart: number,
  faults: Fault[],
): number | undefined {
  const end = start + headerLength;
  let alert: number | undefined;
  for (let at = start + IPV4_HEADER; at < end;) {
    const type = u8(octets, at);
    if (type === 0) break;
    if (type === 1) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? u8(octets, at + 1) : 0;
    if (length < 2 || at + length > end) {
      faults.push({
        code: 'header',
        message: `option ${type} has a length of ${length}, ${end - at} octets are left`,
        where: `IPv4 options at octet ${at - frameStart}`,
      });
      break;
    }
    if (type === ROUTER_ALERT && length === 4) alert = u16(octets, at + 2);
    at += length;
  }
  return alert;
}
