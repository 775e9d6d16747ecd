import assert from 'node:assert/strict';
import {
  buildIp,
  buildTcp,
  decodeCapture,
  TCP_FLAG,
  TcpConversation,
  type CaptureOptions,
  type Packet,
} from '../index.js';
import { codes, copsMessage, FROM, hex, payloads, rawIp } from './packets.js';

const PEP = { address: FROM.src, port: 40_000 };
const PDP = { address: FROM.dst, port: 3288 };
/** It has no object. */
const KEEP_ALIVE = Uint8Array.of(0x10, 9, 0, 0, 0, 0, 0, 8);
const MESSAGES = [copsMessage(6, 16), copsMessage(1, 120), KEEP_ALIVE, copsMessage(3, 24)];
const STREAM = Uint8Array.from(MESSAGES.flatMap((message) => [...message]));
const EXPECTED = MESSAGES.map(hex);

/** A segment of the PEP's stream: octets `from..to`, first sequence number `start`. */
function segment(
  from: number,
  to: number,
  start = 1,
  flags: number = TCP_FLAG.ack,
  octets = STREAM,
): Uint8Array {
  const tcp = buildTcp(
    { src: PEP, dst: PDP, sequence: (start + from) >>> 0, flags },
    octets.subarray(from, to),
  );
  return buildIp({ ...FROM, protocol: 6 }, tcp)[0]!;
}

const syn = (start = 1): Uint8Array => segment(0, 0, start - 1, TCP_FLAG.syn);

const read = (packets: readonly Uint8Array[], options?: CaptureOptions): Packet[] =>
  decodeCapture(rawIp(packets, 0.01), options);

describe('capture: COPS in TCP', () => {
  it('a conversation gives the messages of both directions', () => {
    const talk = new TcpConversation(PEP, PDP);
    const answer = copsMessage(7, 8);
    const packets = read([
      ...talk.open(),
      ...talk.send('client', MESSAGES[0]!),
      ...talk.send('server', answer, 5),
      ...talk.send('client', MESSAGES[1]!, 50),
      ...talk.close(),
    ]);
    assert.deepEqual(payloads(packets, 'cops'), [EXPECTED[0], hex(answer), EXPECTED[1]]);
    assert.deepEqual(
      packets.map(({ src, dstPort }) => [src, dstPort]),
      [
        [PEP.address, 3288],
        [PDP.address, 40_000],
        [PEP.address, 3288],
      ],
    );
    assert.deepEqual(codes(packets), []);
  });

  it('every split of the stream into two segments, in both orders', () => {
    for (let at = 1; at < STREAM.length; at++) {
      const [a, b] = [segment(0, at), segment(at, STREAM.length)];
      for (const order of [
        [syn(), a, b],
        [syn(), b, a],
      ]) {
        const packets = read(order);
        assert.deepEqual(payloads(packets, 'cops'), EXPECTED, `split at ${at}`);
        assert.deepEqual(codes(packets), []);
      }
    }
  });

  it('segments of one octet', () => {
    const each = Array.from(STREAM, (_, i) => segment(i, i + 1));
    assert.deepEqual(payloads(read([syn(), ...each]), 'cops'), EXPECTED);
    assert.deepEqual(payloads(read([syn(), ...each.reverse()]), 'cops'), EXPECTED);
  });

  it('a message tells all the frames it came in', () => {
    const packets = read([syn(), segment(0, 20), segment(20, 30), segment(30, STREAM.length)]);
    assert.deepEqual(
      packets.map(({ frame, frames }) => [frame, frames]),
      [
        [3, [2, 3]],
        [4, [3, 4]],
        [4, [4]],
        [4, [4]],
      ],
    );
  });

  it('sequence numbers wrap around', () => {
    for (const start of [0xffffffff, 0xfffffff0, 0xffffff80]) {
      const pieces = [segment(0, 10, start), segment(10, 100, start), segment(100, STREAM.length, start)];
      assert.deepEqual(payloads(read([syn(start), ...pieces]), 'cops'), EXPECTED);
      assert.deepEqual(payloads(read([syn(start), ...pieces.reverse()]), 'cops'), EXPECTED);
    }
  });

  it('retransmissions and overlaps: what was put in order first stays', () => {
    const garbage = new Uint8Array(STREAM.length).fill(0xee);
    const packets = read([
      syn(),
      segment(0, 40),
      segment(0, 40, 1, TCP_FLAG.ack, garbage),
      segment(
        10,
        90,
        1,
        TCP_FLAG.ack,
        Uint8Array.from(STREAM, (octet, i) => (i < 40 ? 0xee : octet)),
      ),
      syn(),
      segment(60, STREAM.length),
      segment(0, STREAM.length, 1, TCP_FLAG.ack, garbage),
    ]);
    assert.deepEqual(payloads(packets, 'cops'), EXPECTED);
  });

  it('a gap is said, and the messages behind it are found', () => {
    const packets = read([syn(), segment(0, 24), segment(60, 152), segment(152, STREAM.length)]);
    assert.deepEqual(payloads(packets, 'cops'), [EXPECTED[0], EXPECTED[2], EXPECTED[3]]);
    assert.deepEqual(codes(packets), ['stream-gap', 'stream-sync']);
    assert.match(packets[1]!.faults[0]!.message, /^36 octets are missing/);
  });

  it('a gap within a message: the message is said to break off', () => {
    const packets = read([syn(), segment(0, 60), segment(90, STREAM.length)]);
    assert.deepEqual(payloads(packets, 'cops'), [EXPECTED[0], EXPECTED[2], EXPECTED[3]]);
    assert.deepEqual(codes(packets), ['stream-gap', 'truncated', 'stream-sync']);
  });

  it('a gap is not waited for beyond the limits', () => {
    const late = [segment(60, 152), segment(152, STREAM.length)];
    const packets = read([syn(), segment(0, 24), ...late], { gaps: { segments: 1 } });
    assert.deepEqual(
      packets.map(({ frame }) => frame),
      [2, 4, 4, 4],
    );
  });

  it('a stream that starts within a message: octets are passed over, and said', () => {
    const packets = read([segment(30, 100), segment(100, STREAM.length)]);
    assert.deepEqual(payloads(packets, 'cops'), [EXPECTED[2], EXPECTED[3]]);
    assert.deepEqual(packets[0]?.faults, [
      {
        code: 'stream-sync',
        message: '122 octets were passed over to find the beginning of a message',
        where: 'TCP stream',
      },
    ]);
  });

  it('a stream that starts with a message, without its SYN, is read without a word', () => {
    assert.deepEqual(codes(read([segment(0, STREAM.length)])), []);
  });

  it('the connection ends within a message: said, with the octets', () => {
    for (const flags of [TCP_FLAG.fin, TCP_FLAG.rst]) {
      const packets = read([syn(), segment(0, 50), segment(50, 50, 1, flags)]);
      assert.deepEqual(
        packets.map(({ kind, frame }) => [kind, frame]),
        [
          ['cops', 2],
          ['fault', 3],
        ],
      );
      assert.equal(hex(packets[1]!.payload), hex(STREAM.subarray(24, 50)));
      assert.equal(
        packets[1]!.faults[0]!.message,
        "the stream breaks off after 26 of a message's 128 octets",
      );
    }
  });

  for (const length of [0, 7, 0x80000000, 0xffffffff]) {
    it(`a message with a length of ${length}: said, and the next message is found`, () => {
      const bad = copsMessage(1, 24);
      new DataView(bad.buffer).setUint32(4, length);
      const octets = Uint8Array.from([...MESSAGES[0]!, ...bad, ...MESSAGES[3]!]);
      for (let at = 25; at < octets.length; at++) {
        const packets = read([
          syn(),
          segment(0, at, 1, TCP_FLAG.ack, octets),
          segment(at, octets.length, 1, TCP_FLAG.ack, octets),
        ]);
        assert.deepEqual(payloads(packets, 'cops'), [EXPECTED[0], EXPECTED[3]], `split at ${at}`);
        assert.deepEqual(codes(packets), ['framing', 'stream-sync']);
      }
    });
  }

  it('a second connection on the same ports begins anew', () => {
    const again = syn(0x5000_0000);
    const packets = read([syn(), segment(0, 50), again, segment(0, STREAM.length, 0x5000_0000)]);
    assert.deepEqual(payloads(packets, 'cops'), EXPECTED.slice(0, 1).concat(EXPECTED));
    assert.deepEqual(codes(packets), ['truncated']);
  });

  it('other ports are not looked at, unless asked for', () => {
    const packet = segment(0, STREAM.length);
    packet.set([0x10, 0x00], 22); // destination port 4096
    assert.deepEqual(decodeCapture(rawIp([packet])), []);
    assert.equal(decodeCapture(rawIp([packet]), { copsPorts: [4096] }).length, MESSAGES.length);
  });
});
