import assert from 'node:assert/strict';
import {
  find,
  MessageId,
  MessageIdAck,
  RSVP,
  ErrorSpecIpv4,
  RsvpHopIpv4,
  SessionIpv4,
  TimeValues,
} from '../../wire/index.js';
import type { RsvpInput, RsvpMessage, WireObject } from '../../wire/index.js';
import { classes, introduce, portOf, Station } from './station.js';

const A = '10.0.0.1';
const B = '10.0.0.2';

function pair(): [Station, Station] {
  const a = new Station(A, {}, { epoch: 0x0000aa, firstMessageIdentifier: 100 });
  const b = new Station(B, {}, { epoch: 0x0000bb, firstMessageIdentifier: 500 });
  introduce(0, a, b);
  a.exchange.effects();
  return [a, b];
}

const idOf = (message: RsvpMessage): number | undefined => find(message, MessageId)?.messageIdentifier;

/** A hand-made message of B's as it reaches A. */
function fromB(message: RsvpInput, destination = A): Parameters<Station['exchange']['receive']>[1] {
  return {
    interface: 1,
    source: B,
    destination,
    ttl: 255,
    octets: RSVP.encode({ ttl: 255, flags: 1, ...message }),
  };
}

const session = SessionIpv4.make({ destAddress: '10.9.0.2', protocolId: 17, flags: 0, dstPort: 7 });
const hop = RsvpHopIpv4.make({ hopAddress: B, logicalInterfaceHandle: 1 });
const messageId = (messageIdentifier: number, epoch = 0xbb, flags = 1): WireObject =>
  MessageId.make({ flags, epoch, messageIdentifier });
const acks = (station: Pick<Station, 'messages'>): number[] =>
  station
    .messages()
    .flatMap((message) => message.objects)
    .flatMap((object) => (MessageIdAck.is(object) ? [object.messageIdentifier] : []));

describe('rsvp/exchange MESSAGE_ID (RFC 2961 4)', () => {
  it('nobody sends one to a neighbour that has not said that it is capable (RFC 2961 4.8)', () => {
    const a = new Station(A);
    a.exchange.tell(0, a.resv(7, B));
    assert.deepEqual(classes(a.messages()[0]!), ['SESSION', 'RSVP_HOP', 'TIME_VALUES']);
  });

  it('every message says that we are capable, unless refresh reduction is off (RFC 2961 2)', () => {
    for (const [refreshReduction, flags] of [
      ['learned', 1],
      ['off', 0],
    ] as const) {
      const a = new Station(A, { refreshReduction });
      a.exchange.tell(0, a.resv(7, B));
      assert.equal(a.messages()[0]!.flags, flags);
    }
  });

  it('a trigger message has a greater Message_Identifier than all before, and the Epoch stays (RFC 2961 4.2, 4.5)', () => {
    const [a] = pair();
    const resv = a.resv(7, B);
    a.exchange.tell(10, resv);
    a.exchange.tell(20, a.resv(8, B));
    a.exchange.tell(30, resv);
    a.exchange.send(40, a.tear(9, B));
    const messages = a.messages().flatMap(({ messages: parts = [] }) => parts);
    assert.deepEqual(messages.map(idOf), [100, 101, 102, 103]);
    assert.deepEqual(
      messages.map((message) => find(message, MessageId)?.epoch),
      [0xaa, 0xaa, 0xaa, 0xaa],
    );
  });

  it('Message_Identifiers go on past 2^32 - 1 (RFC 2961 4.2)', () => {
    const a = new Station(A, {}, { firstMessageIdentifier: 0xffffffff });
    introduce(0, a, new Station(B));
    a.exchange.effects();
    a.exchange.tell(1, a.resv(7, B));
    a.exchange.tell(1, a.resv(8, B));
    assert.deepEqual(a.messages()[0]!.messages!.map(idOf), [0xffffffff, 1]);
  });

  it('MESSAGE_ID stands in front of all but INTEGRITY and acknowledgments (RFC 2961 4.1)', () => {
    const [a] = pair();
    a.exchange.tell(10, a.resv(7, B));
    assert.deepEqual(classes(a.messages()[0]!), ['MESSAGE_ID', 'SESSION', 'RSVP_HOP', 'TIME_VALUES']);
  });

  it('a refresh message has the Message_Identifier of the message that advertised the state (RFC 2961 4.5)', () => {
    const [a, b] = pair();
    a.exchange.tell(10, a.resv(7, B));
    const first = a.messages()[0]!;
    // B stops being capable of summaries, but A goes on to know MESSAGE_ID of it: a NACK asks for the whole message.
    const [srefresh] = a.run(45_010).filter(({ octets }) => octets[1] === 15);
    assert.ok(srefresh !== undefined);
    b.hear(45_010, a, [srefresh]);
    a.hear(45_020, b, b.run(45_020));
    const [again] = a.messages();
    assert.equal(again!.type, 'Resv');
    assert.equal(idOf(again!), idOf(first));
    assert.equal(find(again!, TimeValues)?.refreshPeriod, 30_000);
  });

  it('it is sent again after Rf, then after twice that, and not more than Rl times (RFC 2961 6.2, 6.3)', () => {
    const [a] = pair();
    a.exchange.tell(1000, a.resv(7, B));
    a.flush();
    const times: number[] = [];
    for (let now = 1000; now < 10_000; now += 10) {
      a.exchange.handleTimeout(now);
      for (const message of a.messages()) {
        assert.equal(idOf(message), 100);
        assert.equal(find(message, MessageId)!.flags, 1);
        times.push(now);
      }
    }
    assert.deepEqual(times, [1500, 2500]);
    assert.equal(a.events.at(-1)?.kind, 'unacknowledged');
    assert.equal(a.exchange.sizes.unacknowledged, 0);
  });

  it('Rf, Rl and Delta are those of the interface (RFC 2961 6.2)', () => {
    const a = new Station(A, { retransmission: { interval: 100, limit: 4, delta: 0.5 } });
    introduce(0, a, new Station(B));
    a.exchange.effects();
    a.exchange.tell(0, a.resv(7, B));
    a.flush();
    const times: number[] = [];
    for (let now = 0; now < 2000; now += 5) {
      a.exchange.handleTimeout(now);
      if (a.flush().length > 0) times.push(now);
    }
    assert.deepEqual(times, [100, 250, 475]);
  });

  it('an acknowledgment ends it: of state and of a tear (RFC 2961 6.3)', () => {
    const [a, b] = pair();
    a.exchange.tell(1000, a.resv(7, B));
    a.exchange.send(1000, a.tear(9, B));
    b.hear(1001, a, a.flush());
    a.hear(1012, b, b.run(1011));
    assert.equal(a.exchange.sizes.unacknowledged, 0);
    assert.deepEqual(a.run(10_000), []);
  });

  it('one with another Epoch does not (RFC 2961 4.3)', () => {
    const [a] = pair();
    a.exchange.tell(1000, a.resv(7, B));
    const ack = MessageIdAck.make({ flags: 0, epoch: 0xab, messageIdentifier: 100 });
    a.exchange.receive(1001, fromB({ msgType: 13, objects: [ack] }));
    assert.equal(a.exchange.sizes.unacknowledged, 1);
  });

  it('an error message is an acknowledgment as well (RFC 2961 4.5)', () => {
    const [a] = pair();
    const resv = a.resv(7, B);
    a.exchange.tell(1000, resv);
    a.exchange.answered(resv);
    assert.equal(a.exchange.sizes.unacknowledged, 0);
  });

  it('forgotten state is not sent again', () => {
    const [a] = pair();
    const resv = a.resv(7, B);
    a.exchange.tell(1000, resv);
    a.exchange.forget(resv);
    a.flush();
    assert.deepEqual(a.run(100_000), []);
  });

  it('a message with ACK_Desired is acknowledged, one without is not (RFC 2961 4.6)', () => {
    const [a] = pair();
    for (const flags of [1, 0]) {
      a.exchange.receive(
        1000,
        fromB({ msgType: 1, objects: [messageId(7 + flags, 0xbb, flags), session, hop] }),
      );
      a.run(2000);
      const ids = a.sent.splice(0).flatMap(({ octets }) => RSVP.decode(octets).objects);
      assert.equal(ids.length, flags);
    }
  });

  it('an Ack message has type 13, no MESSAGE_ID, goes to the generator without Router Alert (RFC 2961 4.4)', () => {
    const [a] = pair();
    const objects = [messageId(0xfffffffe, 0x123456), session, hop];
    a.exchange.receive(1000, fromB({ msgType: 1, objects }, '10.9.0.2'));
    assert.deepEqual(a.run(1009), []);
    const [packet] = a.run(1010);
    assert.equal(packet!.destination, B);
    assert.equal(packet!.routerAlert, false);
    assert.equal(packet!.source, undefined);
    const message = RSVP.decode(packet!.octets);
    assert.equal(message.msgType, 13);
    assert.deepEqual(message.objects, [
      { ...MessageIdAck.make({ flags: 0, epoch: 0x123456, messageIdentifier: 0xfffffffe }), length: 12 },
    ]);
  });

  it('acknowledgments go with a message to that neighbour, behind the header (RFC 2961 4.1, 4.6)', () => {
    const [a] = pair();
    a.exchange.receive(1000, fromB({ msgType: 1, objects: [messageId(7), session, hop] }));
    a.exchange.receive(1000, fromB({ msgType: 1, objects: [messageId(8), session, hop] }));
    a.exchange.tell(1001, a.resv(7, B));
    assert.deepEqual(classes(a.messages()[0]!), [
      'MESSAGE_ID_ACK',
      'MESSAGE_ID_ACK',
      'MESSAGE_ID',
      'SESSION',
      'RSVP_HOP',
      'TIME_VALUES',
    ]);
    // No Ack message follows.
    assert.deepEqual(
      a.run(1400).map(({ octets }) => octets[1]),
      [],
    );
  });

  it('but not with a Path, which goes to somebody else (RFC 2961 4.6)', () => {
    const [a] = pair();
    a.exchange.receive(1000, fromB({ msgType: 1, objects: [messageId(7), session, hop] }));
    a.exchange.tell(1001, a.path(7, { neighbour: B }));
    assert.ok(!classes(a.messages()[0]!).includes('MESSAGE_ID_ACK'));
  });

  it('a message with a fault is delivered with it and not acknowledged (RFC 2961 4.5)', () => {
    const [a] = pair();
    const good = RSVP.encode({
      msgType: 1,
      flags: 1,
      ttl: 255,
      objects: [messageId(7), session],
      checksum: 0,
    });
    // SESSION of C-Type 1 with 4 octets of body only.
    const octets = Uint8Array.from([...good.subarray(0, 20), 0, 8, 1, 1, 10, 9, 0, 2]);
    octets[7] = octets.length;
    octets.fill(0, 2, 4);
    const packet = { interface: 1, source: B, destination: A, ttl: 255, octets };
    const [arrived] = a.exchange.receive(1000, packet);
    assert.equal(arrived!.faults.length, 1);
    assert.equal(arrived!.messageId, undefined);
    assert.deepEqual(acks(a), []);
    assert.deepEqual(a.run(2000), []);
  });

  it('a message that went to a group is acknowledged after a random time, which differs (RFC 2961 4.7)', () => {
    const times = [0, 0.25, 0.75].map((random) => {
      const a = new Station(A, {}, { random: () => random });
      a.exchange.receive(1000, fromB({ msgType: 1, objects: [messageId(7), session, hop] }, '239.1.1.1'));
      // Nothing takes it along before.
      a.exchange.tell(1000, a.resv(7, B));
      assert.deepEqual(acks(a), []);
      return a.exchange.nextTimeout();
    });
    assert.deepEqual(times, [1000, 1050, 1150]);
  });

  it('two MESSAGE_IDs are malformed (RFC 2961 4); so is an Ack message with one or without acknowledgments (RFC 2961 4.4)', () => {
    const [a] = pair();
    assert.deepEqual(
      a.exchange.receive(1, fromB({ msgType: 1, objects: [messageId(7), messageId(8), session, hop] })),
      [],
    );
    const ack = MessageIdAck.make({ flags: 0, epoch: 1, messageIdentifier: 1 });
    a.exchange.receive(1, fromB({ msgType: 13, objects: [ack, messageId(9)] }));
    a.exchange.receive(1, fromB({ msgType: 13, objects: [] }));
    assert.equal(a.exchange.dropped.malformed, 3);
    assert.deepEqual(acks(a), []);
  });

  it('a message older than the one that its state came from is stale, whatever the wrap (RFC 2961 4.5)', () => {
    const [a] = pair();
    const state = { refreshed(): void {} };
    const arrive = (id: number, epoch = 0xbb) =>
      a.exchange.receive(1000, fromB({ msgType: 1, objects: [messageId(id, epoch), session, hop] }))[0]!;
    const first = arrive(0xfffffff0);
    assert.equal(a.exchange.order(first, state), 'trigger');
    a.exchange.bind(first, state);
    assert.equal(a.exchange.order(arrive(0xffffffef), state), 'stale');
    assert.equal(a.exchange.order(arrive(0xfffffff0), state), 'refresh');
    assert.equal(a.exchange.order(arrive(3), state), 'trigger');
    // No state can be associated: it MUST NOT be treated as out of order.
    assert.equal(a.exchange.order(arrive(0xffffff00), { refreshed(): void {} }), 'trigger');
    // Another Epoch MUST NOT be treated as out of order.
    assert.equal(a.exchange.order(arrive(1, 0xbc), state), 'trigger');
    assert.equal(a.events.length, 0);
  });

  it('a tear that was acknowledged and comes again is acknowledged again and not delivered again (RFC 2961 4.5)', () => {
    const [a, b] = pair();
    introduce(0, b, a);
    b.exchange.send(1000, b.tear(9, A));
    const packets = b.flush();
    assert.equal(a.hear(1001, b, packets).length, 1);
    assert.equal(acks(a).length, 0);
    a.run(1100);
    a.sent.length = 0;
    assert.equal(a.hear(1200, b, packets).length, 0);
    assert.equal(a.exchange.dropped.duplicate, 1);
    assert.equal(a.run(1300).length, 1);
  });

  it('so is a ResvConf, whose generator is its IP source (RFC 2961 4.5)', () => {
    const [a] = pair();
    const confirm = fromB({ msgType: 7, objects: [messageId(7), session] }, '10.9.0.9');
    assert.equal(a.exchange.receive(0, confirm).length, 1);
    assert.deepEqual(acks({ messages: () => a.run(10).map(({ octets }) => RSVP.decode(octets)) }), [7]);
    assert.equal(a.sent.at(-1)?.destination, B);
    assert.deepEqual(a.exchange.receive(20, confirm), [], 'again: no state tells that it was here before');
    assert.deepEqual(acks({ messages: () => a.run(30).map(({ octets }) => RSVP.decode(octets)) }), [7]);
  });

  it('a neighbour that does not know MESSAGE_ID gets the message again without it (RFC 2961 4.8)', () => {
    const [a] = pair();
    a.exchange.tell(1000, a.path(7, { neighbour: B }));
    a.exchange.send(1000, a.tear(9, B));
    a.flush();
    const error = ErrorSpecIpv4.make({
      errorNodeAddress: B,
      flags: 0,
      errorCode: 13,
      errorValue: (23 << 8) | 1,
    });
    const arrived = a.exchange.receive(1010, fromB({ msgType: 3, flags: 0, objects: [session, error] }));
    assert.deepEqual(arrived, []);
    const again = a.messages();
    assert.deepEqual(again.map(({ type }) => type).sort(), ['Path', 'ResvTear']);
    assert.deepEqual(again.map(idOf), [undefined, undefined]);
    assert.equal(again.find(({ type }) => type === 'Path')?.objects.length, 4);
    a.exchange.tell(1020, a.resv(8, B));
    assert.equal(idOf(a.messages()[0]!), undefined);
    assert.equal(portOf(again[0]!) > 0, true);
  });
});
