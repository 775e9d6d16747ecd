import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { openStore } from '../io/open.js';
import { migrate, SchemaTooNew } from '../migrate.js';
import { notify, table, TryAgain } from '../store.js';
import type { Store } from '../store.js';
import { onEachEngine } from './engines.js';

interface Schema {
  thing: { name: string; amount: bigint };
}

const MIGRATIONS = {
  name: 'things',
  steps: [() => ['create table thing (name text primary key, amount bigint not null)']],
};

describe('store', () => {
  onEachEngine(({ name, place }) => {
    let where: string;
    let store: Store<Schema>;
    before(async () => {
      where = await place();
      store = await openStore<Schema>(where, MIGRATIONS);
    });
    after(() => store.close());

    it('is of the engine that its place says', () => assert.equal(store.engine, name));

    it('keeps integers of 63 bits exact', async () => {
      const amount = 2n ** 63n - 1n;
      await store.db.insertInto('thing').values({ name: 'large', amount }).execute();
      const row = await store.db
        .selectFrom('thing')
        .selectAll()
        .where('name', '=', 'large')
        .executeTakeFirstOrThrow();
      assert.equal(row.amount, amount);
    });

    it('takes rows as one parameter, whatever is in their text', async () => {
      const texts = ['plain', `a "quoted" 'one'`, 'back\\slash\nline', 'Grüße \u{1f600}'];
      const rows = texts.map((text, i) => [text, i]);
      const { rows: read } = await sql<{ text: string; i: bigint }>`
        select value ->> 0 as text, cast(value ->> 1 as bigint) as i from ${table(name, rows)} order by i`.execute(
        store.db,
      );
      assert.deepEqual(
        read.map(({ text, i }) => [text, Number(i)]),
        rows,
      );
    });

    it('does nothing of a transaction that fails', async () => {
      const failing = store.transaction(async (db) => {
        await db.insertInto('thing').values({ name: 'undone', amount: 1n }).execute();
        throw new RangeError('on purpose');
      });
      await assert.rejects(failing, /on purpose/);
      const row = await store.db
        .selectFrom('thing')
        .selectAll()
        .where('name', '=', 'undone')
        .executeTakeFirst();
      assert.equal(row, undefined);
    });

    it('runs a transaction again that asks for it, from the beginning', async () => {
      let tries = 0;
      await store.transaction(async (db) => {
        tries++;
        await db
          .insertInto('thing')
          .values({ name: 'again', amount: BigInt(tries) })
          .execute();
        if (tries < 3) throw new TryAgain();
      });
      const { amount } = await store.db
        .selectFrom('thing')
        .selectAll()
        .where('name', '=', 'again')
        .executeTakeFirstOrThrow();
      assert.equal(amount, 3n);
    });

    if (name === 'postgresql') {
      it('runs a transaction again whose connection is lost between two statements', async () => {
        let tries = 0;
        await store.transaction(async (db) => {
          const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
          if (++tries === 1) {
            await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(store.db);
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
          await db
            .insertInto('thing')
            .values({ name: 'survivor', amount: BigInt(tries) })
            .execute();
        });
        assert.equal(tries, 2);
      });
    }

    it('lets transactions on two connections count without losing one', async () => {
      const other = await openStore<Schema>(where, MIGRATIONS);
      await store.db.insertInto('thing').values({ name: 'count', amount: 0n }).execute();
      const add = (one: Store<Schema>): Promise<unknown> =>
        one.transaction((db) => sql`update thing set amount = amount + 1 where name = 'count'`.execute(db));
      await Promise.all(Array.from({ length: 50 }, (_, i) => add(i % 2 === 0 ? store : other)));
      await other.close();
      const { amount } = await store.db
        .selectFrom('thing')
        .selectAll()
        .where('name', '=', 'count')
        .executeTakeFirstOrThrow();
      assert.equal(amount, 50n);
    });

    it('tells of changes by another process within a second', async () => {
      const other = await openStore<Schema>(where, MIGRATIONS);
      let stop = (): void => undefined;
      const told = new Promise<void>((resolve) => (stop = store.watch(resolve)));
      const begun = performance.now();
      await other.transaction(async (db) => {
        await db.insertInto('thing').values({ name: 'news', amount: 1n }).execute();
        await notify(other.engine, db);
      });
      await told;
      assert.ok(performance.now() - begun < 1000);
      stop();
      await other.close();
    });

    it('is migrated step by step, by one of several that start at once', async () => {
      const empty = await place();
      const steps = [
        () => ['create table one (i bigint)', 'insert into one values (1)'],
        () => ['insert into one values (2)'],
      ];
      const first = await openStore<Schema>(empty, { name: 'many', steps: steps.slice(0, 1) });
      const stores = await Promise.all(
        Array.from({ length: 4 }, () => openStore<Schema>(empty, { name: 'many', steps })),
      );
      const { rows } = await sql<{ i: bigint }>`select i from one order by i`.execute(first.db);
      assert.deepEqual(rows, [{ i: 1n }, { i: 2n }]);
      await assert.rejects(migrate(first, { name: 'many', steps: [] }), SchemaTooNew);
      await Promise.all([first, ...stores].map((one) => one.close()));
    });
  });
});
