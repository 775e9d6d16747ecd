import assert from 'node:assert/strict';
import {
  buildIp,
  buildIpv4,
  buildUdp,
  CaptureDecoder,
  decodeCapture,
  TcpConversation,
  type Packet,
} from '../index.js';
import { copsMessage, FROM, FROM6, rawIp, rsvpMessage, rsvpV4, rsvpV6, unhex } from './packets.js';

/** A small pcapng file: section, interface, two enhanced packet blocks. */
function pcapng(): Uint8Array {
  const block = (type: number, body: readonly number[]): number[] => {
    const size = 12 + body.length;
    return [0, 0, 0, type, 0, 0, 0, size, ...body, 0, 0, 0, size];
  };
  const packet = rsvpV4(rsvpMessage(16));
  const sizes = [0, 0, 0, packet.length, 0, 0, 0, packet.length];
  const epb = block(6, [...new Array<number>(12).fill(0), ...sizes, ...packet]);
  const shb = unhex('0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c');
  return Uint8Array.from([...shb, ...block(1, [0, 101, 0, 0, 0, 0, 0, 0]), ...epb, ...epb]);
}

const talk = new TcpConversation({ address: FROM.src, port: 4000 }, { address: FROM.dst, port: 3288 });

const CAPTURES: Readonly<Record<string, Uint8Array>> = {
  pcapng: pcapng(),
  'IPv4 and UDP': rawIp([
    rsvpV4(rsvpMessage(16)),
    buildIpv4({ ...FROM, protocol: 17 }, buildUdp(FROM, 1698, 1698, rsvpMessage(8))),
  ]),
  'IPv6 fragments': rawIp([
    ...buildIp({ ...FROM6, protocol: 46, routerAlert: 0 }, rsvpMessage(64), 88),
    rsvpV6(rsvpMessage(8)),
  ]),
  'IPv4 fragments': rawIp(buildIp({ ...FROM, protocol: 46, routerAlert: 0 }, rsvpMessage(64), 56)),
  COPS: rawIp([...talk.open(), ...talk.send('client', copsMessage(1, 24), 20), ...talk.close()]),
};

/** What every packet is, whatever the octets were. */
function assertSound(packets: readonly Packet[]): void {
  for (const packet of packets) {
    assert.ok(packet.kind !== 'fault' || packet.faults.length > 0, 'a fault that says nothing');
    for (const { message, where } of packet.faults) assert.ok(message !== '' && where !== '');
    assert.ok(packet.frames.length > 0);
  }
}

describe('capture: hostile input', () => {
  for (const [name, octets] of Object.entries(CAPTURES)) {
    it(`${name}: every prefix ends in packets and faults`, () => {
      for (let length = 0; length < octets.length; length++)
        assertSound(decodeCapture(octets.subarray(0, length)));
    });

    it(`${name}: every change of one octet ends in packets and faults, whole or in chunks`, () => {
      const changed = octets.slice();
      for (let at = 0; at < octets.length; at++) {
        for (const change of [0x01, 0x80, 0xff]) {
          changed[at] = octets[at]! ^ change;
          const whole = decodeCapture(changed);
          assertSound(whole);
          const decoder = new CaptureDecoder();
          const parts = [
            ...decoder.push(changed.subarray(0, at)),
            ...decoder.push(changed.subarray(at)),
            ...decoder.end(),
          ];
          assert.deepEqual(
            parts.map(({ kind, frame }) => [kind, frame]),
            whole.map(({ kind, frame }) => [kind, frame]),
          );
        }
        changed[at] = octets[at]!;
      }
    });
  }

  it('a file of zeros, of ones and of records that claim the most: an end, in bounded memory', () => {
    for (const fill of [0, 0x01, 0x7f, 0xff]) {
      const octets = new Uint8Array(1 << 20).fill(fill);
      octets.set(rawIp([]), 0);
      assertSound(decodeCapture(octets));
      octets.set(pcapng().subarray(0, 48), 0);
      assertSound(decodeCapture(octets));
    }
  });
});
