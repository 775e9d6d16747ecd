import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { creditAuthorization, microcheck } from '../../payment/index.js';
import type { Cashier, CashierOptions, Verdict } from '../../payment/index.js';
import {
  cashier,
  claims,
  JOINT,
  nick,
  NOW,
  offered,
  authorization,
  check,
  principal,
  request,
  signed,
} from '../../payment/test/world.js';
import type { Changes } from '../../payment/test/world.js';
import { StoredBooks } from '../io/books.js';
import { onEachEngine } from './engines.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const usd = (amount: string) => ({ amount, currency: 'USD' });

/** A check that pays for so many seconds. */
function timedCheck(nonce: string, duration: number): string {
  return signed(
    'alice',
    microcheck({
      from: principal('alice'),
      to: principal('nick'),
      appDomain: 'Band-X',
      money: usd('0.44'),
      nonce,
      also: `duration == "${duration}"`,
    }),
  );
}

/** An authorization that says how much its checks may be worth together. */
function totalled(most: string, to: 'alice' | 'mallory' = 'alice'): string {
  return signed(
    'martha',
    creditAuthorization({
      from: principal('martha'),
      to: principal(to),
      appDomain: 'Band-X',
      limit: { below: usd('0.56') },
      also: `&total <= ${most}`,
    }),
  );
}

const paid = (nonce: string, ...more: string[]) => ({
  claims: claims({ nonce }),
  assertions: more.length > 0 ? more : [check(nonce), offered(), authorization()],
});

describe('books', () => {
  onEachEngine(({ place }) => {
    let where: string;
    let books: StoredBooks;
    const open: StoredBooks[] = [];
    const another = async (instance: string): Promise<StoredBooks> => {
      const opened = await StoredBooks.open(where, { instance, resume: 5 * MINUTE });
      open.push(opened);
      await opened.beat(NOW);
      return opened;
    };
    const desk = (own: StoredBooks = books, options: Partial<CashierOptions> = {}, text?: string) =>
      cashier(nick(text === undefined ? {} : { text }), { books: own, ...options });
    const ask = async (
      at: Cashier,
      nonce: string,
      changes: Changes = {},
      now = NOW,
      ...assertions: string[]
    ): Promise<Verdict> => at.decide(request(paid(nonce, ...assertions), changes), now);
    const states = async (): Promise<string[]> =>
      (await books.store.db.selectFrom('grants').select(['nonce', 'state']).orderBy('nonce').execute()).map(
        ({ nonce, state }) => `${nonce} ${state}`,
      );
    const holders = async (): Promise<number> =>
      (await books.store.db.selectFrom('holders').selectAll().execute()).length;
    const refused = (verdict: Verdict, reason: string, text: RegExp): void => {
      assert.equal(verdict.refusal?.reason, reason, verdict.reason);
      assert.match(verdict.reason, text);
    };

    beforeEach(async () => {
      where = await place();
      books = await another('one');
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((one) => one.close()));
    });

    it('write down a grant with all that whoever judges it again needs', async () => {
      const verdict = await ask(await desk(), 'first');
      assert.equal(verdict.again, false);
      const grant = await books.store.db.selectFrom('grants').selectAll().executeTakeFirstOrThrow();
      assert.equal(grant.reservation, '192.0.2.7/17/5004 FF 198.51.100.9/5004');
      assert.equal(grant.sum, 440_000n);
      assert.deepEqual(JSON.parse(grant.payers), [principal('alice')]);
      const attributes = JSON.parse(grant.attributes) as Record<string, string>;
      assert.equal(attributes['bandwidth'], '50000000');
      assert.equal(attributes['date'], '20071120');
      assert.deepEqual(JSON.parse(grant.requesters), { route: principal('route') });
      assert.deepEqual(JSON.parse(grant.checks), [check('first')]);
      const texts = await books.store.db.selectFrom('credentials').select('text').execute();
      assert.deepEqual(texts.map(({ text }) => text).sort(), [offered(), authorization()].sort());
    });

    it('move held -> committed -> ended, and a committed one stays spent', async () => {
      const at = await desk();
      await ask(at, 'n');
      assert.deepEqual(await states(), ['n held']);
      at.report('edge-1 h1', true, NOW);
      at.forget('edge-1 h1', NOW);
      await at.written(SECOND);
      assert.deepEqual(await states(), ['n ended']);
      assert.equal(await holders(), 0);
      refused(await ask(at, 'n', { port: 5006, holder: 'h2' }), 'nonce-spent', /192\.0\.2\.7\/17\/5004/);
    });

    it('move held -> released, and the nonce is free again', async () => {
      const at = await desk();
      await ask(at, 'n');
      at.report('edge-1 h1', false, NOW);
      await at.written(SECOND);
      assert.deepEqual(await states(), ['n released']);
      assert.equal((await ask(at, 'n', { port: 5006, holder: 'h2' })).again, false);
    });

    it('know after a restart who paid for what: the router that comes back is not charged again', async () => {
      const before = await desk();
      await ask(before, 'n');
      before.report('edge-1 h1', true, NOW);
      await before.written(SECOND);
      // Killed: nothing was ended. The router brings its state to the next run.
      const after = await desk(await another('two'));
      const again = await ask(after, 'n', { holder: 'after' });
      assert.equal(again.again, true);
      assert.equal(after.held.of('after')?.state, 'committed');
      refused(await ask(after, 'n', { port: 5006, holder: 'thief' }), 'nonce-spent', /5004/);
      // The dead run's holder goes in its time; the reservation stands, as the router holds it here.
      assert.equal(await books.sweep(NOW, NOW), 0, 'alive');
      await open[1]!.sweep(NOW + 1, NOW);
      assert.equal(await holders(), 1);
      assert.deepEqual(await states(), ['n committed']);
    });

    it('end what a dead PDP held and nobody brought elsewhere', async () => {
      const dead = await desk();
      await ask(dead, 'kept');
      await ask(dead, 'lost', { port: 5006, holder: 'h2' });
      dead.report('edge-1 h1', true, NOW);
      await dead.written(SECOND);
      const alive = await another('two');
      assert.equal(await alive.sweep(NOW + 1, NOW + MINUTE), 2);
      assert.deepEqual(await states(), ['kept ended', 'lost released']);
    });

    it('let a router that was away have its reservation back for a while, and not for ever', async () => {
      const at = await desk();
      await ask(at, 'n');
      at.report('edge-1 h1', true, NOW);
      at.forget('edge-1 h1', NOW);
      await at.written(SECOND);
      const back = await ask(at, 'n', { holder: 'h2' }, NOW + 4 * MINUTE);
      assert.equal(back.again, true);
      assert.deepEqual(await states(), ['n committed']);
      at.forget('h2', NOW + 4 * MINUTE);
      await at.written(SECOND);
      refused(
        await ask(at, 'n', { holder: 'h3' }, NOW + 9 * MINUTE),
        'time-over',
        /until 2007-11-20T20:09:00/,
      );
    });

    it('end a payment with the last who showed it, though others have the reservation for another', async () => {
      const at = await desk();
      await ask(at, 'a', { holder: 'h1' });
      await ask(at, 'b', { holder: 'h2' });
      await ask(at, 'b', { holder: 'h3' });
      for (const holder of ['h1', 'h2', 'h3']) at.report(holder, true, NOW);
      at.forget('h1', NOW);
      at.forget('h2', NOW);
      await at.written(SECOND);
      assert.deepEqual(await states(), ['a ended', 'b committed']);
      assert.equal(await holders(), 1);
      at.forget('h3', NOW);
      await at.written(SECOND);
      assert.deepEqual(await states(), ['a ended', 'b ended']);
    });

    it('let go of all that a router showed for a reservation, once it has another', async () => {
      const at = await desk();
      await ask(at, 'a');
      await ask(at, 'b');
      at.report('edge-1 h1', true, NOW);
      await at.written(SECOND);
      await ask(at, 'c', { port: 5006 });
      await at.written(SECOND);
      assert.deepEqual(await states(), ['a ended', 'b ended', 'c held']);
      assert.equal(await holders(), 1);
    });

    it('have one winner where two PDPs are asked for one nonce at once', async () => {
      const other = await another('two');
      const desks = [await desk(), await desk(other)];
      for (let i = 0; i < 50; i++) {
        const verdicts = await Promise.all(
          desks.map((at, j) => ask(at, `race-${i}`, { port: 6000 + j, holder: `h${i}` })),
        );
        const won = verdicts.filter(({ granted }) => granted);
        assert.equal(won.length, 1, `race ${i}`);
        const lost = verdicts.find(({ granted }) => !granted)!;
        assert.equal(lost.refusal?.reason, 'nonce-spent');
      }
    });

    it('charge once where two PDPs are asked for the same reservation at once', async () => {
      const desks = [await desk(), await desk(await another('two'))];
      for (let i = 0; i < 20; i++) {
        const verdicts = await Promise.all(
          desks.map((at) => ask(at, `same-${i}`, { port: 6000 + i, holder: `h${i}` })),
        );
        assert.deepEqual(verdicts.map(({ again }) => again).sort(), [false, true]);
      }
      const { rows } = await sql<{ count: bigint }>`select count(*) as count from grants`.execute(
        books.store.db,
      );
      assert.equal(Number(rows[0]?.count), 20);
    });

    it('release a hold that was never reported, and tell the router', async () => {
      const removed: [string, Verdict][] = [];
      const at = await desk(books, { removed: (...one) => removed.push(one) });
      await ask(at, 'n');
      await at.handleTimeout(NOW + 59_999);
      assert.equal(removed.length, 0);
      await at.handleTimeout(NOW + 60_000);
      await at.written(SECOND);
      assert.equal(removed[0]?.[0], 'edge-1 h1');
      refused(removed[0][1], 'unconfirmed', /within 60 s/);
      assert.deepEqual(await states(), ['n released']);
    });

    it('ask again for what was ended when its report comes too late, so that the router keeps it and it is paid', async () => {
      const removed: string[] = [];
      const at = await desk(books, { removed: (holder) => removed.push(holder) });
      await ask(at, 'n');
      // Another PDP took ours for dead.
      await (await another('two')).sweep(NOW + 1, NOW);
      assert.deepEqual(await states(), ['n released']);
      at.report('edge-1 h1', true, NOW);
      await at.written(SECOND);
      assert.deepEqual(removed, []);
      assert.deepEqual([...(await states())].sort(), ['n committed', 'n released']);
    });

    it('take a reservation back whose report comes too late, when its nonce has paid for another', async () => {
      const removed: string[] = [];
      const at = await desk(books, { removed: (holder) => removed.push(holder) });
      await ask(at, 'n');
      const two = await another('two');
      await two.sweep(NOW + 1, NOW);
      assert.equal((await ask(await desk(two), 'n', { port: 7000, holder: 'x' })).granted, true);
      at.report('edge-1 h1', true, NOW);
      await at.written(SECOND);
      assert.deepEqual(removed, ['edge-1 h1']);
      assert.deepEqual([...(await states())].sort(), ['n held', 'n released']);
    });

    it('have a PDP that was taken for dead ask for what it holds once more', async () => {
      const removed: string[] = [];
      const at = await desk(books, { removed: (holder) => removed.push(holder) });
      await ask(at, 'mine');
      await ask(at, 'taken', { port: 5006, holder: 'h2' });
      const two = await another('two');
      const other = await desk(two);
      await two.sweep(NOW + 1, NOW);
      assert.equal((await ask(other, 'taken', { port: 7000, holder: 'x' })).granted, true);
      assert.equal(await books.beat(NOW + 1), false);
      await at.renew(NOW + 1);
      assert.deepEqual(removed, ['h2']);
      assert.equal(at.held.of('edge-1 h1')?.state, 'held');
      assert.deepEqual(
        (await states()).filter((state) => !state.includes('released')),
        ['mine held', 'taken held'],
      );
    });

    it('have all of its payments back, and not the last alone, when a PDP was taken for dead', async () => {
      const removed: string[] = [];
      const at = await desk(books, { removed: (holder) => removed.push(holder) });
      await ask(at, 'a');
      await ask(at, 'b');
      await ask(at, 'c', { holder: 'h2' });
      await (await another('two')).sweep(NOW + 1, NOW);
      assert.deepEqual(
        (await states()).filter((state) => !state.includes('released')),
        [],
      );
      assert.equal(await books.beat(NOW + 1), false);
      await at.renew(NOW + 1);
      at.report('edge-1 h1', true, NOW + 1);
      await at.written(SECOND);
      assert.deepEqual(
        (await states()).filter((state) => !state.includes('released')),
        ['a committed', 'b committed', 'c held'],
      );
      assert.deepEqual(removed, []);
    });

    it('keep few verdicts of a reservation that is topped up over and over, and let go of all of it', async () => {
      const at = await desk();
      for (let i = 0; i < 20; i++) await ask(at, `n-${i}`);
      const { shown } = at.held.of('edge-1 h1')!;
      assert.equal(shown.size, 20);
      assert.equal([...shown.values()].filter(({ verdict }) => verdict !== undefined).length, 8);
      assert.equal(await holders(), 20);
      at.report('edge-1 h1', true, NOW);
      await at.written(SECOND);
      assert.ok((await states()).every((state) => state.endsWith(' committed')));
      at.forget('edge-1 h1', NOW);
      await at.written(SECOND);
      assert.ok((await states()).every((state) => state.endsWith(' ended')));
      assert.equal(await holders(), 0);
    });

    it('let a router keep what is still paid for, when another has one of its nonces', async () => {
      const removed: string[] = [];
      const at = await desk(books, { removed: (holder) => removed.push(holder) });
      await ask(at, 'mine');
      await ask(at, 'taken');
      const two = await another('two');
      await two.sweep(NOW + 1, NOW);
      assert.equal((await ask(await desk(two), 'taken', { port: 7000, holder: 'x' })).granted, true);
      await at.renew(NOW + 1);
      at.report('edge-1 h1', true, NOW + 1);
      await at.written(SECOND);
      assert.deepEqual(removed, []);
      assert.deepEqual(
        (await states()).filter((state) => !state.includes('released')),
        ['mine committed', 'taken held'],
      );
      assert.equal(at.held.of('edge-1 h1')?.verdict.payment.nonce, 'mine');
    });

    it('keep a nonce for what it pays for now, when what it had paid for before is let go', async () => {
      const at = await desk();
      await ask(at, 'n');
      // Released behind our back: nobody has told this PDP yet.
      await (await another('two')).sweep(NOW + 1, NOW);
      assert.equal((await ask(at, 'n', { port: 5006 })).granted, true);
      assert.deepEqual((await states()).sort(), ['n held', 'n released']);
      assert.equal(await holders(), 1);
      refused(await ask(at, 'n', { port: 5008, holder: 'h3' }), 'nonce-spent', /192\.0\.2\.7\/17\/5006/);
    });

    it('count the time that somebody has paid for who is gone', async () => {
      const removed: string[] = [];
      const at = await desk(books, { removed: (holder) => removed.push(holder) });
      const buy = async (nonce: string, holder: string): Promise<Verdict> =>
        at.decide(
          request(
            {
              claims: claims({ nonce, duration: '3600' }),
              assertions: [timedCheck(nonce, 3600), offered(), authorization()],
            },
            { holder },
          ),
          NOW,
        );
      await buy('a', 'h1');
      await buy('b', 'h2');
      for (const holder of ['h1', 'h2']) at.report(holder, true, NOW);
      at.forget('h2', NOW);
      await at.written(SECOND);
      await at.handleTimeout(NOW + 120 * MINUTE - 1);
      assert.deepEqual(removed, []);
      await at.handleTimeout(NOW + 120 * MINUTE);
      assert.deepEqual(removed, ['h1']);
    });

    it('end a reservation when the time is over that was paid for, and not before a top-up is', async () => {
      const removed: [string, Verdict][] = [];
      const at = await desk(books, { removed: (...one) => removed.push(one) });
      const buy = async (nonce: string, now: number): Promise<Verdict> =>
        at.decide(
          request({
            claims: claims({ nonce, duration: '3600' }),
            assertions: [timedCheck(nonce, 3600), offered(), authorization()],
          }),
          now,
        );
      assert.equal((await buy('hour-1', NOW)).granted, true);
      at.report('edge-1 h1', true, NOW);
      assert.equal((await buy('hour-2', NOW + 50 * MINUTE)).again, false);
      at.report('edge-1 h1', true, NOW + 50 * MINUTE);
      await at.written(SECOND);
      await at.handleTimeout(NOW + 60 * MINUTE);
      assert.equal(removed.length, 0, 'topped up');
      await at.handleTimeout(NOW + 120 * MINUTE - 1);
      assert.equal(removed.length, 0, 'not yet');
      await at.handleTimeout(NOW + 120 * MINUTE);
      refused(removed[0]![1], 'time-over', /2007-11-20T22:00:00/);
      await at.written(SECOND);
      assert.deepEqual(await states(), ['hour-1 ended', 'hour-2 ended']);
      refused(await buy('hour-1', NOW + 121 * MINUTE), 'time-over', /until 2007-11-20T21:00:00/);
    });

    it('count a top-up at one PDP for the same reservation at another', async () => {
      const removed: string[] = [];
      const one = await desk(books, { removed: (holder) => removed.push(holder) });
      const two = await desk(await another('two'));
      const hour = (nonce: string, holder: string) =>
        request(
          {
            claims: claims({ nonce, duration: '3600' }),
            assertions: [timedCheck(nonce, 3600), offered(), authorization()],
          },
          { holder },
        );
      await one.decide(hour('a', 'h1'), NOW);
      await two.decide(hour('a', 'h2'), NOW);
      one.report('h1', true, NOW);
      await one.written(SECOND);
      await two.decide(hour('b', 'h2'), NOW + MINUTE);
      await one.handleTimeout(NOW + 60 * MINUTE);
      assert.deepEqual(removed, []);
    });

    it('know no end for a router that showed a payment without one, and tell others when the time is over', async () => {
      const removed: string[] = [];
      const at = await desk(books, { removed: (holder) => removed.push(holder) });
      const timed = {
        claims: claims({ nonce: 'hour', duration: '3600' }),
        assertions: [timedCheck('hour', 3600), offered(), authorization()],
      };
      for (const holder of ['h1', 'h2']) await at.decide(request(timed, { holder }), NOW);
      await ask(at, 'endless', { holder: 'h1' }, NOW + MINUTE);
      // In the other order as well: the time is over, and the payment before has no end.
      await ask(at, 'endless', { holder: 'h3' }, NOW + MINUTE);
      await at.decide(request(timed, { holder: 'h3' }), NOW + MINUTE);
      for (const holder of ['h1', 'h2', 'h3']) at.report(holder, true, NOW + MINUTE);
      await at.written(SECOND);
      await at.handleTimeout(NOW + 60 * MINUTE);
      assert.deepEqual(removed, ['h2']);
      for (const holder of ['h1', 'h3']) assert.equal(at.held.of(holder)?.paidUntil, undefined);
      await at.written(SECOND);
      assert.deepEqual(await states(), ['endless committed', 'hour committed']);
    });

    it('hold an authorization to its total, at two PDPs at once, to the cent', async () => {
      const desks = [await desk(), await desk(await another('two'))];
      // 10.44 buys 23 checks of 0.44, and leaves 0.32.
      const total = totalled('10.44');
      const verdicts = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          ask(
            desks[i % 2]!,
            `t-${i}`,
            { port: 5000 + i, holder: `h${i}` },
            NOW,
            check(`t-${i}`),
            offered(),
            total,
          ),
        ),
      );
      assert.equal(verdicts.filter(({ granted }) => granted).length, 23);
      const lost = verdicts.find(({ granted }) => !granted)!;
      refused(lost, 'total-exceeded', /total 10\.56 is not <= 10\.44, line \d+, in the credit authorization/);
      // A refused nonce was not spent, and a released one gives its sum back.
      const [released] = verdicts.flatMap(({ granted }, i) => (granted ? [i] : []));
      desks[released! % 2]!.report(`h${released!}`, false, NOW);
      await desks[released! % 2]!.written(SECOND);
      const i = verdicts.findIndex(({ granted }) => !granted);
      const more = await ask(
        desks[0]!,
        `t-${i}`,
        { port: 5000 + i, holder: 'again' },
        NOW,
        check(`t-${i}`),
        offered(),
        total,
      );
      assert.equal(more.again, false);
    });

    it('refuse with a total whoever joins a grant that the total refuses, in one batch', async () => {
      const at = await desk();
      const total = totalled('0.44');
      const verdicts = await Promise.all(
        ['h1', 'h2', 'h3', 'h4'].map((holder, i) =>
          ask(
            at,
            i < 2 ? 'a' : 'b',
            { holder, port: i < 2 ? 5004 : 5006 },
            NOW,
            check(i < 2 ? 'a' : 'b'),
            offered(),
            total,
          ),
        ),
      );
      assert.deepEqual(
        verdicts.map(({ granted }) => granted),
        [true, true, false, false],
      );
      assert.deepEqual(await states(), ['a held']);
    });

    it("hold a payer to the policy's limit on exposure, until the clearing centre has accepted", async () => {
      const policy = JOINT.replace('-> "true"', '&& &exposure <= 1.00 -> "true"');
      assert.notEqual(policy, JOINT);
      const at = await desk(books, {}, policy);
      for (const [i, granted] of [true, true, false].entries())
        assert.equal((await ask(at, `e-${i}`, { port: 5000 + i, holder: `h${i}` })).granted, granted);
      at.report('h0', true, NOW);
      await at.written(SECOND);
      const { grants, credentials } = await books.due(10);
      assert.deepEqual(
        grants.map(({ nonce }) => nonce),
        ['e-0'],
      );
      assert.deepEqual(Object.values(credentials).sort(), [offered(), authorization()].sort());
      const record = { id: grants[0]!.id, state: 'accepted', answer: '{}' } as const;
      await books.recordDeposits([record], NOW);
      await books.recordDeposits([record], NOW);
      assert.deepEqual((await books.due(10)).grants, []);
      const { rows } = await sql<{ sum: bigint }>`select sum from totals where kind = 'payer'`.execute(
        books.store.db,
      );
      assert.deepEqual(rows, [{ sum: 440_000n }]);
      assert.equal((await ask(at, 'e-2', { port: 5002, holder: 'h2' })).granted, true);
    });

    it('take nothing for granted that could not be written down', async () => {
      const at = await desk(books, { failed: () => undefined });
      await books.store.close();
      refused(await ask(at, 'n'), 'store-unavailable', /cannot be recorded/);
      open.splice(open.indexOf(books), 1);
    });

    it('know what is owed in the order in which it was committed', async () => {
      const at = await desk();
      for (let i = 0; i < 5; i++) await ask(at, `d-${i}`, { port: 5000 + i, holder: `h${i}` });
      for (const i of [3, 1, 4]) {
        at.report(`h${i}`, true, NOW + i);
        await at.written(SECOND);
      }
      const due = await books.due(2);
      assert.deepEqual(
        due.grants.map(({ nonce }) => nonce),
        ['d-1', 'd-3'],
      );
    });

    it('judge again at midnight, by the attributes of the grant and the date of now', async () => {
      const removed: [string, Verdict][] = [];
      const at = await desk(books, { removed: (...one) => removed.push(one) });
      const midnight = Date.UTC(2007, 10, 21);
      const undated = timedCheck('long', 86_400);
      const contents = {
        claims: claims({ nonce: 'long', duration: '86400' }),
        assertions: [undated, offered(), authorization()],
      };
      assert.equal((await at.decide(request(contents), NOW)).granted, true);
      at.report('edge-1 h1', true, NOW);
      await at.written(SECOND);
      assert.equal(at.nextTimeout(NOW + 2 * MINUTE), NOW + MINUTE, 'the hold, then midnight');
      await at.handleTimeout(NOW + 2 * MINUTE);
      assert.equal(at.nextTimeout(NOW + 2 * MINUTE), midnight);
      // The offer holds until 2007-11-21.
      await at.handleTimeout(midnight);
      refused(removed[0]![1], 'expired', /date "20071121" is not < "20071121"/);
    });

    it('judge again every few seconds where a credential asks for the time of day', async () => {
      const removed: Verdict[] = [];
      const until = signed(
        'martha',
        creditAuthorization({
          from: principal('martha'),
          to: principal('alice'),
          appDomain: 'Band-X',
          limit: { below: usd('0.56') },
          also: 'time < "203000"',
        }),
      );
      const at = await desk(books, { removed: (_holder, verdict) => removed.push(verdict) });
      assert.equal((await ask(at, 'n', {}, NOW, check('n'), offered(), until)).granted, true);
      at.report('edge-1 h1', true, NOW);
      await at.written(SECOND);
      for (let now = NOW; now <= NOW + 30 * MINUTE - SECOND; now += 10 * SECOND) await at.handleTimeout(now);
      assert.equal(removed.length, 0);
      await at.handleTimeout(NOW + 30 * MINUTE);
      refused(removed[0]!, 'not-authorized', /time "203000" is not < "203000"/);
    });
  });
});
