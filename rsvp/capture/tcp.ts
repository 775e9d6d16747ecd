import type { Fault } from './fault.js';
import { u32, u8 } from './octets.js';
import type { Segment } from './tcp-stream.js';

const TCP_HEADER = 20;
const FIN = 1;
const SYN = 2;
const RST = 4;

/**
 * Reads a TCP header (RFC 9293 3.1). The checksum is not checked: segments that a host sends are captured before
 * its network card has filled it in, and large ones before they are cut.
 */
export function readTcp(
  octets: Uint8Array,
  start: number,
  end: number,
  base: number,
  frame: number,
  time: number | undefined,
): Segment | Fault {
  const headerLength = end - start < TCP_HEADER ? 0 : (u8(octets, start + 12) >>> 4) * 4;
  if (headerLength < TCP_HEADER || start + headerLength > end) {
    const message = `a header length of ${headerLength} in a segment of ${end - start} octets`;
    return { code: 'header', message, where: `TCP header at octet ${start - base}` };
  }
  const flags = u8(octets, start + 13);
  return {
    sequence: u32(octets, start + 4),
    syn: (flags & SYN) !== 0,
    fin: (flags & FIN) !== 0,
    rst: (flags & RST) !== 0,
    octets,
    start: start + headerLength,
    end,
    frame,
    time,
  };
}
