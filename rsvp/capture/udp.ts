import { parseAddress } from './address.js';
import { fold, internetChecksum, pseudoHeaderSum, sum16 } from './checksum.js';
import type { Fault } from './fault.js';
import { hex16, type IpHeader } from './ip.js';
import { u16 } from './octets.js';

const UDP = 17;

/**
 * What is wrong with a UDP header (RFC 768): its length or its checksum. A checksum that holds the sum of the
 * pseudo header alone was left to the network card of the host that captured, and is not wrong.
 */
export function udpFault(
  ip: IpHeader,
  octets: Uint8Array,
  start: number,
  end: number,
  base: number,
): Fault | undefined {
  const length = u16(octets, start + 4);
  if (length < 8 || start + length > end) {
    if (ip.faults.some(({ code }) => code === 'truncated')) return undefined;
    const message = `a length of ${length} in a datagram of ${end - start} octets`;
    return { code: 'header', message, where: `UDP header at octet ${start + 4 - base}` };
  }
  const found = u16(octets, start + 6);
  if (found === 0) return undefined;
  const src = parseAddress(ip.src);
  const dst = parseAddress(ip.dst);
  const pseudo = pseudoHeaderSum(dst, 0, dst.length, UDP, length) + sum16(src, 0, src.length);
  if (fold(pseudo + sum16(octets, start, start + length)) === 0xffff || fold(pseudo) === found)
    return undefined;
  const without = pseudo + sum16(octets, start, start + 6);
  const expected = internetChecksum(octets, start + 8, start + length, without) || 0xffff;
  const message = `the UDP checksum is ${hex16(found)}, ${hex16(expected)} was expected`;
  return { code: 'checksum', message, where: `UDP header at octet ${start + 6 - base}` };
}
