import assert from 'node:assert/strict';
import { MEMORY } from '../../payment/index.js';
import type { Quarantined } from '../../payment/index.js';
import { QuarantineTable } from '../books/quarantine.js';
import { BOOKS_MIGRATIONS } from '../books/schema.js';
import type { BooksSchema } from '../books/schema.js';
import { openStore } from '../io/open.js';
import type { Store } from '../store.js';
import { onEachEngine } from './engines.js';

const NOW = Date.UTC(2026, 2, 24, 12);

function quarantined(id: string, changes: Partial<Quarantined> = {}): Quarantined {
  return {
    kind: 'source',
    id,
    since: NOW,
    until: NOW + 600_000,
    failures: 30,
    reason: 'bad-signature',
    ...changes,
  };
}

describe('the table of the quarantine', () => {
  onEachEngine(({ place }) => {
    let where: string;
    let store: Store<BooksSchema>;
    let table: QuarantineTable;
    beforeEach(async () => {
      where = await place();
      store = await openStore<BooksSchema>(where, BOOKS_MIGRATIONS);
      table = new QuarantineTable(store);
    });
    afterEach(() => store.close());

    it('gives back what was put into it, whoever has names of which characters', async () => {
      const entries = [
        quarantined('192.0.2.7@edge "1"', { until: NOW + 3 }),
        quarantined("Grüße'; drop table quarantine; --", { kind: 'pep', until: NOW + 2 }),
        quarantined('ed25519-base64:AAAA', { kind: 'key', until: NOW + 1, reason: 'nonce-spent' }),
      ];
      await table.put(entries);
      assert.deepEqual(await table.list(), entries);
    });

    it('keeps the later end of two', async () => {
      const short = quarantined('a');
      const long = quarantined('a', {
        since: NOW + 1,
        until: NOW + 1_200_000,
        failures: 31,
        reason: 'revoked',
      });
      for (const order of [
        [short, long],
        [long, short],
      ]) {
        for (const one of order) await table.put([one]);
        assert.deepEqual(await table.list(), [long]);
        await table.release([long], NOW);
      }
    });

    it('releases whom it is told to, of the kind that it is told, and says how many were in it', async () => {
      await table.put([
        quarantined('a'),
        quarantined('a', { kind: 'pep' }),
        quarantined('b', { until: NOW }),
      ]);
      assert.equal(await table.release([{ kind: 'source', id: 'x' }], NOW), 0);
      assert.equal(
        await table.release(
          [
            { kind: 'source', id: 'a' },
            { kind: 'source', id: 'b' },
          ],
          NOW,
        ),
        1,
      );
      assert.deepEqual(
        (await table.list()).map(({ kind, id }) => [kind, id]),
        [['pep', 'a']],
      );
    });

    it('has another stamp after each change, and the same without one', async () => {
      const stamps = [await table.stamp()];
      await table.put([quarantined('a')]);
      stamps.push(await table.stamp());
      assert.equal(await table.stamp(), stamps[1]);
      await table.put([quarantined('a', { until: NOW + 1_000_000 })]);
      stamps.push(await table.stamp());
      await table.release([quarantined('a')], NOW);
      assert.deepEqual([new Set(stamps).size, await table.stamp()], [3, stamps[0]]);
    });

    it('forgets a day after the end, and of too many those that end first', async () => {
      await table.put(['a', 'b', 'c', 'd'].map((id, i) => quarantined(id, { until: NOW + i })));
      const ids = async (): Promise<string> => (await table.list()).map(({ id }) => id).join('');
      await table.prune(NOW + MEMORY - 1);
      assert.equal(await ids(), 'dcba');
      await table.prune(NOW + MEMORY);
      assert.equal(await ids(), 'dcb');
      await table.prune(NOW, 2);
      assert.equal(await ids(), 'dc');
    });

    it('tells other processes of a change within a second', async () => {
      const other = await openStore<BooksSchema>(where, BOOKS_MIGRATIONS);
      let stop = (): void => undefined;
      const told = new Promise<void>((resolve) => (stop = other.watch(resolve)));
      const begun = performance.now();
      await table.put([quarantined('a')]);
      await told;
      assert.ok(performance.now() - begun < 1000);
      assert.equal((await new QuarantineTable(other).list()).length, 1);
      stop();
      await other.close();
    });
  });
});
