import assert from 'node:assert/strict';
import { onEachEngine } from '../../stores/test/engines.js';
import { dump, known, NOW, openCentre, payment, requestOf } from './centre.js';
import type { Opened } from './centre.js';

describe('Deposits', () => {
  onEachEngine(({ place }) => {
    let opened: Opened;
    before(async () => {
      opened = await openCentre(await place());
    });
    after(() => opened.centre.close());

    it('accepts one: the user owes, the ISP has, and the receipt names both entries', async () => {
      const { centre } = opened;
      const [answer] = await centre.deposit(known(centre, 'nick'), requestOf(payment()), NOW);
      assert.equal(answer?.answer, 'accepted', answer?.reason);
      assert.deepEqual(answer.receipt?.entries, [1, 2]);
      assert.equal(answer.receipt.deposit, 1);
      assert.equal(answer.receipt.at, '2007-11-20T20:00:00.000Z');
      const accounts = await centre.accounts(NOW);
      const balances = accounts.flatMap(({ kind, balances }) =>
        balances.map(({ balance, unsettled }) => `${kind} ${balance} ${unsettled}`),
      );
      assert.deepEqual(balances.sort(), ['isp 0.44 0.00', 'provider 0.00 0.44', 'user -0.44 0.00']);
      assert.deepEqual((await centre.audit({ verify: true })).problems, []);
    });

    it('answers with the first receipt where it was accepted before, and changes nothing', async () => {
      const { centre, store } = opened;
      const before = await dump(store);
      const [again] = await centre.deposit(known(centre, 'nick'), requestOf(payment()), NOW + 1000);
      const [renamed] = await centre.deposit(
        known(centre, 'nick'),
        requestOf(payment({ deposit: { id: 'another name' } })),
        NOW + 2000,
      );
      for (const answer of [again, renamed]) {
        assert.equal(answer?.answer, 'duplicate');
        assert.deepEqual(answer.receipt?.entries, [1, 2]);
      }
      assert.equal(await dump(store), before);
    });
  });
});
