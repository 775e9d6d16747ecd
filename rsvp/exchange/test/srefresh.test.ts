import assert from 'node:assert/strict';
import {
  find,
  MessageIdList,
  MessageIdMcastListIpv4,
  MessageIdNack,
  MessageIdSrcListIpv4,
  RSVP,
  RsvpHopIpv4,
  SessionIpv4,
} from '../../wire/index.js';
import type { WireObject } from '../../wire/index.js';
import type { SentPacket } from '../../engine/packet.js';
import type { ExchangeInterface, ExchangeOptions } from '../options.js';
import { introduce, portOf, Station } from './station.js';

const A = '10.0.0.1';
const B = '10.0.0.2';
const SREFRESH = 15;

function capable(
  settings: Partial<ExchangeInterface> = {},
  options: Partial<ExchangeOptions> = {},
): [Station, Station] {
  const a = new Station(A, settings, { epoch: 0xaa, firstMessageIdentifier: 100, ...options });
  const b = new Station(B, {}, { epoch: 0xbb, firstMessageIdentifier: 500 });
  introduce(0, a, b);
  introduce(0, b, a);
  return [a, b];
}

const isSrefresh = ({ octets }: SentPacket): boolean => octets[1] === SREFRESH;
const idsIn = (packet: SentPacket): readonly number[] =>
  find(RSVP.decode(packet.octets), MessageIdList)?.messageIdentifiers ?? [];

/** State at B that is told by A, bound to its numbers. */
function bindAll(now: number, a: Station, b: Station): Map<number, number[]> {
  const refreshed = new Map<number, number[]>();
  for (const arrived of b.hear(now, a, a.flush())) {
    const times: number[] = [];
    refreshed.set(portOf(arrived.message), times);
    b.exchange.bind(arrived, { refreshed: (at) => times.push(at) });
  }
  a.hear(now, b, b.run(now + 10));
  return refreshed;
}

function srefresh(
  objects: WireObject[],
  destination = B,
  source = A,
): Parameters<Station['exchange']['receive']>[1] {
  const octets = RSVP.encode({ msgType: SREFRESH, flags: 1, ttl: 255, objects });
  return { interface: 1, source, destination, ttl: 255, octets };
}

const list = (messageIdentifiers: number[], epoch = 0xaa): WireObject =>
  MessageIdList.make({ flags: 0, epoch, messageIdentifiers });

function nacks(packets: readonly SentPacket[]): { epoch: number; messageIdentifier: number }[] {
  return packets
    .flatMap(({ octets }) => RSVP.decode(octets).objects)
    .flatMap((object) => (MessageIdNack.is(object) ? [object] : []))
    .map(({ epoch, messageIdentifier }) => ({ epoch, messageIdentifier }));
}

describe('rsvp/exchange Srefresh (RFC 2961 5)', () => {
  it('state of a capable neighbour is refreshed by one Srefresh of type 15 instead of its messages (RFC 2961 5.2, 5.3)', () => {
    const [a, b] = capable();
    for (let port = 10; port < 15; port++) a.exchange.tell(1000, a.resv(port, B));
    a.exchange.tell(1000, a.path(20, { neighbour: B }));
    const refreshed = bindAll(1001, a, b);
    const sent = a.run(31_500);
    assert.equal(sent.length, 1);
    const [packet] = sent;
    assert.equal(packet!.octets[1], SREFRESH);
    assert.equal(packet!.destination, B);
    assert.equal(packet!.source, undefined);
    assert.equal(packet!.routerAlert, false);
    const message = RSVP.decode(packet!.octets);
    // Flags of the list MUST be zero, the Epoch that of the MESSAGE_IDs (RFC 2961 5.1).
    assert.equal(find(message, MessageIdList)!.flags, 0);
    assert.equal(find(message, MessageIdList)!.epoch, 0xaa);
    assert.deepEqual(b.hear(31_500, a, sent), []);
    for (const times of refreshed.values()) assert.deepEqual(times, [31_500]);
    // Nothing to say: B has it all.
    assert.deepEqual(nacks(b.run(32_000)), []);
  });

  it('standard messages are used where it is not known that the neighbour is capable (RFC 2961 5.6)', () => {
    const a = new Station(A);
    a.exchange.tell(0, a.resv(7, B));
    a.exchange.tell(0, a.path(7));
    assert.ok(!a.run(200_000).some(isSrefresh));
  });

  it('Srefresh and Bundle MUST NOT be sent once the neighbour says that it is not capable (RFC 2961 2)', () => {
    const [a, b] = capable();
    a.exchange.tell(1000, a.resv(7, B));
    a.exchange.tell(1000, a.resv(8, B));
    bindAll(1001, a, b);
    const hop = RsvpHopIpv4.make({ hopAddress: B, logicalInterfaceHandle: 1 });
    const octets = RSVP.encode({ msgType: 1, flags: 0, ttl: 255, objects: [hop] });
    a.exchange.receive(2000, { interface: 1, source: B, destination: A, ttl: 255, octets });
    a.exchange.tell(2000, a.resv(9, B));
    a.exchange.tell(2000, a.resv(10, B));
    const types = a.run(300_000).map((packet) => packet.octets[1]);
    assert.ok(types.length > 20);
    assert.deepEqual([...new Set(types)], [2]);
    assert.equal(a.events.at(-1)?.kind, 'refresh-reduction');
  });

  it('a neighbour that fell silent is told whole messages again (RFC 2961 2)', () => {
    const [a, b] = capable({ wholeEvery: 0 });
    a.exchange.tell(1000, a.path(7, { neighbour: B }));
    bindAll(1001, a, b);
    // RFC 2205 3.7: (K + 0.5) * 1.5 * R = 157.5 s after it was heard last.
    const isWholeAt = (from: number, to: number): boolean => {
      a.run(from);
      return a.run(to).some(({ octets }) => octets[1] === 1);
    };
    assert.equal(isWholeAt(2000, 155_000), false);
    assert.equal(isWholeAt(155_000, 250_000), true);
  });

  it('a period is never longer than that of whole messages would be, 1.5 R (RFC 2961 5.3)', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
    const [a, b] = capable({ mtu: 192 }, { random });
    const adverts = Array.from({ length: 300 }, (_, i) => a.resv(1000 + i, B));
    const refreshed = new Map<number, number>();
    let told = 0;
    let longest = 0;
    for (let now = 1000; now < 400_000; now += 100) {
      // They come at any time, and most go again at once, so that the rest is due in a smaller ring.
      if (now % 500 === 0 && told < adverts.length) a.exchange.tell(now, adverts[told++]!);
      if (now === 250_000) for (const advert of adverts.slice(20)) a.exchange.forget(advert);
      a.exchange.handleTimeout(now);
      for (const arrived of b.hear(now, a, a.flush())) {
        const port = portOf(arrived.message);
        const touch = (at: number): void => {
          if (port < 1020 || at < 250_000) longest = Math.max(longest, at - (refreshed.get(port) ?? at));
          refreshed.set(port, at);
        };
        touch(now);
        b.exchange.bind(arrived, { refreshed: touch });
      }
      b.exchange.handleTimeout(now);
      a.hear(now, b, b.flush());
    }
    assert.equal(refreshed.size, 300);
    assert.ok(longest > 15_000 && longest <= 45_100, `${longest} ms`);
  });

  it('a ring of many is refreshed in slices below the MTU, all over the period', () => {
    const [a, b] = capable({ wholeEvery: 0 });
    for (let port = 0; port < 3600; port++) a.exchange.tell(1000, a.resv(port, B));
    bindAll(1001, a, b);
    a.run(31_000);
    const counts: number[] = [];
    for (let now = 32_000; now <= 61_000; now += 1000) {
      const packets = a.run(now);
      assert.ok(packets.every((packet) => isSrefresh(packet) && packet.octets.length <= 1476));
      counts.push(packets.reduce((sum, packet) => sum + idsIn(packet).length, 0));
    }
    assert.ok(Math.max(...counts) <= 400, counts.join());
    assert.ok(counts.reduce((sum, count) => sum + count) >= 3600 - 400);
  });

  it('what B does not know is refused by number and Epoch, and sent whole with the same number (RFC 2961 5.4)', () => {
    const [a, b] = capable();
    a.exchange.tell(1000, a.resv(7, B));
    a.exchange.tell(1000, a.resv(8, B));
    const [, second] = b.hear(1001, a, a.flush());
    // B has 7 alone.
    b.exchange.bind(second!, { refreshed(): void {} });
    a.hear(1012, b, b.run(1012));
    b.hear(31_000, a, a.run(31_000));
    const answer = b.run(31_100);
    assert.deepEqual(nacks(answer), [
      { epoch: 0xaa, messageIdentifier: second!.messageId!.messageIdentifier - 1 },
    ]);
    assert.equal(answer[0]!.octets[1], 13);
    a.hear(31_101, b, answer);
    const [arrived] = b.hear(31_102, a, a.flush());
    assert.equal(portOf(arrived!.message), 7);
    assert.equal(arrived!.messageId!.messageIdentifier, second!.messageId!.messageIdentifier - 1);
  });

  it('a NACK for what was not named, or is not ours, has no effect; one is heeded once (RFC 2961 5.4)', () => {
    const [a, b] = capable();
    a.exchange.tell(1000, a.resv(7, B));
    bindAll(1001, a, b);
    const nack = (messageIdentifier: number): void => {
      const objects = [MessageIdNack.make({ flags: 0, epoch: 0xaa, messageIdentifier })];
      const octets = RSVP.encode({ msgType: 13, flags: 1, ttl: 255, objects });
      a.exchange.receive(40_000, { interface: 1, source: B, destination: A, ttl: 255, octets });
    };
    nack(100);
    assert.deepEqual(a.flush(), []);
    const [named] = a.run(39_000);
    const [id] = idsIn(named!);
    nack(id!);
    nack(id!);
    nack(id! + 1);
    assert.equal(a.flush().length, 1);
  });

  it('numbers of an older Epoch are refused, and bound state is given up when a new one begins (RFC 2961 4.2, 5.3)', () => {
    const [a, b] = capable();
    a.exchange.tell(1000, a.resv(7, B));
    const refreshed = bindAll(1001, a, b);
    const id = 100;
    b.exchange.receive(2000, srefresh([list([id], 0xa9)]));
    assert.deepEqual(nacks(b.run(2100)), [{ epoch: 0xa9, messageIdentifier: id }]);
    assert.deepEqual(refreshed.get(7), []);
    // A starts anew.
    const again = new Station(A, {}, { epoch: 0xcc, firstMessageIdentifier: 9 });
    introduce(3000, b, again);
    introduce(3000, again, b);
    again.exchange.tell(3000, again.resv(70, B));
    b.hear(3000, again, again.flush());
    assert.equal(b.exchange.sizes.bound, 0);
    b.flush();
    assert.ok(b.events.some(({ kind }) => kind === 'neighbour-restarted'));
  });

  it('state that is unbound is refused; several states of one message are refreshed together', () => {
    const [a, b] = capable();
    a.exchange.tell(1000, a.resv(7, B));
    const [arrived] = b.hear(1001, a, a.flush());
    let count = 0;
    const states = [1, 2, 3].map(() => ({ refreshed: () => count++ }));
    for (const state of states) b.exchange.bind(arrived!, state);
    const { messageIdentifier } = arrived!.messageId!;
    b.run(1100);
    b.exchange.receive(2000, srefresh([list([messageIdentifier])]));
    assert.equal(count, 3);
    b.exchange.unbind(states[1]!);
    b.exchange.receive(2000, srefresh([list([messageIdentifier])]));
    assert.equal(count, 5);
    for (const state of states) b.exchange.unbind(state);
    b.exchange.receive(2000, srefresh([list([messageIdentifier])]));
    assert.equal(nacks(b.run(2100)).length, 1);
    assert.equal(b.exchange.sizes.bound, 0);
  });

  it('one in so many refreshes is a whole message with the same number, and no Srefresh beside it (RFC 2961 5.5)', () => {
    const [a, b] = capable({ wholeEvery: 4 });
    a.exchange.tell(1000, a.resv(7, B));
    bindAll(1001, a, b);
    const types: (number | undefined)[] = [];
    for (let now = 1000; now < 400_000; now += 1000) {
      const packets = a.run(now);
      types.push(...packets.map(({ octets }) => octets[1]));
      b.hear(now, a, packets);
      introduce(now, a, b);
    }
    assert.match(types.join(), /2,15,15,15,2,15,15,15/);
  });

  it('a Path behind a hop without RSVP is refreshed whole, a Resv by number (RFC 2961 5.6)', () => {
    const [a, b] = capable({ wholeEvery: 0 });
    b.exchange.send(500, b.tear(1, A));
    // TTL 254 at arrival of Send_TTL 255 (RFC 2205 3.8).
    for (const packet of b.flush()) a.exchange.receive(500, { ...b.arrival(packet), ttl: 254 });
    a.exchange.tell(1000, a.path(7, { neighbour: B }));
    a.exchange.tell(1000, a.resv(8, B));
    a.flush();
    a.exchange.receive(1001, {
      ...srefresh([], A, B),
      ttl: 254,
      octets: RSVP.encode({ msgType: 13, flags: 1, ttl: 255, objects: [] }),
    });
    const types = a.run(60_000).filter(({ octets }) => octets[1] !== 2);
    assert.ok(types.some(({ octets, routerAlert }) => octets[1] === 1 && routerAlert));
    assert.ok(types.some(isSrefresh));
    assert.ok(types.filter(isSrefresh).every((packet) => idsIn(packet).length === 1));
  });

  it('multicast Path goes into a MCAST_LIST to the next hop of a point-to-point link, with source and group (RFC 2961 5.1, 5.2)', () => {
    const [a] = capable({ isPointToPoint: true });
    a.exchange.tell(1000, a.path(7, { neighbour: B, group: '239.1.2.3' }));
    a.flush();
    const [packet] = a.run(60_000).filter(isSrefresh);
    assert.equal(packet!.destination, B);
    const objects = RSVP.decode(packet!.octets).objects;
    assert.equal(objects.length, 1);
    const { tuples, epoch } = find({ objects }, MessageIdMcastListIpv4)!;
    assert.equal(epoch, 0xaa);
    assert.deepEqual(tuples, [
      { messageIdentifier: 100, sourceIpAddress: '10.1.0.1', destinationIpAddress: '239.1.2.3' },
    ]);
  });

  it('elsewhere it is sent whole, unless the administrator says that all are capable (RFC 2961 5.3, 5.6)', () => {
    const [a] = capable();
    a.exchange.tell(1000, a.path(7, { neighbour: B, group: '239.1.2.3' }));
    assert.ok(!a.run(200_000).some(isSrefresh));
  });

  it('then in a SRC_LIST alone, to the group, with Router Alert, a message for each group (RFC 2961 5.2)', () => {
    const a = new Station(A, { refreshReduction: 'assumed' }, { epoch: 0xaa });
    a.exchange.tell(1000, a.path(7, { group: '239.1.2.3' }));
    a.exchange.tell(1000, a.path(8, { group: '239.1.2.3' }));
    a.exchange.tell(1000, a.path(9, { group: '239.1.2.4' }));
    a.exchange.tell(1000, a.path(10));
    a.flush();
    const packets = a.run(40_000).filter(isSrefresh);
    assert.deepEqual(packets.map(({ destination }) => destination).sort(), [
      '10.9.0.2',
      '239.1.2.3',
      '239.1.2.4',
    ]);
    for (const packet of packets) {
      assert.equal(packet.routerAlert, true);
      const { objects } = RSVP.decode(packet.octets);
      assert.equal(objects.length, 1);
      if (packet.destination === '10.9.0.2') assert.ok(MessageIdList.is(objects[0]!));
      else assert.ok(MessageIdSrcListIpv4.is(objects[0]!));
    }
  });

  it('multicast state that is not known is refused where packets would be forwarded, else silently ignored (RFC 2961 5.3)', () => {
    const asked: unknown[] = [];
    const b = new Station(
      B,
      {},
      {
        forwards: (source, group, index) => {
          asked.push([source, group, index]);
          return source === '10.1.0.1';
        },
      },
    );
    const tuple = (messageIdentifier: number, sourceIpAddress: string) => ({
      messageIdentifier,
      sourceIpAddress,
    });
    const sources = MessageIdSrcListIpv4.make({
      flags: 0,
      epoch: 0xaa,
      tuples: [tuple(1, '10.1.0.1'), tuple(2, '10.1.0.2')],
    });
    b.exchange.receive(0, srefresh([sources], '239.1.2.3'));
    assert.deepEqual(nacks(b.run(100)), [{ epoch: 0xaa, messageIdentifier: 1 }]);
    const groups = MessageIdMcastListIpv4.make({
      flags: 0,
      epoch: 0xaa,
      tuples: [{ ...tuple(3, '10.1.0.1'), destinationIpAddress: '239.9.9.9' }],
    });
    b.exchange.receive(0, srefresh([groups]));
    assert.deepEqual(nacks(b.run(200)), [{ epoch: 0xaa, messageIdentifier: 3 }]);
    assert.deepEqual(asked.at(-1), ['10.1.0.1', '239.9.9.9', 1]);
    assert.deepEqual(asked[0], ['10.1.0.1', '239.1.2.3', 1]);
  });

  it('an Srefresh without lists, and a SRC_LIST beside others, are malformed (RFC 2961 5.2)', () => {
    const [, b] = capable();
    const sources = MessageIdSrcListIpv4.make({ flags: 0, epoch: 0xaa, tuples: [] });
    b.exchange.receive(0, srefresh([]));
    b.exchange.receive(0, srefresh([sources, list([1])]));
    assert.equal(b.exchange.dropped.malformed, 2);
  });

  it('one that comes where refresh reduction is off is unexpected', () => {
    const b = new Station(B, { refreshReduction: 'off' });
    b.exchange.receive(0, srefresh([list([1])]));
    assert.equal(b.exchange.dropped['unexpected-srefresh'], 1);
    assert.deepEqual(b.run(1000), []);
  });

  it('a flood of unknown numbers from a stranger is answered by fewer octets than it has, and keeps nothing', () => {
    const b = new Station(B);
    let arrived = 0;
    let answered = 0;
    for (let i = 0; i < 200; i++) {
      const packet = srefresh([list(Array.from({ length: 360 }, (_, j) => i * 360 + j))]);
      arrived += packet.octets.length;
      b.exchange.receive(i * 20, packet);
      const answers = b.run(i * 20 + 19);
      assert.equal(answers.length, 1);
      assert.ok(answers[0]!.octets.length <= 1476);
      answered += answers[0]!.octets.length;
    }
    assert.ok(answered <= arrived, `${answered} octets for ${arrived}`);
    // At once: they are one batch.
    for (let i = 0; i < 1000; i++) b.exchange.receive(5000, srefresh([list([i, i + 1, i + 2])]));
    assert.equal(b.run(5100).length, 1);
    assert.equal(b.exchange.sizes.bound, 0);
    assert.equal(b.exchange.sizes.neighbours, 1);
  });

  it('a neighbour with state here is refused all that it asks for (RFC 2961 5.3)', () => {
    const [a, b] = capable();
    a.exchange.tell(1000, a.resv(7, B));
    bindAll(1001, a, b);
    b.exchange.receive(2000, srefresh([list(Array.from({ length: 360 }, (_, j) => 5000 + j))]));
    const answers = b.run(2100);
    assert.equal(nacks(answers).length, 360);
    assert.ok(answers.every(({ octets }) => octets.length <= 1476));
  });

  it('more neighbours than the limit are served, and not remembered', () => {
    const b = new Station(B, {}, { neighbourLimit: 100 });
    const session = SessionIpv4.make({ destAddress: '10.9.0.2', protocolId: 17, flags: 0, dstPort: 7 });
    for (let i = 0; i < 300; i++) {
      const source = `10.2.${i >> 8}.${i & 255}`;
      const hop = RsvpHopIpv4.make({ hopAddress: source, logicalInterfaceHandle: 1 });
      const octets = RSVP.encode({ msgType: 1, flags: 1, ttl: 255, objects: [session, hop] });
      assert.equal(
        b.exchange.receive(i, { interface: 1, source, destination: B, ttl: 255, octets }).length,
        1,
      );
    }
    assert.equal(b.exchange.sizes.neighbours, 100);
  });
});
