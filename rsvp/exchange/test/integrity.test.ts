import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { Challenge, checksumOf, find, Integrity, RSVP } from '../../wire/index.js';
import type { RsvpInput, RsvpMessage } from '../../wire/index.js';
import type { SentPacket } from '../../engine/packet.js';
import { KeyRing } from '../keys.js';
import type { IntegrityAlgorithm, IntegrityKey } from '../keys.js';
import type { ExchangeOptions, InterfaceIntegrity } from '../options.js';
import { SequenceWindow } from '../replay.js';
import { classes, introduce, portOf, Station } from './station.js';

const A = '10.0.0.1';
const B = '10.0.0.2';
const secret = Uint8Array.from(Buffer.from('Jefe and his secret'));

const key = (id: number, more: Partial<IntegrityKey> = {}): IntegrityKey => ({
  id: id.toString(16).padStart(12, '0'),
  secret,
  algorithm: 'hmac-md5',
  ...more,
});
const ring = (...keys: IntegrityKey[]): KeyRing => new KeyRing(keys);

function secured(
  address: string,
  integrity: InterfaceIntegrity,
  options: Partial<ExchangeOptions> = {},
): Station {
  return new Station(address, { integrity }, options);
}

/** A sends signed, B receives only what is signed; no handshake unless asked for. */
function pair(receive: InterfaceIntegrity = {}, send = ring(key(1))): [Station, Station] {
  const a = secured(A, { send }, { epoch: 0xaa });
  const b = secured(B, { receive: ring(key(1)), handshake: 'off', ...receive }, { epoch: 0xbb });
  return [a, b];
}

function told(a: Station, port: number, now = 0): SentPacket {
  a.exchange.tell(now, a.resv(port, B));
  return a.flush()[0]!;
}

const changed = (packet: SentPacket, octets: Uint8Array): SentPacket => ({ ...packet, octets });

function withoutChecksum(octets: Uint8Array): Uint8Array {
  const copy = octets.slice();
  copy.fill(0, 2, 4);
  return copy;
}

const sequenceOf = (message: RsvpMessage): bigint => find(message, Integrity)!.sequenceNumber;

describe('rsvp/exchange INTEGRITY (RFC 2747)', () => {
  for (const [algorithm, hash, size] of [
    ['hmac-md5', 'md5', 16],
    ['hmac-sha1', 'sha1', 20],
    ['hmac-sha256', 'sha256', 32],
  ] as const)
    it(`${algorithm}: the digest of ${size} octets is over the message with checksum and digest zero (RFC 2747 4.1)`, () => {
      const a = secured(A, { send: ring(key(0x0102030405aa, { algorithm })) });
      const { octets } = told(a, 7);
      const message = RSVP.decode(octets);
      const integrity = message.objects[0]!;
      assert.ok(Integrity.is(integrity));
      assert.equal(integrity.keyId, '0102030405aa');
      // HF: we answer challenges. The unused flags and the reserved octet MUST be 0 (RFC 2747 2.1, 4.1).
      assert.equal(integrity.flags, 0x80);
      assert.equal(integrity.reserved, 0);
      assert.equal(integrity.digest.length, size);
      const zeroed = withoutChecksum(octets);
      zeroed.fill(0, 28, 28 + size);
      assert.deepEqual(Buffer.from(integrity.digest), createHmac(hash, secret).update(zeroed).digest());
      assert.equal(checksumOf(octets), 0);
    });

  it('every message on a secured sending interface has it first, sub-messages and Acks as well (RFC 2747 4, RFC 2961 4.1)', () => {
    const a = secured(A, { send: ring(key(1)) });
    introduce(0, a, new Station(B));
    a.exchange.tell(1, a.resv(7, B));
    a.exchange.tell(1, a.resv(8, B));
    a.exchange.tell(1, a.path(8));
    a.exchange.send(1, a.tear(9, B));
    introduce(2, a, new Station(B, { refreshReduction: 'assumed' }));
    const messages = a.messages().flatMap((message) => message.messages ?? [message]);
    assert.equal(messages.length, 4);
    for (const message of messages) assert.equal(classes(message)[0], 'INTEGRITY');
    a.run(100_000);
    const types = new Set<number>();
    for (const { octets } of a.sent.slice(1)) {
      for (const message of RSVP.decode(octets).messages ?? [RSVP.decode(octets)]) {
        types.add(message.msgType);
        assert.equal(classes(message)[0], 'INTEGRITY');
      }
    }
    assert.ok(types.has(15));
  });

  it('sequence numbers are unique and rise, from the number given at the start, modulo 2^64 (RFC 2747 3, 4.1)', () => {
    const a = secured(A, { send: ring(key(1)) }, { firstSequenceNumber: (1n << 64n) - 2n });
    const numbers = [7, 8, 9].map((port) => sequenceOf(RSVP.decode(told(a, port).octets)));
    assert.deepEqual(numbers, [(1n << 64n) - 2n, (1n << 64n) - 1n, 0n]);
    const b = secured(B, { receive: ring(key(1)), handshake: 'off' });
    assert.equal(b.hear(0, a, a.sent).length, 3);
  });

  it('a message that is signed is delivered, without the object', () => {
    const [a, b] = pair();
    const [arrived] = b.hear(0, a, [told(a, 7)]);
    assert.equal(portOf(arrived!.message), 7);
    assert.deepEqual(classes(arrived!.message), ['SESSION', 'RSVP_HOP', 'TIME_VALUES']);
  });

  it('one that comes as a Buffer, as packets do, is delivered, and its octets stay as they are', () => {
    const [a, b] = pair();
    const packet = told(a, 5001);
    const octets = Buffer.from(packet.octets);
    assert.equal(b.hear(0, a, [changed(packet, octets)]).length, 1);
    assert.deepEqual(Uint8Array.from(octets), packet.octets);
  });

  it('a message without it on a secured receiving interface is discarded, and changes nothing (RFC 2747 4)', () => {
    const [, b] = pair();
    const stranger = new Station(A);
    assert.deepEqual(b.hear(0, stranger, [told(stranger, 7)]), []);
    assert.equal(b.exchange.dropped.unauthenticated, 1);
    assert.equal(b.exchange.sizes.neighbours, 0);
    b.flush();
    assert.equal(b.events[0]?.kind, 'unauthenticated');
  });

  it('it has to be the first object (RFC 2205 3.1, RFC 2747 2)', () => {
    const [a, b] = pair();
    const { octets } = told(a, 7);
    const { objects } = RSVP.decode(octets);
    const [integrity, ...others] = objects;
    const moved = RSVP.encode({ msgType: 2, ttl: 255, objects: [...others, integrity!] });
    assert.deepEqual(b.hear(0, a, [changed(a.sent[0]!, moved)]), []);
    assert.equal(b.exchange.dropped.unauthenticated, 1);
  });

  it('an interface without keys takes signed messages and does not look at the digest', () => {
    const [a] = pair();
    const b = new Station(B);
    assert.equal(b.hear(0, a, [told(a, 7)]).length, 1);
  });

  it('no prefix and no message with any octet changed is delivered (RFC 2747 4.2 step 5)', () => {
    for (const algorithm of ['hmac-md5', 'hmac-sha1', 'hmac-sha256'] as const) {
      const [a, b] = pair({ receive: ring(key(1, { algorithm })) }, ring(key(1, { algorithm })));
      const packet = told(a, 7);
      const whole = withoutChecksum(packet.octets);
      for (let size = 0; size < whole.length; size++) {
        const cut = whole.slice(0, size);
        assert.deepEqual(b.hear(0, a, [changed(packet, cut)]), []);
        if (size < 8) continue;
        cut[6] = size >> 8;
        cut[7] = size;
        assert.deepEqual(b.hear(0, a, [changed(packet, cut)]), []);
      }
      for (let at = 0; at < whole.length; at++) {
        // The checksum is no part of the digest; a wrong one is dropped for itself.
        if (at === 2 || at === 3) continue;
        for (const bits of [0x01, 0x80, 0xff]) {
          const octets = whole.slice();
          octets[at] = (octets[at] as number) ^ bits;
          assert.deepEqual(b.hear(0, a, [changed(packet, octets)]), [], `octet ${at} ^ ${bits}`);
        }
      }
      assert.equal(b.exchange.sizes.neighbours, 0);
      assert.equal(b.hear(0, a, [packet]).length, 1);
    }
  });

  it('a message that comes again is ignored (RFC 2747 4.2 step 6)', () => {
    const [a, b] = pair();
    const packet = told(a, 7);
    assert.equal(b.hear(0, a, [packet, packet, packet]).length, 1);
    assert.equal(b.exchange.dropped.replayed, 2);
  });

  it('messages that overtook each other within the window are good, those before it are not (RFC 2747 4.2)', () => {
    const [a, b] = pair({ window: 4 });
    const packets = [7, 8, 9, 10, 11, 12].map((port) => told(a, port));
    const order = [0, 4, 2, 3, 1, 5].map((i) => packets[i]!);
    assert.deepEqual(
      b.hear(0, a, order).map(({ message }) => portOf(message)),
      [7, 11, 9, 10, 8, 12],
    );
    assert.deepEqual(b.hear(0, a, [packets[0]!, packets[1]!]), []);
    assert.equal(b.exchange.dropped.replayed, 2);
  });

  it('a window of one lets nothing overtake (RFC 2747 4.2)', () => {
    const window = new SequenceWindow(10n, 1);
    assert.deepEqual(
      [11n, 13n, 12n, 13n, 14n].map((n) => window.accept(n)),
      [true, true, false, false, true],
    );
  });

  it('below the lower end of the list, and marked in it, is discarded (RFC 2747 4.2)', () => {
    const window = new SequenceWindow(10n, 3);
    // The list: 10; 10 20; 10 20 30; 15 20 30 (10 went); 10 again is below it.
    assert.deepEqual(
      [20n, 30n, 15n, 10n, 15n, 16n, 15n].map((n) => window.accept(n)),
      [true, true, true, false, false, true, false],
    );
  });

  it('Key Identifier and sender choose the key: those of another sender or unknown ones are not good (RFC 2747 4)', () => {
    const receive = ring(key(1, { neighbour: A }), key(2, { neighbour: '10.0.0.9' }));
    const [a, b] = pair({ receive }, ring(key(2)));
    assert.deepEqual(b.hear(0, a, [told(a, 7)]), []);
    assert.equal(b.exchange.dropped['unknown-key'], 1);
    const good = secured(A, { send: ring(key(1)) });
    assert.equal(b.hear(0, good, [told(good, 7)]).length, 1);
  });

  it('each key has its algorithm (RFC 2747 5.2): the same secret with another one is refused', () => {
    const other: IntegrityAlgorithm = 'hmac-sha1';
    const [a, b] = pair({}, ring(key(1, { algorithm: other })));
    assert.deepEqual(b.hear(0, a, [told(a, 7)]), []);
    assert.equal(b.exchange.dropped['bad-digest'], 1);
  });

  it('several keys at a time: the new one is used when it begins, the old one accepted until it ends (RFC 2747 5.1, 5.2)', () => {
    const old = { until: 2000 };
    const send = ring(key(1, old), key(2, { from: 1000 }));
    const receive = ring(key(1, old), key(2, { from: 900 }));
    const [a, b] = pair({ receive }, send);
    const used = [999, 1000, 2500].map((now) => find(RSVP.decode(told(a, 7, now).octets), Integrity)?.keyId);
    assert.deepEqual(used, [key(1).id, key(2).id, key(2).id]);
    const late = secured(A, { send: ring(key(1)) });
    const packet = told(late, 8);
    const again = told(late, 9);
    assert.equal(b.hear(1999, late, [packet]).length, 1);
    assert.equal(b.hear(2000, late, [again]).length, 0);
    assert.equal(b.exchange.dropped['expired-key'], 1);
  });

  it('a key is no good before it begins', () => {
    const [a, b] = pair({ receive: ring(key(1, { from: 100 })) });
    assert.deepEqual(b.hear(99, a, [told(a, 7)]), []);
    assert.equal(b.hear(100, a, [told(a, 8)]).length, 1);
  });

  it('the last key goes on after its end, and the network manager is told once (RFC 2747 5.3)', () => {
    const last = ring(key(1, { until: 50 }));
    const [a, b] = pair({ receive: last }, last);
    assert.equal(b.hear(100, a, [told(a, 7, 100), told(a, 8, 100)]).length, 2);
    b.flush();
    for (const station of [a, b])
      assert.equal(station.events.filter(({ kind }) => kind === 'last-key-expired').length, 1);
  });

  it('nothing leaves unsigned where no key has begun', () => {
    const a = secured(A, { send: ring(key(1, { from: 1000 })) });
    a.exchange.tell(0, a.resv(7, B));
    assert.deepEqual(a.flush(), []);
    assert.equal(a.events[0]?.kind, 'no-key');
  });

  it('keys that cannot be are refused where they are given', () => {
    assert.throws(() => ring(key(1), key(1)), TypeError);
    assert.throws(() => ring({ ...key(1), id: '1' }), TypeError);
    assert.throws(() => ring(key(1, { secret: new Uint8Array() })), TypeError);
    assert.throws(() => ring(key(1, { from: 5, until: 5 })), RangeError);
  });
});

describe('rsvp/exchange integrity handshake (RFC 2747 4.3)', () => {
  it('a sender that answers is challenged before it is believed, and then its later messages are good', () => {
    const [a, b] = pair({ handshake: 'on' });
    const old = told(a, 7);
    assert.deepEqual(b.hear(0, a, [old]), []);
    assert.equal(b.exchange.dropped.unsynchronised, 1);
    const [challenge] = b.flush();
    const asked = RSVP.decode(challenge!.octets);
    // RFC 3097 2: types 25 and 26.
    assert.equal(asked.msgType, 25);
    assert.deepEqual(classes(asked), ['CHALLENGE']);
    assert.equal(challenge!.destination, A);
    const { keyId, challengeCookie, reserved } = find(asked, Challenge)!;
    assert.equal(keyId, key(1).id);
    assert.equal(reserved, 0);
    assert.equal(challengeCookie.length, 8);
    a.hear(1, b, [challenge!]);
    const [response] = a.flush();
    const answer = RSVP.decode(response!.octets);
    assert.equal(answer.msgType, 26);
    assert.deepEqual(classes(answer), ['INTEGRITY', 'CHALLENGE']);
    assert.deepEqual(find(answer, Challenge), find(asked, Challenge));
    assert.equal(response!.destination, B);
    assert.deepEqual(b.hear(2, a, [response!]), []);
    assert.equal(b.exchange.nextTimeout(), undefined);
    // What was before it is old now.
    assert.deepEqual(b.hear(3, a, [old]), []);
    assert.equal(b.exchange.dropped.replayed, 1);
    assert.equal(b.hear(4, a, [told(a, 8)]).length, 1);
    // Any other Integrity Response is ignored.
    assert.deepEqual(b.hear(5, a, [response!]), []);
    assert.equal(b.exchange.dropped['unexpected-response'], 1);
  });

  it('cookies differ from one challenge to the next, and with the secret (RFC 2747 4.3)', () => {
    const cookie = (now: number, secretOfB: number): string => {
      const a = secured(A, { send: ring(key(1)) });
      const b = secured(B, { receive: ring(key(1)) }, { secret: new Uint8Array([secretOfB]) });
      b.hear(now, a, [told(a, 7)]);
      return Buffer.from(find(RSVP.decode(b.flush()[0]!.octets), Challenge)!.challengeCookie).toString('hex');
    };
    assert.equal(new Set([cookie(0, 1), cookie(1, 1), cookie(0, 2)]).size, 3);
  });

  it('a challenge without an answer is repeated, less and less often, and given up (RFC 2747 4.3)', () => {
    const [a, b] = pair({ handshake: 'on' });
    b.hear(0, a, [told(a, 7)]);
    b.flush();
    const times: number[] = [];
    for (let now = 0; now < 100_000; now += 500) {
      b.exchange.handleTimeout(now);
      if (b.flush().length > 0) times.push(now);
    }
    assert.deepEqual(times, [1000, 3000, 7000, 15_000]);
    assert.deepEqual(b.hear(100_000, a, [told(a, 8)]), []);
    assert.equal(b.flush().length, 1);
  });

  it('a sender with HF = 0 is not challenged (RFC 2747 4.3); `required` does not listen to it', () => {
    const message = (sequenceNumber: bigint): Uint8Array => {
      const { msgType, objects } = new Station(A).resv(7, B).message();
      const integrity = Integrity.make({
        flags: 0,
        reserved: 0,
        keyId: key(1).id,
        sequenceNumber,
        digest: new Uint8Array(16),
      });
      const input: RsvpInput = { msgType, ttl: 255, checksum: 0, objects: [integrity, ...objects] };
      const octets = RSVP.encode(input);
      octets.set(createHmac('md5', secret).update(octets).digest(), 28);
      return octets;
    };
    for (const [handshake, count] of [
      ['on', 1],
      ['required', 0],
    ] as const) {
      const [, b] = pair({ handshake });
      const packet = { interface: 1, source: A, destination: B, ttl: 255, octets: message(5n) };
      assert.equal(b.exchange.receive(0, packet).length, count);
      assert.deepEqual(b.flush(), []);
      assert.equal(b.exchange.dropped['no-handshake'], 1 - count);
    }
  });

  it('a Response with another cookie, or signed with another key, is not believed (RFC 2747 4.2 step 6)', () => {
    const both = ring(key(1), key(2));
    const [a, b] = pair({ handshake: 'on', receive: both });
    b.hear(0, a, [told(a, 7)]);
    const challenge = find(RSVP.decode(b.flush()[0]!.octets), Challenge)!;
    const ask = (asked: object, station: Station): SentPacket[] => {
      const objects = [Challenge.make({ ...challenge, ...asked })];
      const octets = RSVP.encode({ msgType: 25, ttl: 255, objects });
      station.exchange.receive(1, { interface: 1, source: B, destination: A, ttl: 255, octets });
      return station.flush();
    };
    b.hear(2, a, ask({ challengeCookie: new Uint8Array(8) }, a));
    const other = secured(A, { send: ring(key(2)) });
    b.hear(2, other, ask({ keyId: key(2).id }, other));
    assert.equal(b.exchange.dropped['unexpected-response'], 2);
    assert.deepEqual(b.hear(3, a, [told(a, 8)]), []);
  });

  it('a Response that nobody asked for is dropped, keys or not', () => {
    const a = secured(A, { send: ring(key(1)) });
    const plain = new Station(B);
    const objects = [Challenge.make({ reserved: 0, keyId: key(1).id, challengeCookie: new Uint8Array(8) })];
    const octets = RSVP.encode({ msgType: 25, ttl: 255, objects });
    a.exchange.receive(0, { interface: 1, source: B, destination: A, ttl: 255, octets });
    const response = a.flush();
    assert.equal(response.length, 1);
    assert.deepEqual(plain.hear(0, a, response), []);
    assert.equal(plain.exchange.dropped['unexpected-response'], 1);
  });

  it('a flood of challenges is answered at a bounded rate; one with an unknown key not at all', () => {
    const a = secured(A, { send: ring(key(1)) });
    const ask = (now: number, id: number): void => {
      const objects = [
        Challenge.make({ reserved: 0, keyId: key(id).id, challengeCookie: new Uint8Array(8) }),
      ];
      const octets = RSVP.encode({ msgType: 25, ttl: 255, objects });
      a.exchange.receive(now, { interface: 1, source: '10.6.6.6', destination: A, ttl: 255, octets });
    };
    for (let i = 0; i < 1000; i++) ask(i, 1);
    const count = a.flush().length;
    assert.ok(count >= 16 && count <= 26, `${count} responses in a second`);
    ask(5000, 2);
    assert.deepEqual(a.flush(), []);
    assert.equal(a.exchange.dropped['unknown-key'], 1);
    assert.equal(a.exchange.dropped['challenged-too-often'], 1000 - count);
    assert.equal(a.exchange.sizes.neighbours, 0);
  });

  it('after a restart of the receiver, old messages do not get in before the handshake is over', () => {
    const [a, b] = pair({ handshake: 'on' });
    const old = [7, 8, 9].map((port) => told(a, port));
    assert.deepEqual(b.hear(0, a, [...old, ...old]), []);
    assert.equal(b.flush().length, 1);
  });
});
