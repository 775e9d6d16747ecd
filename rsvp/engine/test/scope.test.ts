import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { find, ScopeIpv4 } from '../../wire/index.js';
import { One, S } from './one.js';

describe('SCOPE (RFC 2205 3.4)', () => {
  it('is computed for each previous hop from what came in (Figure 11)', () => {
    const one = new One();
    const [, s1, s2, s3, s4] = S;
    // S4 by a, S1 by b, S2 and S3 by c; all of each go to the other two.
    const from: Readonly<Record<string, number>> = { [s4]: 1, [s1]: 2, [s2]: 3, [s3]: 3 };
    one.routes = (_to, source) => ({ outgoing: [1, 2, 3].filter((index) => index !== from[source ?? '']) });
    one.path('a', s4).path('b', s1).path('c', s2).path('c', s3);
    one.take();
    one.resv('c', 'WF', [[[], 1]], { scope: [s4, s1] });
    one.resv('a', 'WF', [[[], 1]], { scope: [s1, s2, s3] });
    one.resv('b', 'WF', [[[], 1]], { scope: [s2, s3, s4] });
    assert.deepEqual(
      [...one.engine.upstreams()].map(({ interface: index, scope }) => [index, [...(scope ?? [])].sort()]),
      [
        [1, [s4]],
        [2, [s1]],
        [3, [s2, s3]],
      ],
    );
  });

  it('is put off until there is more than one previous hop', () => {
    const one = new One().path('a', S[1]).path('a', S[4]);
    one.take();
    one.resv('c', 'WF', [[[], 1]]);
    const [sent] = one.take('Resv');
    assert.equal(find(sent!.message, ScopeIpv4), undefined);
    one.path('b', S[2]);
    assert.deepEqual(one.resvs(), ['a: WF *{1B} [S1,S4]', 'b: WF *{1B} [S2]']);
  });

  it('is needless where all senders share a tree', () => {
    const one = new One({ hasSharedTrees: true }).path('a', S[1]).path('b', S[2]);
    one.take();
    one.resv('c', 'WF', [[[], 1]]);
    assert.deepEqual(one.resvs(), ['a: WF *{1B}', 'b: WF *{1B}']);
  });

  it('that names no sender of a previous hop keeps the Resv from it', () => {
    const one = new One().path('a', S[1]).path('b', S[2]);
    one.take();
    one.resv('c', 'WF', [[[], 1]], { scope: [S[2]] });
    assert.deepEqual(one.resvs(), ['b: WF *{1B} [S2]']);
  });

  it('a ResvErr that came without one is for the senders of its previous hop alone, and names them where there are others', () => {
    const one = new One();
    // S1 comes by a and goes to b and c; S2 comes by b and goes to a alone.
    one.routes = (_to, source) => ({ outgoing: source === S[1] ? [2, 3] : [1, 3] });
    one.path('a', S[1]).path('b', S[2]);
    one
      .resv('c', 'WF', [[[], 1]])
      .resv('b', 'WF', [[[], 1]])
      .resv('a', 'WF', [[[], 1]]);
    one.take();
    one.resvErr('a', 'WF', [[], 1], { code: 3, value: 0 });
    assert.deepEqual(
      one.take('ResvErr').map((sent) => [sent.interface, find(sent.message, ScopeIpv4)?.srcAddresses]),
      [
        [3, [S[1]]],
        [2, undefined],
      ],
      'by b only S1 goes, so nothing has to be said; by a it came',
    );
  });
});
