import { readdirSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { fixturePath, sharedPath } from '../../../fixtures/index.js';

/** An RSVP message as it stood in an IP packet of a capture. */
export interface Captured {
  readonly file: string;
  readonly frame: number;
  readonly octets: Uint8Array;
}

/**
 * RSVP messages out of Ethernet pcap files, so little of the format as these tests need: whole IPv4 packets with
 * protocol 46. `rsvp/capture` is the real reader, and depends on this folder.
 */
export function capturedMessages(): Captured[] {
  const shared = sharedPath('captures/communityid-rsvp.pcap');
  const files = readdirSync(fixturePath('captures'))
    .filter((name) => name.endsWith('.pcap') && name.startsWith('kom-'))
    .map((name) => fixturePath(`captures/${name}`));
  return [...files, ...(shared === undefined ? [] : [shared])].flatMap(messagesOf);
}

function messagesOf(path: string): Captured[] {
  const file = readFileSync(path);
  const little = file.readUInt32LE(0) === 0xa1b2c3d4 || file.readUInt32LE(0) === 0xa1b23c4d;
  const u32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const linkType = u32(20);
  const header = { 1: 14, 101: 0, 113: 16 }[linkType];
  if (header === undefined) throw new Error(`${path}: link type ${linkType}`);
  const found: Captured[] = [];
  let frame = 0;
  for (let at = 24; at < file.length;) {
    const size = u32(at + 8);
    const packet = file.subarray(at + 16 + header, at + 16 + size);
    at += 16 + size;
    frame++;
    if ((packet[0] ?? 0) >> 4 !== 4 || packet[9] !== 46) continue;
    const ipHeader = ((packet[0] ?? 0) & 15) * 4;
    const octets = Uint8Array.from(packet.subarray(ipHeader, packet.readUInt16BE(2)));
    found.push({ file: path.replace(/.*\//, ''), frame, octets });
  }
  return found;
}
