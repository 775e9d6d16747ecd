import assert from 'node:assert/strict';
import {
  buildIp,
  buildIpv4,
  decodeCapture,
  fragmentIpv4,
  type CaptureOptions,
  type Packet,
} from '../index.js';
import { codes, FROM, FROM6, hex, payloads, rawIp, rsvpMessage, rsvpV4 } from './packets.js';

const MESSAGE = rsvpMessage(3000);
const BOTH = [FROM, FROM6];

const cut = (from: typeof FROM, mtu: number, payload = MESSAGE, identification = 7): Uint8Array[] =>
  buildIp({ ...from, protocol: 46, routerAlert: 0, identification }, payload, mtu);

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of permutations([...items.slice(0, i), ...items.slice(i + 1)])) yield [item, ...rest];
  }
}

const read = (packets: readonly Uint8Array[], options?: CaptureOptions): Packet[] =>
  decodeCapture(rawIp(packets), options);

/** A fragment of an IPv4 packet: octets from `offset`, of value `fill`. */
function piece(offset: number, size: number, more: boolean, fill: number): Uint8Array {
  const packet = buildIpv4({ ...FROM, protocol: 46, identification: 9 }, new Uint8Array(size).fill(fill));
  packet[6] = (more ? 0x20 : 0) | (offset >>> 11);
  packet[7] = (offset >>> 3) & 255;
  packet.set([0, 0], 10);
  // The checksum, the slow way (RFC 1071).
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += (packet[at]! << 8) | packet[at + 1]!;
  sum = (sum & 0xffff) + (sum >>> 16);
  packet.set([(~sum >>> 8) & 255, ~sum & 255], 10);
  return packet;
}

describe('capture: fragments', () => {
  for (const from of BOTH) {
    const family = from === FROM ? 'IPv4' : 'IPv6';

    it(`${family}: three fragments in any order are the message, at the frame that completes it`, () => {
      const fragments = cut(from, 1300);
      assert.equal(fragments.length, 3);
      for (const order of permutations(fragments)) {
        const packets = read(order);
        assert.deepEqual(payloads(packets), [hex(MESSAGE)]);
        assert.deepEqual(codes(packets), []);
        assert.deepEqual([packets[0]?.frame, packets[0]?.frames, packets[0]?.routerAlert], [3, [1, 2, 3], 0]);
      }
    });

    it(`${family}: at the least MTU there is`, () => {
      assert.deepEqual(payloads(read(cut(from, from === FROM ? 68 : 1280))), [hex(MESSAGE)]);
    });

    it(`${family}: fragments of several datagrams between each other`, () => {
      const other = rsvpMessage(2000);
      const [a, b] = [cut(from, 1300), cut(from, 1300, other, 8)];
      assert.deepEqual(payloads(read([a[0]!, b[1]!, b[0]!, a[2]!, a[1]!])), [hex(other), hex(MESSAGE)]);
    });

    it(`${family}: an exact duplicate changes nothing`, () => {
      const [a, b, c] = cut(from, 1300) as [Uint8Array, Uint8Array, Uint8Array];
      assert.deepEqual(payloads(read([a, a, c, b])), [hex(MESSAGE)]);
    });

    it(`${family}: a missing fragment is said at the end, with the frames that came`, () => {
      const [a, , c] = cut(from, 1300) as [Uint8Array, Uint8Array, Uint8Array];
      const packets = read([a, c]);
      assert.deepEqual(
        packets.map(({ kind, frames }) => [kind, frames]),
        [['fault', [1, 2]]],
      );
      assert.deepEqual(codes(packets), ['fragments-missing']);
    });

    it(`${family}: after 60 seconds what is missing is given up (RFC 1122 3.3.2, RFC 8200 4.5)`, () => {
      const [a, b, c] = cut(from, 1300) as [Uint8Array, Uint8Array, Uint8Array];
      assert.deepEqual(payloads(decodeCapture(rawIp([a, b, c], 30))), [hex(MESSAGE)]);
      const late = decodeCapture(rawIp([a, b, c], 31));
      assert.deepEqual(payloads(late), []);
      assert.deepEqual(codes(late), ['fragments-missing', 'fragments-missing']);
    });

    it(`${family}: a later fragment that reaches beyond the last is refused`, () => {
      const long = cut(from, 1300, rsvpMessage(3400));
      const short = cut(from, 1300);
      const packets = read([short[2]!, long[2]!, short[0]!, short[1]!]);
      assert.deepEqual(payloads(packets), []);
      assert.deepEqual(codes(packets), ['fragments-overlap']);
    });
  }

  it('IPv4: an overlap with the same octets is harmless', () => {
    const packets = read([piece(0, 24, true, 1), piece(16, 24, true, 1), piece(8, 80, false, 1)]);
    assert.deepEqual(payloads(packets), ['01'.repeat(88)]);
  });

  it('IPv4: an overlap with other octets condemns the datagram, in every order', () => {
    const pieces = [piece(0, 24, true, 1), piece(16, 24, true, 2), piece(40, 16, false, 1)];
    for (const order of permutations(pieces)) {
      const packets = read([...order, rsvpV4()]);
      assert.deepEqual(
        packets.map(({ kind }) => kind),
        ['fault', 'rsvp'],
      );
      assert.deepEqual(codes(packets), ['fragments-overlap']);
    }
  });

  it('IPv6: any overlap condemns the datagram (RFC 5722 4)', () => {
    const wide = cut(FROM6, 1300);
    const narrow = cut(FROM6, 1280);
    assert.notEqual(wide[0]!.length, narrow[0]!.length);
    const packets = read([wide[0]!, narrow[1]!, wide[1]!, wide[2]!]);
    assert.deepEqual(payloads(packets), []);
    assert.deepEqual(codes(packets), ['fragments-overlap']);
  });

  it('IPv4: fragments that would make more than 65,535 octets are refused', () => {
    const packets = read([piece(0, 24, true, 1), piece(65_528, 24, false, 1)]);
    assert.deepEqual(codes(packets), ['fragments-overlap']);
    assert.match(packets[0]!.faults[0]!.message, /65552/);
  });

  it('a flood of fragments that never become whole holds no more than the limit', () => {
    const flood = Array.from({ length: 500 }, (_, i) => cut(FROM, 1300, MESSAGE, i + 100)[0]!);
    const victim = cut(FROM, 1300);
    const packets = decodeCapture(rawIp([victim[0]!, ...flood, ...victim.slice(1)], 0.001), {
      fragments: { octets: 100_000 },
    });
    const given = packets.filter(({ faults }) => faults.length > 0);
    assert.deepEqual(payloads(packets), []);
    // 100,000 octets are about seventy first fragments; the rest was given up on the way.
    assert.ok(given.findIndex(({ frames }) => frames[0] === 1) === 0);
    assert.equal(given.length, 502);
  });

  it('a packet that may not be fragmented is not', () => {
    const packet = buildIpv4({ ...FROM, protocol: 46, dontFragment: true }, MESSAGE);
    assert.throws(() => fragmentIpv4(packet, 1300), RangeError);
    assert.equal(fragmentIpv4(packet, 9000)[0], packet);
  });

  it('IPv4: options with the copied flag go into every fragment (RFC 791 3.1)', () => {
    assert.deepEqual(
      cut(FROM, 1300).map((packet) => hex(packet.subarray(20, 24))),
      ['94040000', '94040000', '94040000'],
    );
  });
});
