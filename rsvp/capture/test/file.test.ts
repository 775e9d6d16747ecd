import assert from 'node:assert/strict';
import { CaptureDecoder, decodeCapture, LINK, pcapFile, timestampText, type Packet } from '../index.js';
import { codes, hex, payloads, rawIp, rsvpMessage, rsvpV4, unhex } from './packets.js';

/** A number of 2, 4 or 8 octets in a byte order. */
type Put = (value: number | bigint, size: number) => string;
const bigEndian: Put = (value, size) =>
  BigInt.asUintN(size * 8, BigInt(value))
    .toString(16)
    .padStart(size * 2, '0');
const littleEndian: Put = (value, size) => (bigEndian(value, size).match(/../g) ?? []).reverse().join('');

const RSVP = rsvpV4();
const padded = hex(RSVP) + '00'.repeat((4 - (RSVP.length % 4)) % 4);

function pcap(put: Put, magic: number, fraction: number): Uint8Array {
  const header = put(magic, 4) + put(2, 2) + put(4, 2) + put(0, 8) + put(65535, 4) + put(LINK.raw, 4);
  const record = put(1_700_000_000, 4) + put(fraction, 4) + put(RSVP.length, 4) + put(RSVP.length, 4);
  return unhex(header + record + hex(RSVP));
}

function block(put: Put, type: number, body: string): string {
  const length = 12 + body.length / 2;
  return put(type, 4) + put(length, 4) + body + put(length, 4);
}

const section = (put: Put): string =>
  block(put, 0x0a0d0d0a, put(0x1a2b3c4d, 4) + put(1, 2) + put(0, 2) + put(-1, 8));
const anInterface = (put: Put, options = '', snap = 0): string =>
  block(put, 1, put(LINK.raw, 2) + put(0, 2) + put(snap, 4) + options);
const tsresol = (put: Put, value: number): string =>
  `${put(9, 2)}${put(1, 2)}${value.toString(16).padStart(2, '0')}000000`;
const tsoffset = (put: Put, value: number): string => put(14, 2) + put(8, 2) + put(value, 8);

function enhanced(put: Put, ticks: bigint, id = 0): string {
  const length = put(RSVP.length, 4);
  return block(
    put,
    6,
    put(id, 4) + put(ticks >> 32n, 4) + put(ticks & 0xffffffffn, 4) + length + length + padded,
  );
}

const timeOf = (packet: Packet | undefined): string | undefined => packet?.time && timestampText(packet.time);

function onlyRsvp(octets: Uint8Array): Packet {
  const packets = decodeCapture(octets);
  assert.deepEqual(codes(packets), []);
  assert.deepEqual(payloads(packets), [hex(rsvpMessage())]);
  return packets[0]!;
}

describe('capture: pcap', () => {
  for (const [name, put] of [
    ['big-endian', bigEndian],
    ['little-endian', littleEndian],
  ] as const) {
    it(`${name}, microseconds`, () => {
      assert.equal(timeOf(onlyRsvp(pcap(put, 0xa1b2c3d4, 12))), '1700000000.000012');
    });

    it(`${name}, nanoseconds`, () => {
      assert.equal(timeOf(onlyRsvp(pcap(put, 0xa1b23c4d, 12))), '1700000000.000000012');
    });
  }

  it('an empty file with a header has no packets', () => {
    assert.deepEqual(decodeCapture(rawIp([])), []);
  });

  it('chunks of every size give the same packets as the whole', () => {
    const octets = rawIp([RSVP, RSVP, rsvpV4(rsvpMessage(300))]);
    const whole = decodeCapture(octets).map(({ frame, payload }) => [frame, hex(payload)]);
    for (let size = 1; size < octets.length; size++) {
      const decoder = new CaptureDecoder();
      const packets: Packet[] = [];
      for (let at = 0; at < octets.length; at += size)
        packets.push(...decoder.push(octets.subarray(at, at + size)));
      packets.push(...decoder.end());
      assert.deepEqual(
        packets.map(({ frame, payload }) => [frame, hex(payload)]),
        whole,
      );
    }
  });

  it('a file that ends within a record says so behind its whole records', () => {
    const octets = rawIp([RSVP, RSVP]);
    const packets = decodeCapture(octets.subarray(0, octets.length - 5));
    assert.deepEqual(
      packets.map(({ kind, frame }) => [kind, frame]),
      [
        ['rsvp', 1],
        ['fault', 2],
      ],
    );
    assert.deepEqual(codes(packets), ['cut-short']);
  });

  it('a record with an impossible length is said, and the records behind it are read', () => {
    const octets = rawIp([RSVP, RSVP, RSVP, RSVP]);
    const second = 24 + 16 + RSVP.length;
    octets.set([0xff, 0xff, 0xff, 0xff], second + 8);
    const packets = decodeCapture(octets);
    assert.deepEqual(
      packets.map(({ kind }) => kind),
      ['rsvp', 'fault', 'rsvp', 'rsvp'],
    );
    assert.equal(packets[1]?.faults[0]?.where, `file at octet ${second}`);
  });

  it('a packet cut by the snap length says how much there is', () => {
    const octets = pcapFile([{ time: { seconds: 1, nanoseconds: 0 }, octets: RSVP }], { snapLength: 50 });
    const [packet] = decodeCapture(octets);
    assert.equal(packet?.payload.length, 50 - 24);
    assert.deepEqual(packet.faults, [
      {
        code: 'truncated',
        message: `the capture holds 50 of the packet's ${RSVP.length} octets`,
        where: 'IPv4 header at octet 0',
      },
    ]);
  });

  it('what is no capture is refused with what it begins with', () => {
    const [packet] = decodeCapture(Buffer.from('GIF89a'));
    assert.equal(packet?.faults[0]?.message, 'neither a pcap nor a pcapng file: it begins with 0x47494638');
    assert.deepEqual(codes(decodeCapture(new Uint8Array(0))), ['format']);
  });
});

describe('capture: pcapng', () => {
  for (const [name, put] of [
    ['big-endian', bigEndian],
    ['little-endian', littleEndian],
  ] as const) {
    it(`${name}: Enhanced Packet Block in microseconds`, () => {
      const octets = unhex(section(put) + anInterface(put) + enhanced(put, 1_700_000_000_000_012n));
      assert.equal(timeOf(onlyRsvp(octets)), '1700000000.000012');
    });

    it(`${name}: if_tsresol of 10^-9, 2^-10 and 10^-12, if_tsoffset`, () => {
      const at = (resolution: number, ticks: bigint, offset = 0): string | undefined =>
        timeOf(
          onlyRsvp(
            unhex(
              section(put) +
                anInterface(put, tsresol(put, resolution) + tsoffset(put, offset)) +
                enhanced(put, ticks),
            ),
          ),
        );
      assert.equal(at(9, 1_700_000_000_123_456_789n), '1700000000.123456789');
      assert.equal(at(0x8a, (1_700_000_000n << 10n) | 512n), '1700000000.500000');
      assert.equal(at(12, 1_700_000_123_456_789_012n), '1700000.123456789');
      assert.equal(at(6, 5_000_001n, 1_700_000_000), '1700000005.000001');
      assert.equal(at(6, 5_000_001n, -3), '2.000001');
    });

    it(`${name}: old Packet Block and Simple Packet Block`, () => {
      const length = put(RSVP.length, 4);
      const old = block(put, 2, put(0, 2) + put(0, 2) + put(0, 4) + put(7, 4) + length + length + padded);
      assert.equal(timeOf(onlyRsvp(unhex(section(put) + anInterface(put) + old))), '0.000007');
      const simple = block(put, 3, length + padded);
      assert.equal(onlyRsvp(unhex(section(put) + anInterface(put) + simple)).time, undefined);
    });
  }

  it('a Simple Packet Block holds as much as the snap length of interface 0', () => {
    const put = littleEndian;
    const simple = block(put, 3, put(1500, 4) + padded.slice(0, 80));
    const [packet] = decodeCapture(unhex(section(put) + anInterface(put, '', 38) + simple));
    assert.equal(packet?.payload.length, 38 - 24);
    assert.deepEqual(codes([packet]), ['truncated']);
  });

  it('unknown blocks are stepped over, a second section has its own byte order and interfaces', () => {
    const unknown = block(bigEndian, 0x0bad, '00'.repeat(400));
    const first = section(bigEndian) + unknown + anInterface(bigEndian) + unknown + enhanced(bigEndian, 1n);
    const second =
      section(littleEndian) +
      anInterface(littleEndian, tsresol(littleEndian, 9)) +
      enhanced(littleEndian, 1n);
    const packets = decodeCapture(unhex(first + second));
    assert.deepEqual(
      packets.map((packet) => [packet.frame, timeOf(packet)]),
      [
        [1, '0.000001'],
        [2, '0.000000001'],
      ],
    );
  });

  it('a packet of an interface that no block describes is said, the next is read', () => {
    const put = bigEndian;
    const packets = decodeCapture(
      unhex(section(put) + anInterface(put) + enhanced(put, 1n, 3) + enhanced(put, 2n)),
    );
    assert.deepEqual(
      packets.map(({ kind, frame }) => [kind, frame]),
      [
        ['fault', 1],
        ['rsvp', 2],
      ],
    );
  });

  for (const length of [0, 4, 11, 13, 0xfffffffc, 0xffffffff]) {
    it(`a block with a total length of ${length} is said, the next is read`, () => {
      const put = bigEndian;
      const bad = `${put(6, 4)}${put(length, 4)}${'00'.repeat(24)}${put(length, 4)}`;
      const packets = decodeCapture(unhex(section(put) + anInterface(put) + bad + enhanced(put, 2n)));
      assert.deepEqual(
        packets.map(({ kind }) => kind),
        ['fault', 'rsvp'],
      );
      assert.deepEqual(codes(packets), ['format']);
    });
  }

  it('an unknown block longer than the file is said as a file that is cut short', () => {
    const put = bigEndian;
    const bad = put(0x0bad, 4) + put(0xfffffffc, 4) + '00'.repeat(24);
    assert.deepEqual(codes(decodeCapture(unhex(section(put) + anInterface(put) + enhanced(put, 1n) + bad))), [
      'cut-short',
    ]);
  });
});
