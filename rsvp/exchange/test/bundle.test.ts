import assert from 'node:assert/strict';
import { RSVP } from '../../wire/index.js';
import type { RsvpInput } from '../../wire/index.js';
import { introduce, portOf, Station } from './station.js';

const A = '10.0.0.1';
const B = '10.0.0.2';
const BUNDLE = 12;

function capable(isPointToPoint = false): [Station, Station] {
  const a = new Station(A, { isPointToPoint });
  const b = new Station(B);
  introduce(0, a, b);
  return [a, b];
}

function packet(message: RsvpInput | Uint8Array, ttl = 255): Parameters<Station['exchange']['receive']>[1] {
  const octets = message instanceof Uint8Array ? message : RSVP.encode({ flags: 1, ttl: 255, ...message });
  return { interface: 1, source: B, destination: A, ttl, octets };
}

const part = (port: number, ttl = 255): RsvpInput => {
  const advert = new Station(B).resv(port, A);
  return { ...advert.message(), ttl, flags: 1 };
};

describe('rsvp/exchange Bundle (RFC 2961 3)', () => {
  it('messages for one neighbour that are due together leave in a Bundle to it, without Router Alert (RFC 2961 3.3)', () => {
    const [a, b] = capable();
    for (const port of [7, 8, 9]) a.exchange.tell(1000, a.resv(port, B));
    a.exchange.tell(1000, a.path(7, { neighbour: B }));
    const packets = a.flush();
    // The Path finds its own way: the link is shared.
    assert.deepEqual(packets.map(({ octets }) => octets[1]).sort(), [1, BUNDLE]);
    const bundle = packets.find(({ octets }) => octets[1] === BUNDLE)!;
    assert.equal(bundle.destination, B);
    assert.equal(bundle.source, undefined);
    assert.equal(bundle.routerAlert, false);
    assert.deepEqual(
      b.hear(1001, a, [bundle]).map(({ message }) => portOf(message)),
      [7, 8, 9],
    );
  });

  it('a Bundle MUST NOT be sent to a neighbour that does not support it (RFC 2961 3.3)', () => {
    const a = new Station(A);
    for (const port of [7, 8, 9]) a.exchange.tell(1000, a.resv(port, B));
    assert.deepEqual(
      a.flush().map(({ octets }) => octets[1]),
      [2, 2, 2],
    );
  });

  it('Path and PathTear of a multicast session MUST NOT be in one unless the link is point-to-point (RFC 2961 3.3)', () => {
    for (const isPointToPoint of [false, true]) {
      const [a] = capable(isPointToPoint);
      a.exchange.tell(1000, a.path(7, { neighbour: B, group: '239.1.1.1' }));
      a.exchange.tell(1000, a.path(8, { neighbour: B, group: '239.1.1.1' }));
      const types = a.flush().map(({ octets }) => octets[1]);
      assert.deepEqual(types, isPointToPoint ? [BUNDLE] : [1, 1]);
    }
  });

  it('Bundles stay below the MTU', () => {
    const [a, b] = capable();
    for (let port = 0; port < 100; port++) a.exchange.tell(1000, a.resv(port, B));
    const packets = a.flush();
    assert.ok(packets.length > 1);
    assert.ok(packets.every(({ octets }) => octets.length <= 1500 - 24));
    assert.equal(b.hear(1000, a, packets).length, 100);
  });

  it('a part counts as if it had come alone, but with the Send_TTL of the Bundle (RFC 2961 3.4)', () => {
    const [a] = capable();
    const octets = RSVP.encode({
      msgType: BUNDLE,
      flags: 1,
      ttl: 70,
      objects: [],
      messages: [part(7, 3), part(8, 4)],
    });
    const arrived = a.exchange.receive(1, packet(octets, 70));
    assert.deepEqual(
      arrived.map(({ message }) => [portOf(message), message.ttl]),
      [
        [7, 70],
        [8, 70],
      ],
    );
  });

  it('a part with a wrong checksum or version is dropped, and the others are not (RFC 2961 3.4)', () => {
    const [a] = capable();
    const octets = RSVP.encode({
      msgType: BUNDLE,
      ttl: 255,
      objects: [],
      messages: [{ ...part(7), checksum: 1 }, part(8), { ...part(9), version: 2 }],
    });
    const arrived = a.exchange.receive(1, packet(octets));
    assert.deepEqual(
      arrived.map(({ message }) => portOf(message)),
      [8],
    );
    assert.equal(a.exchange.dropped['bad-checksum'], 1);
    assert.equal(a.exchange.dropped['bad-version'], 1);
  });

  it('the version and checksum of a Bundle are verified, and all of it is discarded (RFC 2961 3.4)', () => {
    const [a] = capable();
    const bundle = { msgType: BUNDLE, objects: [], messages: [part(7)] };
    assert.deepEqual(a.exchange.receive(1, packet({ ...bundle, version: 3 })), []);
    assert.deepEqual(a.exchange.receive(1, packet({ ...bundle, checksum: 1 })), []);
    assert.equal(a.exchange.dropped['bad-version'], 1);
    assert.equal(a.exchange.dropped['bad-checksum'], 1);
    // A checksum of 0 is none (RFC 2961 3.1).
    assert.equal(a.exchange.receive(1, packet({ ...bundle, checksum: 0 })).length, 1);
  });

  it('an empty Bundle, a Bundle in a Bundle, and parts that do not fill it, have no effect at all (RFC 2961 3.2)', () => {
    const [a] = capable();
    const outer = (messages: RsvpInput[], trailing = new Uint8Array()): RsvpInput => ({
      msgType: BUNDLE,
      objects: [],
      messages,
      trailing,
    });
    assert.deepEqual(a.exchange.receive(1, packet(outer([]))), []);
    assert.deepEqual(a.exchange.receive(1, packet(outer([part(7), outer([part(8)])]))), []);
    assert.deepEqual(a.exchange.receive(1, packet(outer([part(7)], new Uint8Array(4)))), []);
    assert.deepEqual(a.exchange.receive(1, packet(outer([part(7)], new Uint8Array(8)))), []);
    let deep = part(9);
    for (let i = 0; i < 200; i++) deep = outer([deep]);
    assert.deepEqual(a.exchange.receive(1, packet(deep)), []);
    assert.equal(a.exchange.dropped['bad-bundle'], 5);
  });

  it('every prefix of a Bundle is dropped, and what is sent cut short too', () => {
    const [a] = capable();
    const octets = RSVP.encode({
      msgType: BUNDLE,
      ttl: 255,
      flags: 1,
      objects: [],
      messages: [part(7), part(8)],
    });
    for (let size = 0; size < octets.length; size++) {
      const cut = octets.slice(0, size);
      assert.deepEqual(a.exchange.receive(1, packet(cut)), []);
      if (size < 8) continue;
      cut[6] = size >> 8;
      cut[7] = size;
      cut.fill(0, 2, 4);
      assert.ok(a.exchange.receive(1, packet(cut)).length < 2);
    }
  });
});
