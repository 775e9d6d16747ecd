import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ErrorSpecIpv4, find, PolicyData, PreemptionPri } from '../../wire/index.js';
import type { WireObject } from '../../wire/index.js';
import { flow } from './network.js';
import { One, RECEIVER, S } from './one.js';

function small(reservable: number, options = {}): One {
  return new One(options, undefined, { reservable });
}

function priority(preemptionPriority: number, defendingPriority: number, mergeStrategy = 1): WireObject {
  const element = PreemptionPri.make({
    flags: 0,
    mergeStrategy,
    errorCode: 0,
    preemptionPriority,
    defendingPriority,
  });
  return PolicyData.make({ elements: [element] });
}

describe('admission control', () => {
  it('refuses what does not fit, with the numbers (RFC 2205 Appendix B, code 1 value 2)', () => {
    const one = small(5000).path('a', S[1]).path('b', S[2]);
    one.resv('c', 'FF', [[[S[1]], 3]]);
    one.take();
    one.resv('c', 'FF', [[[S[2]], 4]]);
    const [sent] = one.take('ResvErr');
    const error = find(sent!.message, ErrorSpecIpv4);
    assert.deepEqual([error?.errorCode, error?.errorValue, error?.flags], [1, 2, 0]);
    assert.equal(sent?.destination, '10.3.0.1');
    const [event] = one.eventsOf('admission-refused');
    assert.deepEqual([event?.capacity, event?.asked, event?.free], [5000, 4000, 2000]);
    assert.deepEqual(one.reserved(), ['c: S1{3B}']);
    assert.equal(one.engine.interfaces().find(({ name }) => name === 'c')?.reserved, 3000);
  });

  it('leaves a smaller reservation in place: InPlace, KR-I (RFC 2205 2.5, 3.1.8)', () => {
    const one = small(5000).path('a', S[1]);
    one.resv('c', 'FF', [[[S[1]], 3]]);
    one.take();
    one.resv('c', 'FF', [[[S[1]], 6]]);
    assert.equal(find(one.take('ResvErr')[0]!.message, ErrorSpecIpv4)?.flags, 0x01);
    assert.deepEqual(one.reserved(), ['c: S1{3B}']);
    // Refreshes of what failed keep what is in place.
    for (let i = 0; i < 10; i++)
      one
        .pass(30_000)
        .path('a', S[1])
        .resv('c', 'FF', [[[S[1]], 6]]);
    assert.deepEqual(one.reserved(), ['c: S1{3B}']);
  });

  it('another receiver that fails does not take the merge along: KR-I (RFC 2205 2.5)', () => {
    const one = small(5000).path('a', S[1]);
    one.resv('d', 'FF', [[[S[1]], 3]]).resv('d', 'FF', [[[S[1]], 6]], { hop: '10.4.0.3' });
    assert.deepEqual(one.reserved(), ['d: S1{3B}']);
    assert.deepEqual(
      one.sent.filter(({ message }) => message.type === 'ResvErr').map(({ destination }) => destination),
      ['10.4.0.3'],
    );
  });

  it('counts R of guaranteed service and r of controlled load', () => {
    const one = small(5000).path('a', S[1]).path('b', S[2]);
    one.resv('c', 'FF', [[[S[1]], flow(1, { service: 'guaranteed', reservedRate: 4000 })]]);
    one.resv('c', 'FF', [[[S[2]], flow(1)]]);
    assert.equal(one.engine.interfaces().find(({ name }) => name === 'c')?.free, 0);
  });

  it('refuses packets that are larger than the MTU (code 1 value 3)', () => {
    const one = new One({}, undefined, { mtu: 1000 }).path('a', S[1]);
    one.resv('c', 'FF', [[[S[1]], 1]]);
    const error = find(one.take('ResvErr')[0]!.message, ErrorSpecIpv4);
    assert.deepEqual([error?.errorCode, error?.errorValue], [1, 3]);
  });

  it('frees what is torn down', () => {
    const one = small(5000).path('a', S[1]).path('b', S[2]);
    one
      .resv('c', 'FF', [[[S[1]], 5]])
      .resvTear('c', 'FF', [S[1]])
      .resv('c', 'FF', [[[S[2]], 5]]);
    assert.deepEqual(one.reserved(), ['c: S2{5B}']);
  });

  it('what the kernel cannot do is an error to whoever asked, and upstream is torn (code 22)', () => {
    const one = new One().path('a', S[1]).resv('c', 'FF', [[[S[1]], 5]]);
    one.take();
    const [traffic] = [...one.engine.traffics()];
    one.do(one.engine.trafficFailed(0, traffic!.reservation, 'no such device'));
    assert.deepEqual(one.sent.map(({ message }) => message.type).sort(), ['ResvErr', 'ResvTear']);
    assert.equal(one.engine.stateCount.reservations, 0);
    assert.deepEqual(one.reserved(), []);
  });

  it('an interface that loses capacity loses reservations, the least important first', () => {
    const one = small(10_000).path('a', S[1]).path('b', S[2]);
    one.resv('c', 'FF', [[[S[1]], 4]], { policy: [priority(1, 5)] }).resv('c', 'FF', [[[S[2]], 4]]);
    one.interfaces = one.interfaces.map((link) => (link.name === 'c' ? { ...link, reservable: 5000 } : link));
    one.do(one.engine.interfacesChanged(0, one.interfaces));
    assert.deepEqual(one.reserved(), ['c: S1{4B}']);
  });
});

describe('police flags (RFC 2205 3.8)', () => {
  const police = (one: One) => [...one.kernel.values()].map((each) => each.police);

  it('entry: where the Path says that nobody before us polices', () => {
    const one = new One().path('a', S[1], { flags: 0x01 });
    const [path] = one.take('Path');
    assert.equal(
      (path!.message.objects[0] as unknown as { flags: number }).flags,
      0,
      'and it goes on without',
    );
    one.resv('c', 'FF', [[[S[1]], 1]]);
    assert.deepEqual(police(one), [{ entry: true, branch: false, merge: false }]);
    assert.equal(
      (
        new One({ isPolicing: false }).path('a', S[1], { flags: 0x01 }).take('Path')[0]!.message
          .objects[0] as unknown as { flags: number }
      ).flags,
      1,
    );
  });

  it('merge: a shared style with more than one sender', () => {
    const one = new One().path('a', S[1]).path('b', S[2]);
    one.resv('c', 'WF', [[[], 1]]);
    assert.equal(police(one)[0]?.merge, true);
  });

  it('branch: where less is reserved than on another interface, from when that is so', () => {
    const one = new One().path('a', S[1]).resv('c', 'FF', [[[S[1]], 1]]);
    assert.equal(police(one)[0]?.branch, false);
    one.resv('d', 'FF', [[[S[1]], 2]]);
    assert.deepEqual(
      [...one.kernel.values()].map((each) => [each.interface, each.police.branch]),
      [
        [3, true],
        [4, false],
      ],
    );
    one.resvTear('d', 'FF', [S[1]]);
    assert.equal(police(one)[0]?.branch, false);
  });
});

describe('pre-emption (RFC 3181)', () => {
  it('a preemption priority above the defending priority of others makes room', () => {
    const one = small(5000).path('a', S[1]).path('b', S[2]);
    one.resv('c', 'FF', [[[S[1]], 4]], { policy: [priority(3, 4)] });
    one.take();
    one.resv('c', 'FF', [[[S[2]], 4]], { policy: [priority(4, 4)] });
    assert.deepEqual(one.reserved(), ['c: S1{4B}'], 'equal is not above');
    one.take();
    one.resv('c', 'FF', [[[S[2]], 4]], { policy: [priority(5, 6)] });
    assert.deepEqual(one.reserved(), ['c: S2{4B}']);
    const error = one.sent.find(({ message }) => message.type === 'ResvErr');
    assert.equal(find(error!.message, ErrorSpecIpv4)?.errorCode, 12, 'Service preempted');
    const element = find(error!.message, PolicyData)?.elements[0];
    assert.ok(element !== undefined && PreemptionPri.is(element));
    assert.deepEqual([element.errorCode, element.preemptionPriority], [1, 5], 'RFC 3181 6');
    assert.ok(one.sent.some(({ message, interface: index }) => message.type === 'ResvTear' && index === 1));
    const [event] = one.eventsOf('preempted');
    assert.deepEqual([event?.rate, event?.preemptionPriority, event?.defendingPriority], [4000, 5, 4]);
  });

  it('takes no more than it needs, and nothing where that would not do', () => {
    const one = small(6000).path('a', S[1]).path('a', S[4]).path('b', S[2]).path('b', S[3]);
    one.resv('c', 'FF', [[[S[1]], 1]], { policy: [priority(1, 1)] });
    one.resv('c', 'FF', [[[S[4]], 4]], { policy: [priority(2, 2)] });
    one.resv('c', 'FF', [[[S[3]], 7]], { policy: [priority(9, 9)] });
    assert.deepEqual(one.reserved(), ['c: S1{1B}', 'c: S4{4B}']);
    one.resv('c', 'FF', [[[S[2]], 5]], { policy: [priority(9, 9)] });
    assert.deepEqual(one.reserved(), ['c: S1{1B}', 'c: S2{5B}'], 'S4 is enough');
  });

  it('merges priorities by their strategies (RFC 3181 A.1)', () => {
    // r1 High Pr=3 Highest QoS, r2 Low Pr=4 Highest PP, r3 Low Pr=7 Highest QoS merge in B: 4.
    const one = new One({}, RECEIVER).path('a', S[1]);
    one.resv('c', 'FF', [[[S[1]], 9]], { hop: '10.3.0.1', policy: [priority(3, 3, 1)] });
    one.resv('c', 'FF', [[[S[1]], 1]], { hop: '10.3.0.2', policy: [priority(4, 4, 2)] });
    one.resv('c', 'FF', [[[S[1]], 1]], { hop: '10.3.0.3', policy: [priority(7, 7, 1)] });
    assert.equal([...one.engine.traffics()][0]?.preemptionPriority, 4);
    // r4 Low Pr=9 Error: it does not take part, for the others ask for something else.
    one.resv('c', 'FF', [[[S[1]], 1]], { hop: '10.3.0.4', policy: [priority(9, 9, 3)] });
    assert.equal([...one.engine.traffics()][0]?.preemptionPriority, 4);
  });
});
