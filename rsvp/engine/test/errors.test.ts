import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ErrorSpecIpv4, find, RsvpHopIpv4, ScopeIpv4, Style } from '../../wire/index.js';
import type { RsvpMessage } from '../../wire/index.js';
import { flow } from './network.js';
import { GROUP, One, RECEIVER, S } from './one.js';
import { flowspecOf, tspecOf } from '../flow.js';
import { filterObject, hopObject, sessionObject, templateObject } from '../identity.js';
import { confirmObject } from '../resv-message.js';
import { styleObject } from '../style.js';

function errorOf(message: RsvpMessage | undefined) {
  assert.ok(message !== undefined);
  const error = find(message, ErrorSpecIpv4);
  assert.ok(error !== undefined);
  return error;
}

function resvErr(one: One) {
  const [sent] = one.take('ResvErr');
  assert.ok(sent !== undefined, 'a ResvErr');
  const { errorCode, errorValue, flags } = errorOf(sent.message);
  return { code: errorCode, value: errorValue, flags, to: sent.destination, message: sent.message };
}

function pathErr(one: One) {
  const [sent] = one.take('PathErr');
  assert.ok(sent !== undefined, 'a PathErr');
  const { errorCode, errorValue } = errorOf(sent.message);
  return { code: errorCode, value: errorValue, to: sent.destination };
}

describe('errors in a Resv', () => {
  it('without path state: No path information (RFC 2205 Appendix B, code 3)', () => {
    const one = new One().resv('c', 'FF', [[[S[1]], 1]]);
    const { code, to, message } = resvErr(one);
    assert.deepEqual([code, to], [3, '10.3.0.1']);
    assert.deepEqual(
      message.objects.map((object) => object.class),
      ['SESSION', 'RSVP_HOP', 'ERROR_SPEC', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'],
      'in the order of RFC 2205 3.1.8',
    );
    assert.equal(errorOf(message).errorNodeAddress, '10.3.0.254', 'RFC 2209: the address of OI');
    assert.equal(find(message, Style)?.optionVector, 0b01010);
  });

  it('for a sender that there is none of: No sender information (code 4)', () => {
    const one = new One().path('a', S[1]);
    assert.equal(resvErr(one.resv('c', 'FF', [[[S[2]], 1]])).code, 4);
  });

  it('each FF flow descriptor in error is an error of its own (RFC 2205 3.1.8)', () => {
    const one = new One().path('a', S[1]);
    one.resv('c', 'FF', [
      [[S[2]], 1],
      [[S[1]], 1],
      [[S[3]], 1],
    ]);
    assert.equal(one.sent.filter(({ message }) => message.type === 'ResvErr').length, 2);
    assert.deepEqual(one.reserved(), ['c: S1{1B}']);
  });

  it('SE: filters without a sender are left out, the rest is reserved (RFC 2209 2)', () => {
    const one = new One().path('a', S[1]);
    one.take();
    one.resv('c', 'SE', [[[S[1], S[2]], 1]]);
    assert.deepEqual(one.reserved(), ['c: S1{1B}']);
    assert.deepEqual(one.take('ResvErr'), []);
  });

  it('another style: Conflicting style, with the one in place (code 5)', () => {
    const one = new One().path('a', S[1]).resv('c', 'FF', [[[S[1]], 1]]);
    const { code, value } = resvErr(one.resv('d', 'SE', [[[S[1]], 1]]));
    assert.deepEqual([code, value], [5, 0b01010]);
  });

  it('a style that is none: Unknown style (code 6)', () => {
    const one = new One().path('a', S[1]);
    one.arrive('c', {
      msgType: 2,
      objects: [
        one.session(),
        hopObject('10.3.0.1', 3),
        {
          class: 'TIME_VALUES',
          classNum: 5,
          cType: 1,
          length: 8,
          body: Uint8Array.from([0, 0, 0x75, 0x30]),
        } as never,
        Style.make({ flags: 0, optionVector: 0b11111 }),
        flowspecOf(flow(1)),
      ],
    });
    assert.equal(resvErr(one).code, 6);
  });

  it('a destination port where none must be: Conflicting dest ports (RFC 2205 3.2, code 7)', () => {
    const one = new One().path('a', S[1]);
    one.take();
    const zero = sessionObject({ destination: GROUP, protocol: 17, port: 0 });
    one.arrive(
      'a',
      {
        msgType: 1,
        objects: [
          zero,
          hopObject('10.1.0.1', 1),
          {
            class: 'TIME_VALUES',
            classNum: 5,
            cType: 1,
            length: 8,
            body: Uint8Array.from([0, 0, 0x75, 0x30]),
          } as never,
          templateObject({ cType: 1, address: S[1], port: 0 }),
          tspecOf(flow(1)),
        ],
      },
      { source: S[1], destination: GROUP },
    );
    assert.deepEqual(pathErr(one), { code: 7, value: 0, to: '10.1.0.1' });
  });

  it('a source port both zero and not: Conflicting sender ports (RFC 2205 3.2, code 8)', () => {
    const one = new One().path('a', S[1]).path('a', S[1], { port: 0 });
    assert.equal(pathErr(one).code, 8);
    assert.equal(one.engine.stateCount.paths, 1);
  });

  it('a source port without a destination port is dropped silently (RFC 2205 3.2, RFC 2209 2)', () => {
    const one = new One();
    one.arrive(
      'a',
      {
        msgType: 1,
        objects: [
          sessionObject({ destination: GROUP, protocol: 17, port: 0 }),
          hopObject('10.1.0.1', 1),
          {
            class: 'TIME_VALUES',
            classNum: 5,
            cType: 1,
            length: 8,
            body: Uint8Array.from([0, 0, 0x75, 0x30]),
          } as never,
          templateObject({ cType: 1, address: S[1], port: 6000 }),
          tspecOf(flow(1)),
        ],
      },
      { source: S[1], destination: GROUP },
    );
    assert.deepEqual(one.sent, []);
    assert.equal(one.engine.counters.dropped.malformed, 1);
  });

  it('two services for one sender: Service conflict (RFC 2210 2.2, code 21 value 1)', () => {
    const one = new One().path('a', S[1]).resv('c', 'FF', [[[S[1]], 1]]);
    const guaranteed = flow(1, { service: 'guaranteed', reservedRate: 2000 });
    const { code, value } = resvErr(one.resv('d', 'FF', [[[S[1]], guaranteed]]));
    assert.deepEqual([code, value], [21, 1]);
  });

  it('a FLOWSPEC with R below r is none (RFC 2212, code 21 value 3)', () => {
    const one = new One().path('a', S[1]);
    const bad = flow(2, { service: 'guaranteed', reservedRate: 1000 });
    const { code, value } = resvErr(one.resv('c', 'FF', [[[S[1]], bad]]));
    assert.deepEqual([code, value], [21, 3]);
  });
});

describe('unknown classes and C-Types (RFC 2205 3.10)', () => {
  const unknown = (classNum: number) =>
    ({ class: 'x', classNum, cType: 5, length: 8, body: Uint8Array.from([1, 2, 3, 4]) }) as never;

  it('0bbbbbbb: the message is rejected, with class and C-Type (code 13)', () => {
    const one = new One().path('a', S[1], { extra: [unknown(0x3f)] });
    assert.deepEqual(pathErr(one), { code: 13, value: 0x3f05, to: '10.1.0.1' });
    assert.equal(one.engine.stateCount.paths, 0);
    one.path('a', S[1]);
    assert.equal(resvErr(one.resv('c', 'FF', [[[S[1]], 1]], { extra: [unknown(0x3f)] })).value, 0x3f05);
    assert.deepEqual(one.reserved(), []);
  });

  it('0bbbbbbb: a tear, an error and a confirmation are rejected as well, and there is no error about them', () => {
    const one = new One({}, RECEIVER).path('a', S[1]).resv('c', 'FF', [[[S[1]], 1]]);
    one.take();
    const extra = [unknown(0x3f)];
    one.pathTear('a', S[1], { extra }).resvTear('c', 'FF', [S[1]], { extra });
    const error = ErrorSpecIpv4.make({
      errorNodeAddress: '10.77.0.1',
      flags: 0,
      errorCode: 2,
      errorValue: 4,
    });
    const sender = { cType: 1, address: S[1], port: 6000 };
    const descriptor = [styleObject('FF'), flowspecOf(flow(1)), filterObject(sender)];
    one.arrive('c', {
      msgType: 3,
      objects: [one.session(), error, ...extra, templateObject(sender), tspecOf(flow(1))],
    });
    one.arrive('a', {
      msgType: 4,
      objects: [one.session(), hopObject('10.1.0.1', 1), error, ...extra, ...descriptor],
    });
    one.arrive(
      'a',
      { msgType: 7, objects: [one.session(), error, ...extra, confirmObject(RECEIVER), ...descriptor] },
      { destination: RECEIVER },
    );
    assert.deepEqual(one.sent, []);
    assert.equal(one.engine.counters.dropped.malformed, 5);
    assert.deepEqual(one.reserved(), ['c: S1{1B}']);
  });

  it('10bbbbbb: the object is ignored', () => {
    const one = new One().path('a', S[1], { extra: [unknown(0xbf)] });
    assert.deepEqual(one.take('PathErr'), []);
    assert.equal(one.engine.stateCount.paths, 1);
  });

  it('10bbbbbb and 11bbbbbb in a ResvConf: only the latter goes on with it', () => {
    const one = new One({}, RECEIVER);
    one.arrive(
      'a',
      {
        msgType: 7,
        objects: [
          one.session(),
          ErrorSpecIpv4.make({ errorNodeAddress: '10.77.0.1', flags: 0, errorCode: 0, errorValue: 0 }),
          unknown(0xbf),
          unknown(0xf1),
          confirmObject(RECEIVER),
          styleObject('WF'),
          flowspecOf(flow(1)),
        ],
      },
      { destination: RECEIVER },
    );
    const [sent] = one.take('ResvConf');
    assert.deepEqual(
      sent?.message.objects.map(({ classNum }) => classNum),
      [1, 6, 0xf1, 15, 8, 9],
    );
  });

  it('11bbbbbb: the object goes on unmodified, once where several are merged', () => {
    const one = new One().path('a', S[1], { extra: [unknown(0xf1)] });
    const [path] = one.take('Path');
    assert.ok(path?.message.objects.some(({ classNum }) => classNum === 0xf1));
    one.resv('c', 'FF', [[[S[1]], 1]], { extra: [unknown(0xf2), unknown(0xf3)] });
    one.resv('d', 'FF', [[[S[1]], 2]], { extra: [unknown(0xf2)] });
    const last = one.take('Resv').at(-1);
    assert.deepEqual(
      last?.message.objects.map(({ classNum }) => classNum).filter((classNum) => classNum > 0xf0),
      [0xf2, 0xf3],
    );
    assert.equal(
      last.message.objects.findIndex(({ classNum }) => classNum === 8),
      5,
      'in front of STYLE',
    );
  });

  it('11bbbbbb in a tear goes on in the same tear, what was in Path or Resv does not', () => {
    const classes = (sent: { message: RsvpMessage } | undefined) =>
      sent?.message.objects.map(({ classNum }) => classNum);
    const one = new One({}, RECEIVER).path('a', S[1], { extra: [unknown(0xf1)] });
    const confirmed = () => one.resv('c', 'SE', [[[S[1]], 1]], { extra: [unknown(0xf2)] }).take();
    confirmed();
    one.resvTear('c', 'SE', [S[1]], { extra: [unknown(0xf3), unknown(0xbf)] });
    assert.deepEqual(classes(one.take('ResvTear')[0]), [1, 3, 0xf3, 8, 9, 10]);
    one.path('a', S[4]);
    one.resv('c', 'SE', [[[S[1], S[4]], 1]], { extra: [unknown(0xf2)] }).take();
    one.resvTear('c', 'SE', [S[4]], { extra: [unknown(0xf3)] });
    assert.deepEqual(classes(one.take('ResvTear')[0]), [1, 3, 0xf3, 8, 9, 10], 'a part of the list');
    confirmed();
    one.pathTear('a', S[1], { extra: [unknown(0xf4), unknown(0xbf)] });
    assert.deepEqual(classes(one.take('PathTear')[0]), [1, 3, 0xf4, 11, 12]);
  });

  it('an unknown C-Type of a known class: code 14', () => {
    const one = new One();
    const sender = {
      class: 'x',
      classNum: 11,
      cType: 99,
      length: 8,
      body: Uint8Array.from([1, 2, 3, 4]),
    } as never;
    one.arrive(
      'a',
      {
        msgType: 1,
        objects: [
          one.session(),
          hopObject('10.1.0.1', 1),
          {
            class: 'TIME_VALUES',
            classNum: 5,
            cType: 1,
            length: 8,
            body: Uint8Array.from([0, 0, 0x75, 0x30]),
          } as never,
          sender,
          tspecOf(flow(1)),
        ],
      },
      { source: S[1], destination: GROUP },
    );
    assert.deepEqual(pathErr(one), { code: 14, value: (11 << 8) | 99, to: '10.1.0.1' });
  });
});

describe('errors on their way', () => {
  it('a PathErr goes to the previous hop with everything in it (RFC 2205 3.1.7)', () => {
    const one = new One({}, RECEIVER).path('a', S[1]);
    one.take();
    one.arrive('c', {
      msgType: 3,
      objects: [
        one.session(),
        ErrorSpecIpv4.make({ errorNodeAddress: '10.77.0.1', flags: 0, errorCode: 2, errorValue: 4 }),
        templateObject({ cType: 1, address: S[1], port: 6000 }),
        tspecOf(flow(1)),
      ],
    });
    const [sent] = one.take('PathErr');
    assert.equal(sent?.destination, '10.1.0.1');
    const { errorNodeAddress, errorCode, errorValue } = errorOf(sent.message);
    assert.deepEqual([errorNodeAddress, errorCode, errorValue], ['10.77.0.1', 2, 4]);
    assert.equal(one.engine.stateCount.paths, 1, 'it changes no state');
  });

  it('a ResvErr goes to every next hop of the reservation, with our hop (RFC 2205 3.1.8)', () => {
    const one = new One()
      .path('a', S[1])
      .resv('c', 'FF', [[[S[1]], 4]])
      .resv('d', 'FF', [[[S[1]], 3]]);
    one.take();
    one.resvErr('a', 'FF', [[S[1]], 4], { code: 2, value: 3 });
    const sent = one.take('ResvErr');
    assert.deepEqual(
      sent.map(({ destination }) => destination),
      ['10.3.0.1', '10.4.0.1'],
    );
    assert.equal(find(sent[0]!.message, RsvpHopIpv4)?.hopAddress, '10.3.0.254');
    assert.deepEqual(one.reserved(), ['c: S1{4B}', 'd: S1{3B}'], 'it removes nothing');
  });

  it('a ResvErr of WF goes on only to senders of its SCOPE (RFC 2205 3.4)', () => {
    const one = new One();
    one.routes = (_to, source) => ({ outgoing: source === S[1] ? [3, 4] : [4] });
    one.path('a', S[1]).path('a', S[4]);
    one.resv('c', 'WF', [[[], 1]]).resv('d', 'WF', [[[], 1]]);
    one.take();
    one.resvErr('a', 'WF', [[], 1], { code: 2, value: 3, scope: [S[4]] });
    const sent = one.take('ResvErr');
    assert.deepEqual(
      sent.map(({ destination }) => destination),
      ['10.4.0.1'],
      'c has no such sender',
    );
    assert.deepEqual(find(sent[0]!.message, ScopeIpv4)?.srcAddresses, [S[4]]);
  });

  it('a ResvErr from somebody who is no previous hop is dropped', () => {
    const one = new One().path('a', S[1]).resv('c', 'FF', [[[S[1]], 4]]);
    one.take();
    one.resvErr('b', 'FF', [[S[1]], 4], { code: 1, value: 2 });
    assert.deepEqual(one.take(), []);
    assert.equal(one.engine.counters.dropped['no-state'], 1);
  });
});

describe('blockade state', () => {
  it('lets the smaller request through: KR-II (RFC 2205 3.5, Figure 12)', () => {
    const one = new One({ hasSharedTrees: true }).path('a', S[1]).path('b', S[2]);
    one.resv('c', 'WF', [[[], 4]]);
    one.take();
    // 4B fails somewhere beyond a, not beyond b.
    one.resvErr('a', 'WF', [[], 4], { code: 1, value: 2 });
    assert.deepEqual(one.take('Resv'), [], 'all requests are blockaded: nothing new is tried at once');
    one.resv('d', 'WF', [[[], 2]]);
    assert.deepEqual(one.resvs(), ['a: WF *{2B}']);
    assert.deepEqual(one.reserved(), ['c: *{4B}', 'd: *{2B}'], 'what is in place here stays');
    assert.deepEqual(
      [...one.engine.upstreams()].map(({ interface: index, flows }) => [index, flows[0]?.flow.rate]),
      [
        [1, 2000],
        [2, 4000],
      ],
    );
    // "This steady state is perturbed roughly every Kb*R seconds": 4B is tried again.
    one.pass(4 * 30_000 + 10);
    assert.ok(one.resvs().includes('a: WF *{4B}'));
  });

  it('a smaller request that is in place is tried at once, and its holder hears nothing (RFC 2205 3.5)', () => {
    const one = new One()
      .path('a', S[1])
      .resv('c', 'FF', [[[S[1]], 4]])
      .resv('d', 'FF', [[[S[1]], 2]]);
    one.take();
    one.resvErr('a', 'FF', [[S[1]], 4], { code: 1, value: 2, flags: 1 });
    assert.deepEqual(
      one.sent.filter(({ message }) => message.type === 'ResvErr').map(({ destination }) => destination),
      ['10.3.0.1'],
      'InPlace: only to whose Qi is blockaded by Qb',
    );
    assert.deepEqual(one.resvs(), ['a: FF S1{2B}']);
  });

  it('where all are blockaded a refresh asks for the least of them (RFC 2205 3.5)', () => {
    const one = new One()
      .path('a', S[1])
      .resv('c', 'FF', [[[S[1]], 4]])
      .resv('d', 'FF', [[[S[1]], 3]]);
    one.resvErr('a', 'FF', [[S[1]], 3], { code: 1, value: 2 });
    one.take();
    one.resv('d', 'FF', [[[S[1]], 5]]);
    assert.deepEqual(one.resvs(), [], '4 is still what was told: GLB of 4 and 5');
    one.resv('c', 'FF', [[[S[1]], 6]]);
    assert.deepEqual(one.resvs(), ['a: FF S1{5B}']);
  });
});
