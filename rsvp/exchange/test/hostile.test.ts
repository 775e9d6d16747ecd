import assert from 'node:assert/strict';
import {
  Challenge,
  MessageId,
  MessageIdAck,
  MessageIdList,
  MessageIdMcastListIpv6,
  MessageIdNack,
  MessageIdSrcListIpv4,
  RSVP,
} from '../../wire/index.js';
import type { RsvpInput } from '../../wire/index.js';
import type { CAUSES } from '../effect.js';
import { frame } from '../frame.js';
import { introduce, Station } from './station.js';

const A = '10.0.0.1';
const B = '10.0.0.2';

const epoch = 0xbb;
const id = MessageId.make({ flags: 1, epoch, messageIdentifier: 9 });
const ack = MessageIdAck.make({ flags: 0, epoch: 0xabcdef, messageIdentifier: 1000 });
const nack = MessageIdNack.make({ flags: 0, epoch: 0xabcdef, messageIdentifier: 1000 });
const resv = new Station(B).resv(7, A).message();

const SAMPLES: readonly (readonly [string, RsvpInput])[] = [
  ['Resv', { ...resv, objects: [ack, id, ...resv.objects] }],
  ['Bundle', { msgType: 12, objects: [], messages: [resv, { ...resv, objects: [id, ...resv.objects] }] }],
  ['Ack', { msgType: 13, objects: [ack, nack] }],
  [
    'Srefresh',
    {
      msgType: 15,
      objects: [
        id,
        MessageIdList.make({ flags: 0, epoch, messageIdentifiers: [1, 2, 3] }),
        MessageIdMcastListIpv6.make({
          flags: 0,
          epoch,
          tuples: [{ messageIdentifier: 4, sourceIpAddress: '2001:db8::1', destinationIpAddress: 'ff0e::1' }],
        }),
      ],
    },
  ],
  [
    'Srefresh with a SRC_LIST',
    {
      msgType: 15,
      objects: [
        MessageIdSrcListIpv4.make({
          flags: 0,
          epoch,
          tuples: [{ messageIdentifier: 5, sourceIpAddress: '10.1.0.1' }],
        }),
      ],
    },
  ],
  [
    'Integrity Challenge',
    {
      msgType: 25,
      objects: [Challenge.make({ reserved: 0, keyId: '000000000001', challengeCookie: new Uint8Array(8) })],
    },
  ],
];

function octetsOf(message: RsvpInput): Uint8Array {
  return RSVP.encode({ flags: 1, ttl: 255, ...message, checksum: 0 });
}

function packet(octets: Uint8Array): Parameters<Station['exchange']['receive']>[1] {
  return { interface: 1, source: B, destination: A, ttl: 255, octets };
}

describe('rsvp/exchange and what a peer should not send', () => {
  for (const [name, message] of SAMPLES)
    it(`${name}: no prefix, no changed octet crashes it, and each answer is small`, () => {
      const a = new Station(A, {}, { forwards: () => true });
      introduce(0, a, new Station(B));
      const octets = octetsOf(message);
      let now = 1;
      const offer = (given: Uint8Array): void => {
        a.exchange.receive(now, packet(given));
        const answered = a.run((now += 1000)).reduce((sum, { octets: sent }) => sum + sent.length, 0);
        assert.ok(answered <= 400, `${answered} octets`);
      };
      for (let size = 0; size < octets.length; size++) {
        offer(octets.slice(0, size));
        if (size < 8) continue;
        const cut = octets.slice(0, size);
        cut[6] = size >> 8;
        cut[7] = size;
        offer(cut);
      }
      for (let at = 0; at < octets.length; at++)
        for (const value of [0, 1, 0x7f, 0xff, (octets[at] as number) ^ 1]) {
          const changed = octets.slice();
          changed[at] = value;
          offer(changed);
        }
      const { adverts, bound, unacknowledged } = a.exchange.sizes;
      assert.deepEqual([adverts, bound, unacknowledged], [0, 0, 0]);
    });

  it('each cause is counted and told with where it came from, and the text says what was expected', () => {
    const a = new Station(A);
    const octets = octetsOf(resv);
    const change = (at: number, value: number): Uint8Array => {
      const copy = octets.slice();
      copy[at] = value;
      return copy;
    };
    const cases: readonly [Uint8Array, (typeof CAUSES)[number]][] = [
      [octets.slice(0, 7), 'truncated'],
      [octets.slice(0, 12), 'truncated'],
      [change(0, 0x21), 'bad-version'],
      [change(7, 6), 'bad-length'],
      [change(7, octets.length - 2), 'bad-length'],
      [change(2, 0x12), 'bad-checksum'],
      // SESSION is longer than the message.
      [change(9, 0xfc), 'malformed'],
    ];
    for (const [given, cause] of cases) {
      const before = a.exchange.dropped[cause];
      assert.deepEqual(a.exchange.receive(0, packet(given)), []);
      assert.equal(a.exchange.dropped[cause], before + 1, cause);
      a.flush();
      assert.equal(a.events.at(-1)?.kind, cause);
      assert.match(a.events.at(-1)!.text, /^message from 10\.0\.0\.2 on interface 1 dropped: /);
    }
    a.exchange.receive(0, { ...packet(octets), interface: 3 });
    assert.equal(a.exchange.dropped['unknown-interface'], 1);
  });

  it('the text of a wrong checksum says which one is right (RFC 2205 3.1.1)', () => {
    const octets = RSVP.encode({ ...resv, ttl: 255 });
    const right = ((octets[2] as number) << 8) | (octets[3] as number);
    octets[2] = (octets[2] as number) ^ 0x55;
    const drop = frame(octets);
    assert.ok(!(drop instanceof Uint8Array));
    assert.match(drop.text, new RegExp(`expected 0x${right.toString(16).padStart(4, '0')}$`));
  });

  it('octets behind RSVP Length are no part of the message', () => {
    const a = new Station(A);
    const octets = octetsOf(resv);
    const padded = new Uint8Array(octets.length + 6);
    padded.set(octets);
    assert.equal(a.exchange.receive(0, packet(padded)).length, 1);
  });

  it('random octets behind a good header have no effect', () => {
    const a = new Station(A);
    let state = 7;
    const dice = (): number => (state = (state * 48_271) % 0x7fffffff);
    for (let i = 0; i < 3000; i++) {
      const octets = Uint8Array.from({ length: 8 + 4 * (dice() % 20) }, () => dice() & 255);
      octets.set([0x11, [1, 2, 12, 13, 15, 25, 26][dice() % 7]!, 0, 0, 255, 0, 0, octets.length]);
      a.exchange.receive(i, packet(octets));
      a.exchange.handleTimeout(i);
      a.flush();
    }
    assert.equal(a.exchange.sizes.bound, 0);
  });

  it('what a caller gets wrong is its mistake, and said at once', () => {
    assert.throws(() => new Station(A, {}, { epoch: 2 ** 24 }), RangeError);
    assert.throws(() => new Station(A, {}, { firstMessageIdentifier: -1 }), RangeError);
    const a = new Station(A);
    assert.throws(() => a.exchange.tell(0, a.path(7, { refreshPeriod: 0 })), RangeError);
  });
});
