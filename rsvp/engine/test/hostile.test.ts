import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RSVP, TimeValues } from '../../wire/index.js';
import { defaultAdspec } from '../adspec.js';
import { flowspecOf, tspecOf } from '../flow.js';
import { filterObject, hopObject, sessionObject, templateObject } from '../identity.js';
import { styleObject } from '../style.js';
import { flow, tspec } from './network.js';
import { GROUP, One, S } from './one.js';

const session = sessionObject({ destination: GROUP, protocol: 17, port: 5000 });
const time = TimeValues.make({ refreshPeriod: 30_000 });
const sender = { cType: 1, address: S[1], port: 6000 };

const PATH = RSVP.encode({
  msgType: 1,
  ttl: 63,
  objects: [
    session,
    hopObject('10.1.0.1', 7),
    time,
    templateObject(sender),
    tspecOf(tspec(1)),
    defaultAdspec(),
  ],
});
const RESV = RSVP.encode({
  msgType: 2,
  ttl: 63,
  objects: [
    session,
    hopObject('10.3.0.1', 3),
    time,
    styleObject('FF'),
    flowspecOf(flow(1)),
    filterObject(sender),
  ],
});

describe('hostile messages', () => {
  const arrive = (one: One, octets: Uint8Array, via: number): void => {
    const path = octets[1] === 1 || octets[1] === 5;
    const packet = {
      interface: via,
      source: path ? S[1] : `10.${via}.0.1`,
      destination: path ? GROUP : `10.${via}.0.254`,
      ttl: 63,
      octets,
    };
    one.do(one.engine.receive(one.now, packet));
  };

  it('of every length, and with every octet changed, throw nothing and leave what can be torn down', () => {
    for (const [octets, via] of [
      [PATH, 1],
      [RESV, 3],
    ] as const) {
      const one = new One();
      arrive(one, PATH, 1);
      for (let length = 0; length <= octets.length; length++) arrive(one, octets.subarray(0, length), via);
      for (let at = 0; at < octets.length; at++)
        for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
          const changed = Uint8Array.from(octets);
          changed[at] = value;
          // No checksum: what a peer may send.
          changed[2] = 0;
          changed[3] = 0;
          arrive(one, changed, via);
        }
      one.do(one.engine.shutdown(one.now));
      assert.equal(one.engine.stateCount.sessions, 0);
      assert.equal(one.engine.stateCount.timers, 0);
      assert.equal(one.kernel.size, 0);
      assert.ok(one.engine.interfaces().every(({ reserved }) => reserved === 0));
    }
  });

  it('state times out whatever was sent, and nothing is left (RFC 2205 2.3)', () => {
    const one = new One();
    arrive(one, PATH, 1);
    arrive(one, RESV, 3);
    one.pass(157_501);
    const { sessions, paths, reservations, traffics, timers } = one.engine.stateCount;
    assert.deepEqual([sessions, paths, reservations, traffics, timers], [0, 0, 0, 0, 0]);
    assert.equal(one.engine.nextTimeout(), undefined);
  });

  it('beyond the limits state is refused with code 23, counted, and none is kept', () => {
    const one = new One({ limits: { sessions: 1, sendersPerSession: 2, reservationsPerSession: 1 } });
    one.path('a', S[1]).path('a', S[4]).path('b', S[2]);
    assert.equal(one.engine.stateCount.paths, 2);
    one.resv('c', 'FF', [[[S[1]], 1]]).resv('c', 'FF', [[[S[4]], 1]]);
    assert.equal(one.engine.stateCount.reservations, 1);
    const errors = one.sent.filter(({ message }) => /Err/.test(message.type));
    assert.deepEqual(
      errors.map(({ message }) => message.type),
      ['PathErr', 'ResvErr'],
    );
    assert.equal(one.engine.counters.dropped.limit, 2);
  });

  it('our own Path, come back, is dropped', () => {
    const one = new One().path('a', S[1], { hop: '10.3.0.254' });
    assert.equal(one.engine.stateCount.paths, 0);
    assert.equal(one.engine.counters.dropped['own-message'], 1);
  });

  it('a Resv with a handle that is none of ours is dropped (RFC 2205 Appendix B)', () => {
    const one = new One().path('a', S[1]).resv('c', 'FF', [[[S[1]], 1]], { handle: 99 });
    assert.equal(one.engine.stateCount.reservations, 0);
    assert.equal(one.engine.counters.dropped['bad-handle'], 1);
  });

  it('a Resv for another node goes there unread (RFC 2205 2.9)', () => {
    const one = new One();
    one.routes = () => ({ outgoing: [2] });
    one.arrive('c', { msgType: 2, objects: [session] }, { destination: '10.77.0.1' });
    assert.deepEqual(
      one.sent.map(({ interface: index, destination, ttl }) => [index, destination, ttl]),
      [[2, '10.77.0.1', 62]],
    );
  });

  it('a Path whose source is neither its sender (RFC 2205 3.1.3) nor, as others have it, its hop is dropped and counted', () => {
    for (const [source, paths] of [
      ['10.9.9.9', 0],
      [S[1], 1],
      ['10.1.0.1', 1],
    ] as const) {
      const one = new One();
      one.do(one.engine.receive(0, { interface: 1, source, destination: GROUP, ttl: 63, octets: PATH }));
      assert.equal(one.engine.stateCount.paths, paths, source);
      assert.equal(one.engine.counters.dropped['source-address'], 1 - paths);
    }
  });
});
