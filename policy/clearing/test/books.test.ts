import assert from 'node:assert/strict';
import { microcheck } from '../../payment/index.js';
import { authorization, check, offered, principal, signed } from '../../payment/test/world.js';
import { onEachEngine } from '../../stores/test/engines.js';
import { statementCsv } from '../index.js';
import type { DepositAnswer, Hold, HoldAnswer } from '../index.js';
import { claimOf, account, ACCOUNTS, dump, known, NOW, openCentre, payment, requestOf } from './centre.js';
import type { CentreOptions, Opened, Paid } from './centre.js';

const HOUR = 3_600_000;

describe('The books', () => {
  onEachEngine(({ place }) => {
    let opened: Opened;
    afterEach(() => opened.centre.close());

    async function start(options: CentreOptions = {}): Promise<void> {
      opened = await openCentre(await place(), options);
    }
    async function pay(paid: Paid, now = NOW): Promise<DepositAnswer> {
      const [answer] = await opened.centre.deposit(
        known(opened.centre, 'nick'),
        requestOf(payment(paid)),
        now,
      );
      return answer!;
    }
    async function hold(paid: Paid, expires = NOW + HOUR, now = NOW): Promise<HoldAnswer> {
      const { deposit, assertions } = payment(paid);
      const claim = claimOf(deposit);
      const asked: Hold = { ...claim, expiresAt: new Date(expires).toISOString() };
      const [answer] = await opened.centre.hold(
        known(opened.centre, 'nick'),
        { assertions, holds: [asked] },
        now,
      );
      return answer!;
    }
    async function balances(): Promise<Record<string, string>> {
      const accounts = await opened.centre.accounts(NOW);
      return Object.fromEntries(
        accounts.flatMap(({ id, kind, balances }) =>
          balances.map(({ balance }) => [kind === 'user' ? 'user' : id, balance]),
        ),
      );
    }
    const limited = (limit: bigint): CentreOptions => ({
      accounts: [account('martha', 'provider', ['martha'], { limit: { USD: limit } }), ...ACCOUNTS.slice(1)],
    });

    it('settle: users owe nothing any more, their provider owes the ISP, and when it has paid nobody owes', async () => {
      await start();
      await pay({ nonce: 'a', amount: '0.44' });
      await pay({ nonce: 'b', amount: '0.50' });
      assert.deepEqual(await balances(), { nick: '0.94', user: '-0.94', martha: '0.00' });
      const batches = await opened.centre.settle(NOW + 1000);
      assert.deepEqual(batches, [
        {
          ...{ batch: 1, provider: 'martha', isp: 'nick', currency: 'USD', amount: '0.94', charges: 2 },
          settledAt: '2007-11-20T20:00:01.000Z',
        },
      ]);
      assert.deepEqual(await balances(), { nick: '0.94', user: '0.00', martha: '-0.94' });
      const paid = await opened.centre.paid(1, NOW + 2000);
      assert.equal(paid.answer, 'paid');
      assert.deepEqual(await balances(), { nick: '0.00', user: '0.00', martha: '0.00' });
      assert.deepEqual((await opened.centre.audit()).problems, []);
    });

    it('settle nothing twice, and pay nothing twice', async () => {
      await start();
      await pay({ nonce: 'a' });
      await opened.centre.settle(NOW);
      const settled = await dump(opened.store);
      assert.deepEqual(await opened.centre.settle(NOW), []);
      assert.equal(await dump(opened.store), settled);
      await opened.centre.paid(1, NOW);
      const paid = await dump(opened.store);
      assert.equal((await opened.centre.paid(1, NOW + 5)).answer, 'was-paid');
      assert.equal((await opened.centre.paid(2, NOW)).answer, 'unknown');
      assert.equal(await dump(opened.store), paid);
      await pay({ nonce: 'b', amount: '0.45' });
      const [batch] = await opened.centre.settle(NOW);
      assert.deepEqual([batch?.batch, batch?.amount], [2, '0.45']);
    });

    it('refuse what takes a provider beyond its limit, settled or not', async () => {
      await start(limited(90n));
      assert.equal((await pay({ nonce: 'a', amount: '0.44' })).answer, 'accepted');
      const beyond = await pay({ nonce: 'b', amount: '0.47' });
      assert.equal(beyond.answer, 'refused');
      assert.equal(beyond.reason, 'martha owes 0.44 USD, and with 0.47 more it is above its limit of 0.90');
      await opened.centre.settle(NOW);
      assert.equal((await pay({ nonce: 'b', amount: '0.47' })).answer, 'refused');
      assert.equal((await pay({ nonce: 'c', amount: '0.46' })).answer, 'accepted');
      await opened.centre.paid(1, NOW);
      assert.equal((await pay({ nonce: 'd', amount: '0.44' })).answer, 'accepted');
      assert.equal(
        (
          await pay({
            nonce: 'e',
            amount: '0.01',
            credentials: [authorization(), offered({ price: '0.01' }), check('e', '0.01')],
          })
        ).answer,
        'refused',
      );
    });

    it('count all that is in one request against a limit', async () => {
      await start(limited(100n));
      const three = ['a', 'b', 'c'].map((nonce) => payment({ nonce }));
      const answers = await opened.centre.deposit(known(opened.centre, 'nick'), requestOf(...three), NOW);
      assert.deepEqual(
        answers.map(({ answer }) => answer),
        ['accepted', 'accepted', 'refused'],
      );
    });

    it('count holds against a limit until they are deposited, freed or over', async () => {
      await start(limited(90n));
      assert.equal((await hold({ nonce: 'a' })).answer, 'held');
      assert.equal((await hold({ nonce: 'a' })).answer, 'duplicate');
      assert.equal((await hold({ nonce: 'b', amount: '0.46' })).answer, 'held');
      const third = await pay({ nonce: 'c' });
      assert.equal(third.reason, 'martha owes 0.90 USD, and with 0.44 more it is above its limit of 0.90');
      assert.equal((await hold({ nonce: 'c' })).answer, 'refused');
      assert.equal((await pay({ nonce: 'a' })).answer, 'accepted', 'a hold is a promise');
      assert.equal((await pay({ nonce: 'c' })).answer, 'refused', 'a deposit takes the place of its hold');
      assert.equal(await opened.centre.release('nick', 'grant-b'), true);
      assert.equal((await pay({ nonce: 'c' })).answer, 'accepted');
      assert.equal((await hold({ nonce: 'd' })).answer, 'refused');
      assert.equal((await hold({ nonce: 'c' })).answer, 'double-spent');
      assert.deepEqual((await opened.centre.audit()).problems, []);
    });

    it('forget a hold at its end', async () => {
      await start(limited(44n));
      assert.equal((await hold({ nonce: 'a' })).answer, 'held');
      assert.equal((await pay({ nonce: 'b' }, NOW + HOUR - 1)).answer, 'refused');
      assert.equal((await pay({ nonce: 'b' }, NOW + HOUR)).answer, 'accepted');
      assert.match(
        (await hold({ nonce: 'a' }, NOW + 25 * HOUR)).reason,
        /not a time within 86400 seconds from now/,
      );
      assert.match((await hold({ nonce: 'a' }, NOW)).reason, /not a time within/);
    });

    it('keep a promise: what one ISP holds, another cannot deposit', async () => {
      await start();
      const forBoth = signed(
        'alice',
        microcheck({
          ...{ from: principal('alice'), to: principal('nick'), appDomain: 'Band-X', nonce: 'a' },
          money: { amount: '0.44', currency: 'USD' },
        }).replace(/^(Licensees: .*)$/m, `$1 || "${principal('mallory')}"`),
      );
      const paid = {
        nonce: 'a',
        credentials: [authorization(), offered(), offered({ from: 'mallory' }), forBoth],
      };
      assert.equal((await hold(paid)).answer, 'held');
      const { centre } = opened;
      const [other] = await centre.deposit(known(centre, 'mallory'), requestOf(payment(paid)), NOW);
      assert.match(
        other?.reason ?? '',
        /^the nonce `a` of ed25519:\w{16} is held by nick until 2007-11-20T21:00:00.000Z$/,
      );
      assert.match(
        (await hold({ ...paid, deposit: { id: 'b' } })).reason,
        /nonce `a` is held for `grant-a` already/,
      );
      assert.equal((await pay(paid)).answer, 'accepted');
      const [late] = await centre.deposit(known(centre, 'mallory'), requestOf(payment(paid)), NOW);
      assert.equal(late?.answer, 'double-spent');
      assert.deepEqual([late.first?.isp, late.second?.isp], ['nick', 'mallory']);
    });

    it('book nothing on a frozen account, and freeze an account that is not configured any more', async () => {
      await start();
      await opened.centre.close();
      const where = await place();
      opened = await openCentre(where, {
        accounts: [account('martha', 'provider', ['martha'], { frozen: true }), ...ACCOUNTS.slice(1)],
      });
      assert.equal((await pay({ nonce: 'a' })).reason, 'account martha is frozen');
      await opened.centre.close();
      opened = await openCentre(where);
      assert.equal((await pay({ nonce: 'a' })).answer, 'accepted');
      await opened.centre.close();
      opened = await openCentre(where, { accounts: ACCOUNTS.slice(1) });
      const martha = (await opened.centre.accounts(NOW)).find(({ id }) => id === 'martha');
      assert.equal(martha?.frozen, true);
      assert.equal(martha.balances[0]?.unsettled, '0.44');
    });

    it('do not let the decimals of a currency change', async () => {
      const where = await place();
      opened = await openCentre(where);
      const terms = { currencies: new Map([['USD', 3]]) };
      await assert.rejects(
        openCentre(where, { terms }),
        /USD has 2 decimals in this database, the configuration says 3/,
      );
    });

    it('state an account: from one balance to the other, in whole and in parts', async () => {
      await start();
      const { centre } = opened;
      await pay({ nonce: 'a', amount: '0.44' }, NOW);
      await pay({ nonce: 'b', amount: '0.50' }, NOW + HOUR);
      await centre.settle(NOW + 2 * HOUR);
      await centre.paid(1, NOW + 3 * HOUR);
      const whole = await centre.statement({ account: 'nick', currency: 'USD' });
      const user = (await centre.accounts(NOW)).find(({ kind }) => kind === 'user');
      const reservation = '192.0.2.7/udp/5004 FF 198.51.100.9/5004';
      assert.deepEqual(whole, {
        ...{ account: 'nick', currency: 'USD', opening: '0.00', closing: '0.00' },
        lines: [
          {
            ...{
              entry: 2,
              at: '2007-11-20T20:00:00.000Z',
              kind: 'deposit',
              counterparty: user?.name,
              reference: 1,
            },
            ...{ reservation, nonce: 'a', amount: '0.44', balance: '0.44' },
          },
          {
            ...{
              entry: 4,
              at: '2007-11-20T21:00:00.000Z',
              kind: 'deposit',
              counterparty: user?.name,
              reference: 2,
            },
            ...{ reservation, nonce: 'b', amount: '0.50', balance: '0.94' },
          },
          {
            ...{
              entry: 7,
              at: '2007-11-20T23:00:00.000Z',
              kind: 'payment',
              counterparty: 'martha',
              reference: 1,
            },
            ...{ reservation: '', nonce: '', amount: '-0.94', balance: '0.00' },
          },
        ],
      });
      const part = await centre.statement({
        ...{ account: 'nick', currency: 'USD' },
        ...{ from: NOW + HOUR, to: NOW + 3 * HOUR },
      });
      assert.deepEqual([part?.opening, part?.lines.length, part?.closing], ['0.44', 1, '0.94']);
      const first = await centre.statement({ account: 'nick', currency: 'USD', limit: 2 });
      assert.deepEqual([first?.opening, first?.closing, first?.next], ['0.00', '0.94', 4]);
      const rest = await centre.statement({ account: 'nick', currency: 'USD', limit: 2, after: first?.next });
      assert.deepEqual(
        [rest?.opening, rest?.lines.length, rest?.closing, rest?.next],
        ['0.94', 1, '0.00', undefined],
      );
      assert.equal(await centre.statement({ account: 'nobody', currency: 'USD' }), undefined);
      assert.deepEqual((await centre.statement({ account: 'nick', currency: 'JPY' }))?.lines, []);
    });

    it('refuse to change or delete what is booked', async () => {
      await start();
      await pay({ nonce: 'a' });
      const { db } = opened.store;
      const before = await dump(opened.store);
      for (const table of ['csc_entries', 'csc_deposits', 'csc_charges', 'csc_assertions'] as const) {
        await assert.rejects(db.deleteFrom(table).execute(), /append-only/);
      }
      await assert.rejects(db.updateTable('csc_entries').set({ amount: 0n }).execute(), /append-only/);
      await assert.rejects(db.updateTable('csc_deposits').set({ amount: 0n }).execute(), /append-only/);
      assert.equal(await dump(opened.store), before);
    });
  });
});

describe('A statement as CSV', () => {
  it('quotes what needs it, and leaves no formula to a spreadsheet', () => {
    const line = {
      ...({
        entry: 1,
        at: '2007-11-20T20:00:00.000Z',
        kind: 'deposit',
        counterparty: '=1+1',
        reference: 1,
      } as const),
      ...{ reservation: 'a "b", c', nonce: '-x', amount: '-0.44', balance: '-0.44' },
    };
    const csv = statementCsv({
      account: 'a',
      currency: 'USD',
      opening: '0.00',
      lines: [line],
      closing: '-0.44',
    });
    assert.equal(
      csv,
      [
        'entry,at,kind,counterparty,reference,reservation,nonce,amount,balance',
        ',,opening,,,,,,0.00',
        `1,2007-11-20T20:00:00.000Z,deposit,'=1+1,1,"a ""b"", c",'-x,-0.44,-0.44`,
        ',,closing,,,,,,-0.44',
        '',
      ].join('\r\n'),
    );
  });
});
