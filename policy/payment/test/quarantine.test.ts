import assert from 'node:assert/strict';
import { Quarantine, sourceId, partyId } from '../index.js';
import type { Party, Quarantined, QuarantineRules } from '../index.js';
import { SlidingCount } from '../sliding-count.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const RULES: QuarantineRules = {
  key: { failures: 10, within: MINUTE, for: 10 * MINUTE },
  source: { failures: 30, within: MINUTE, for: 10 * MINUTE },
  pep: { failures: 3000, within: MINUTE, for: MINUTE },
};
const ALICE: Party = { kind: 'key', id: 'alice' };

/** Fails until the quarantine begins, a failure a millisecond; returns it and how many failures it took. */
function failUntil(quarantine: Quarantine, party: Party, now: number): [Quarantined, number] {
  for (let i = 1; i <= 10_000; i++) {
    const begun = quarantine.fail(party, 'bad-signature', now + i);
    if (begun !== undefined) return [begun, i];
  }
  throw new Error('no quarantine');
}

describe('quarantine: who fails too often', () => {
  for (const kind of ['key', 'source', 'pep'] as const) {
    it(`is in quarantine from the last failure that the rule allows a ${kind}, for as long as it says`, () => {
      const quarantine = new Quarantine(RULES);
      const party = { kind, id: 'x' };
      const [begun, failures] = failUntil(quarantine, party, 0);
      assert.equal(failures, RULES[kind].failures);
      assert.deepEqual(begun, {
        ...party,
        since: failures,
        until: failures + RULES[kind].for,
        failures,
        reason: 'bad-signature',
      });
      assert.equal(quarantine.find(party, begun.until - 1), begun);
      assert.equal(quarantine.find(party, begun.until), undefined);
    });
  }

  it('is told from others of the same kind, and of the same name but another kind', () => {
    const quarantine = new Quarantine(RULES);
    failUntil(quarantine, ALICE, 0);
    assert.equal(quarantine.find({ kind: 'key', id: 'bob' }, 20), undefined);
    assert.equal(quarantine.find({ kind: 'source', id: 'alice' }, 20), undefined);
    assert.notEqual(quarantine.find(ALICE, 20), undefined);
  });

  it('within the window is caught wherever the failures lie in it', () => {
    for (let offset = 0; offset < MINUTE; offset += 777) {
      const quarantine = new Quarantine(RULES);
      const times = Array.from({ length: 10 }, (_, i) => offset + Math.floor((i * (MINUTE - 1)) / 9));
      const begun = times.map((now) => quarantine.fail(ALICE, 'not-authorized', now));
      assert.notEqual(begun[9], undefined, `from ${offset}`);
      assert.ok(begun.slice(0, 9).every((one) => one === undefined));
    }
  });

  it('more slowly than the rule, for ever, never is', () => {
    const quarantine = new Quarantine(RULES);
    // Nine a minute, and the twelfth of the window by which it is too long.
    for (let i = 0; i < 1000; i++)
      assert.equal(quarantine.fail(ALICE, 'not-authorized', i * ((MINUTE * 13) / 12 / 9)), undefined);
  });

  it('does not count while it is in quarantine, and starts at nothing afterwards', () => {
    const quarantine = new Quarantine(RULES);
    const [{ until }] = failUntil(quarantine, ALICE, 0);
    for (let i = 0; i < 100; i++) assert.equal(quarantine.fail(ALICE, 'bad-signature', 11 + i), undefined);
    assert.equal(failUntil(quarantine, ALICE, until)[1], 10);
  });

  it('again within a day is in it for twice as long each time, up to 64 times the first', () => {
    const quarantine = new Quarantine(RULES);
    let now = 0;
    const times = Array.from({ length: 9 }, () => {
      const [{ since, until }] = failUntil(quarantine, ALICE, now);
      now = until + DAY - 1000;
      return (until - since) / RULES.key.for;
    });
    assert.deepEqual(times, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    const [{ since, until }] = failUntil(quarantine, ALICE, now + 1000);
    assert.equal(until - since, RULES.key.for, 'a day later all is forgotten');
  });

  it('is counted by a clock that is set back as well', () => {
    const quarantine = new Quarantine(RULES);
    for (let i = 0; i < 9; i++) quarantine.fail(ALICE, 'bad-signature', DAY + i);
    assert.notEqual(quarantine.fail(ALICE, 'bad-signature', 5), undefined);
  });

  it('is judged by new rules once there are any, and stays in a quarantine that has begun', () => {
    const quarantine = new Quarantine(RULES);
    const [begun] = failUntil(quarantine, ALICE, 0);
    quarantine.rules = { ...RULES, key: { failures: 2, within: 30 * SECOND, for: SECOND } };
    assert.equal(quarantine.find(ALICE, begun.until - 1), begun);
    assert.equal(failUntil(quarantine, { kind: 'key', id: 'bob' }, 0)[1], 2);
  });
});

describe('quarantine: what is written down', () => {
  it('shuts out who is in it, and sets free who is not in it any more, with nothing held against them', () => {
    const quarantine = new Quarantine(RULES);
    const [alice] = failUntil(quarantine, ALICE, 0);
    const bob: Quarantined = { ...alice, id: 'bob' };
    const change = quarantine.load([bob], 100);
    assert.deepEqual(change, { released: [alice], begun: [bob] });
    assert.equal(quarantine.find(ALICE, 100), undefined);
    assert.equal(quarantine.find(bob, 100), bob);
    const [again, failures] = failUntil(quarantine, ALICE, 100);
    assert.deepEqual([failures, again.until - again.since], [10, RULES.key.for], 'forgiven');
  });

  it('is not news a second time, and the later of two ends counts', () => {
    const quarantine = new Quarantine(RULES);
    const [alice] = failUntil(quarantine, ALICE, 0);
    const longer = { ...alice, until: alice.until + 5 };
    assert.deepEqual(quarantine.load([longer, alice], 100), { released: [], begun: [] });
    assert.equal(quarantine.find(ALICE, 100)?.until, longer.until);
  });

  it('of who came out a short while ago makes the next time longer', () => {
    const quarantine = new Quarantine(RULES);
    const past: Quarantined = { ...ALICE, since: 0, until: 10 * MINUTE, failures: 10, reason: 'nonce-spent' };
    assert.deepEqual(quarantine.load([past], 20 * MINUTE).begun, []);
    const [{ since, until }] = failUntil(quarantine, ALICE, 20 * MINUTE);
    assert.equal(until - since, 20 * MINUTE);
  });
});

describe('quarantine: what a flood can do', () => {
  it('is bounded: a million sources leave 10,000 counters, and forget no router and no key', function () {
    this.timeout(20_000);
    const quarantine = new Quarantine(RULES);
    for (let i = 0; i < 9; i++) quarantine.fail(ALICE, 'not-authorized', i);
    const [pep] = failUntil(quarantine, { kind: 'pep', id: 'edge-1' }, 0);
    for (let i = 0; i < 1_000_000; i++)
      quarantine.fail({ kind: 'source', id: `${i}@edge-1` }, 'bad-element', 10);
    assert.equal(quarantine.counted, 10_001);
    assert.notEqual(quarantine.find(pep, 10_000), undefined);
    assert.notEqual(quarantine.fail(ALICE, 'not-authorized', 11), undefined);
  });

  it('is bounded in quarantined parties too', () => {
    const rules = { ...RULES, source: { failures: 1, within: MINUTE, for: MINUTE } };
    const quarantine = new Quarantine(rules, 100);
    for (let i = 0; i < 1000; i++) quarantine.fail({ kind: 'source', id: `${i}` }, 'bad-element', i);
    assert.equal(quarantine.list(1000).length, 100);
    assert.notEqual(quarantine.find({ kind: 'source', id: '999' }, 1000), undefined);
  });

  it('is bounded in the length of names: long ones are digested, and still tell parties apart', () => {
    const [one, other] = ['a', 'b'].map((letter) => partyId(letter.repeat(100_000)));
    assert.ok(one!.length < 100);
    assert.notEqual(one, other);
    assert.equal(sourceId('192.0.2.7', 'edge-1'), '192.0.2.7@edge-1');
  });
});

describe('a sliding count', () => {
  it('is never below what really was within the time, nor above what was within a twelfth more', () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
    const count = new SlidingCount();
    const times: number[] = [];
    for (let now = 0, i = 0; i < 5000; i++) {
      now += random() < 0.02 ? random() * 3 * MINUTE : random() * SECOND;
      times.push(now);
      const counted = count.add(now, MINUTE);
      const within = (time: number): number => times.filter((at) => at > now - time).length;
      assert.ok(counted >= within(MINUTE), `${counted} at ${now}`);
      assert.ok(counted <= within((MINUTE * 13) / 12), `${counted} at ${now}`);
    }
  });
});
