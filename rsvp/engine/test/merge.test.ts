import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { find, RsvpHopIpv4 } from '../../wire/index.js';
import { One, S, textOf } from './one.js';
import { flow } from './network.js';

/** RFC 2205 Figure 4: S1 behind a; S2 and S3 behind b; R1 behind c; R2 and R3 behind d, a broadcast LAN. */
function figure4(): One {
  const one = new One();
  one.path('a', S[1]).path('b', S[2]).path('b', S[3]);
  one.take();
  return one;
}
/** Another next hop on d. */
const R3 = { hop: '10.4.0.3' };

describe('merging', () => {
  it('WF: the largest of each interface, the largest of all upstream (RFC 2205 Figure 5)', () => {
    const one = figure4();
    one
      .resv('c', 'WF', [[[], 4]])
      .resv('d', 'WF', [[[], 3]])
      .resv('d', 'WF', [[[], 2]], R3);
    assert.deepEqual(one.reserved(), ['c: *{4B}', 'd: *{3B}']);
    const last = one.resvs();
    assert.ok(last.includes('a: WF *{4B} [S1]'), last.join());
    assert.ok(last.includes('b: WF *{4B} [S2,S3]'));
    assert.equal(last.length, 2, 'smaller ones change nothing upstream');
  });

  it('FF: a reservation a sender; packed, not merged, upstream (RFC 2205 Figure 6)', () => {
    const one = figure4();
    one.resv('c', 'FF', [
      [[S[1]], 4],
      [[S[2]], 5],
    ]);
    one.resv('d', 'FF', [
      [[S[1]], 3],
      [[S[3]], 1],
    ]);
    one.resv('d', 'FF', [[[S[1]], 1]], R3);
    assert.deepEqual(one.reserved(), ['c: S1{4B}', 'c: S2{5B}', 'd: S1{3B}', 'd: S3{1B}']);
    assert.deepEqual(one.resvs(), ['a: FF S1{4B}', 'b: FF S2{5B}', 'b: FF S2{5B}, S3{1B}']);
  });

  it('SE: the union of the filters with the largest flowspec (RFC 2205 Figure 7)', () => {
    const one = figure4();
    one
      .resv('c', 'SE', [[[S[1], S[2]], 1]])
      .resv('d', 'SE', [[[S[1], S[3]], 3]])
      .resv('d', 'SE', [[[S[2]], 2]], R3);
    assert.deepEqual(one.reserved(), ['c: (S1,S2){1B}', 'd: (S1,S2,S3){3B}']);
    const upstream = [...one.engine.upstreams()];
    assert.deepEqual(
      upstream.map(({ interface: index, flows }) => [index, flows[0]?.flow.rate, flows[0]?.senders.length]),
      [
        [1, 3000, 1],
        [2, 3000, 2],
      ],
    );
    assert.ok(one.resvs().includes('b: SE (S2,S3){3B}'));
  });

  it('WF: what is reserved where a sender does not go is not forwarded to it (RFC 2205 Figure 8)', () => {
    const one = new One();
    one.routes = (_to, source) => ({ outgoing: source === S[1] ? [3, 4] : [4] });
    one.path('a', S[1]).path('b', S[2]).path('b', S[3]);
    one
      .resv('c', 'WF', [[[], 4]])
      .resv('d', 'WF', [[[], 3]])
      .resv('d', 'WF', [[[], 2]], R3);
    assert.deepEqual(one.reserved(), ['c: *{4B}', 'd: *{3B}']);
    assert.deepEqual(
      [...one.engine.upstreams()].map(({ interface: index, flows }) => [index, flows[0]?.flow.rate]),
      [
        [1, 4000],
        [2, 3000],
      ],
    );
  });

  it('WF: two directions are independent (RFC 2205 Figure 10)', () => {
    const one = new One();
    one.routes = (_to, source) => ({ outgoing: source === S[1] ? [3] : [1] });
    one.path('a', S[1]).path('c', '10.3.0.1');
    one.resv('a', 'WF', [[[], 4]]).resv('c', 'WF', [[[], 3]]);
    assert.deepEqual(one.reserved(), ['a: *{4B}', 'c: *{3B}']);
    assert.deepEqual(
      [...one.engine.upstreams()].map(({ interface: index, flows }) => [index, flows[0]?.flow.rate]),
      [
        [3, 4000],
        [1, 3000],
      ],
    );
  });

  it('each LIH of a previous hop is returned in a Resv of its own (RFC 2205 3.3, A.2)', () => {
    const handles = (one: One) =>
      one
        .take('Resv')
        .map(({ message }) => [find(message, RsvpHopIpv4)?.logicalInterfaceHandle, textOf(message)]);
    const one = new One().path('a', S[1], { handle: 5 }).path('a', S[4], { handle: 0xffffffff });
    one.resv('c', 'SE', [[[S[1], S[4]], 1]]);
    assert.deepEqual(handles(one), [
      [5, 'SE S1{1B}'],
      [0xffffffff, 'SE S4{1B}'],
    ]);
    one.path('a', S[1], { handle: 0 });
    assert.deepEqual(
      one.sent.filter(({ message }) => message.type === 'ResvTear'),
      [],
      'a hop that has changed is sent no tear',
    );
    assert.deepEqual(handles(one), [[0, 'SE S1{1B}']], 'at once (RFC 2209 2)');
    one.path('a', S[4], { handle: 0 });
    assert.deepEqual(handles(one), [[0, 'SE (S1,S4){1B}']]);
    one.resvTear('c', 'SE', [S[1], S[4]]);
    assert.deepEqual(
      one.take('ResvTear').map(({ message }) => find(message, RsvpHopIpv4)?.logicalInterfaceHandle),
      [0],
    );
  });

  it('what arrives by an interface is never forwarded by it (RFC 2205 2.3)', () => {
    const one = new One();
    one.routes = () => ({ outgoing: [1, 3] });
    one.path('a', S[1]);
    assert.deepEqual(
      one.take('Path').map((sent) => sent.interface),
      [3],
    );
    one.resv('a', 'WF', [[[], 1]]);
    assert.deepEqual(one.resvs(), []);
  });

  it('two flowspecs of which none is larger make a third one that is as large as both (RFC 2205 2.2)', () => {
    const one = figure4();
    one.resv('c', 'FF', [[[S[1]], flow(2, { bucket: 9000 })]]);
    one.resv('d', 'FF', [[[S[1]], flow(3, { bucket: 1000 })]]);
    const [upstream] = [...one.engine.upstreams()];
    assert.equal(upstream?.flows[0]?.flow.rate, 3000);
    assert.equal(upstream.flows[0].flow.bucket, 9000);
  });

  it('of two maximum packet sizes the smaller one goes upstream (RFC 2210 2.3.2)', () => {
    const one = figure4();
    one.resv('c', 'FF', [[[S[1]], flow(2, { maximumPacketSize: 1400 })]]);
    one.resv('d', 'FF', [[[S[1]], flow(3, { maximumPacketSize: 900, minimumPolicedUnit: 100 })]]);
    const [upstream] = [...one.engine.upstreams()];
    assert.equal(upstream?.flows[0]?.flow.maximumPacketSize, 900);
    assert.equal(upstream.flows[0].flow.minimumPolicedUnit, 64);
  });

  it('no more is in force than the senders send (RFC 2205 2.2, RFC 2210 2.3.2)', () => {
    const one = new One();
    one.path('a', S[1], { rate: 1 }).path('b', S[2], { rate: 2 });
    one.resv('c', 'SE', [[[S[1], S[2]], 10]]);
    assert.deepEqual(one.reserved(), ['c: (S1,S2){3B}'], 'Path_Te is the sum of both');
    assert.deepEqual([...one.resvs()], ['a: SE S1{10B}', 'b: SE S2{10B}'], 'what is asked for goes on');
  });

  it('a change that merging hides goes no further (RFC 2205 2.3)', () => {
    const one = figure4();
    one.resv('c', 'FF', [[[S[1]], 4]]);
    one.take();
    one.resv('d', 'FF', [[[S[1]], 3]]);
    assert.deepEqual(one.take('Resv'), []);
    one.resv('d', 'FF', [[[S[1]], 5]]);
    assert.deepEqual(one.resvs(), ['a: FF S1{5B}']);
  });

  it('a tear goes upstream as far as merging lets it (RFC 2205 3.1.6, after Figure 6)', () => {
    const one = figure4();
    one.resv('c', 'FF', [
      [[S[1]], 4],
      [[S[2]], 5],
    ]);
    one.resv('d', 'FF', [
      [[S[1]], 3],
      [[S[3]], 1],
    ]);
    one.resv('d', 'FF', [[[S[1]], 1]], R3);
    one.take();
    // "If receiver R3 sends a ResvTear for S1{B}, there is no change and no message is forwarded."
    one.resvTear('d', 'FF', [S[1]], R3);
    assert.deepEqual(one.take(), []);
    // "If R2 sends a ResvTear for S3{B}, it is removed from (d) and a ResvTear for S3{B} is forwarded out (b)."
    one.resvTear('d', 'FF', [S[3]]);
    const tears = one.sent.filter(({ message }) => message.type === 'ResvTear');
    assert.deepEqual(
      tears.map(({ interface: index, destination }) => [index, destination]),
      [[2, '10.2.0.1']],
    );
    assert.deepEqual(one.reserved(), ['c: S1{4B}', 'c: S2{5B}', 'd: S1{3B}']);
    one.take();
    // "If R1 sends a ResvTear for S1{4B}, a modified Resv message FF( S1{3B} ) is immediately forwarded out (a)."
    one.resvTear('c', 'FF', [S[1]]);
    assert.deepEqual(
      one.sent.filter(({ message }) => message.type === 'ResvTear'),
      [],
    );
    assert.deepEqual(one.resvs(), ['a: FF S1{3B}']);
  });

  it('an SE list can be torn down sender by sender (RFC 2205 2.4, after Figure 7)', () => {
    const one = figure4();
    one.resv('c', 'SE', [[[S[1], S[2]], 1]]);
    one.take();
    one.resvTear('c', 'SE', [S[2]]);
    assert.deepEqual(one.reserved(), ['c: S1{1B}']);
    assert.deepEqual(
      one.take().map(({ message, interface: index }) => [message.type, index]),
      [['ResvTear', 2]],
      'S1 hears nothing of it',
    );
  });

  it('senders of an SE list time out one by one (RFC 2209 2)', () => {
    const one = figure4();
    one.resv('c', 'SE', [[[S[1], S[2]], 1]]);
    for (let i = 0; i < 6; i++) {
      one.pass(30_000).path('a', S[1]).path('b', S[2]).path('b', S[3]);
      one.resv('c', 'SE', [[[S[1]], 1]]);
    }
    assert.deepEqual(one.reserved(), ['c: S1{1B}']);
    assert.deepEqual(
      one.sent.filter(({ message }) => message.type === 'ResvTear').map((sent) => sent.interface),
      [2],
    );
  });

  it('a PathTear takes its sender out of what is reserved, and no Resv is sent for it (RFC 2205 3.1.5)', () => {
    const one = figure4();
    one.resv('c', 'SE', [[[S[2], S[3]], 1]]);
    one.take();
    one.pathTear('b', S[3]);
    assert.deepEqual(one.reserved(), ['c: S2{1B}']);
    assert.deepEqual(
      one.take().map(({ message, interface: index }) => [message.type, index]),
      [
        ['PathTear', 3],
        ['PathTear', 4],
      ],
    );
    one.pathTear('b', S[2]);
    assert.deepEqual(one.reserved(), []);
    assert.equal(one.take('ResvErr').length, 0);
  });
});
