import assert from 'node:assert/strict';
import type { GrantRequest, Payment, Verdict } from '../../payment/index.js';
import {
  authorization,
  check,
  claims,
  nick,
  NOW,
  offered,
  principal,
  request,
} from '../../payment/test/world.js';
import { nonceDigest } from '../books/digest.js';
import { BOOKS_MIGRATIONS } from '../books/schema.js';
import type { BooksSchema } from '../books/schema.js';
import { StoredBooks } from '../io/books.js';
import { openStore } from '../io/open.js';
import type { Store } from '../store.js';
import { onEachEngine } from './engines.js';

const [ALICE, MALLORY] = [principal('alice'), principal('mallory')];
const HOUR = 3600;

const PAYMENT: Payment = nick().decide(
  request({ claims: claims({ nonce: 'n' }), assertions: [check('n'), offered(), authorization()] }),
  NOW,
  () => undefined,
).payment!;

/** What is asked for by the nonces of one or several payers; `id` names the grant, the holder and the handle. */
function wish(
  id: string,
  reservation: string,
  nonce: string,
  payers: readonly string[],
  changes: Partial<Payment> = {},
): GrantRequest {
  const payment = { ...PAYMENT, nonce, reservation, ...changes };
  const verdict: Verdict = { granted: true, reason: '', attributes: new Map(), payment };
  const common = { pepId: 'edge-1', handle: id, linkName: undefined, leaving: undefined, now: NOW };
  const keys = payers.map((payer) => ({ payer, nonce }));
  return { id, holder: id, keys, verdict, recheck: () => verdict, ...common };
}

const hold = ({ holder, keys, verdict }: GrantRequest) => ({
  ...{ holder, keys },
  reservation: verdict.payment!.reservation,
});

describe('grants', () => {
  onEachEngine(({ place }) => {
    let where: string;
    let books: StoredBooks;
    const open: StoredBooks[] = [];
    const opened = (one: StoredBooks): StoredBooks => {
      open.push(one);
      return one;
    };
    const another = async (instance: string): Promise<StoredBooks> =>
      opened(await StoredBooks.open(where, { instance }));
    /** In one batch. */
    const kinds = async (...wishes: GrantRequest[]): Promise<string[]> =>
      (await Promise.all(wishes.map((one) => books.grant(one)))).map(({ kind }) => kind);
    /** The grants that Alice's and Mallory's have paid for. */
    const owners = async (nonce: string): Promise<string[]> =>
      Promise.all(
        [ALICE, MALLORY].map(async (payer) => {
          const digest = nonceDigest({ payer, nonce });
          const rows = books.store.db.selectFrom('nonces').selectAll().where('digest', '=', digest);
          return (await rows.executeTakeFirst())?.grant_id ?? 'nobody';
        }),
      );
    const heldBy = async (handle: string): Promise<string[]> => {
      const rows = books.store.db.selectFrom('holders').select('grant_id').where('handle', '=', handle);
      return (await rows.orderBy('grant_id').execute()).map(({ grant_id }) => grant_id);
    };
    const states = async (): Promise<string[]> =>
      (await books.store.db.selectFrom('grants').select(['id', 'state']).orderBy('id').execute()).map(
        ({ id, state }) => `${id} ${state}`,
      );

    beforeEach(async () => {
      where = await place();
      books = await another('one');
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((one) => one.close()));
    });

    it('give a nonce to the next, where a request before it is refused for another of its nonces', async () => {
      assert.deepEqual(await kinds(wish('0', 'r0', 'x', [MALLORY])), ['granted']);
      const batch = [wish('1', 'r1', 'x', [ALICE, MALLORY]), wish('2', 'r1', 'x', [ALICE])];
      assert.deepEqual(await kinds(...batch), ['spent', 'granted']);
      assert.deepEqual(await owners('x'), ['2', '0']);
    });

    it('give a nonce to the next, where the same are refused for another reservation', async () => {
      assert.deepEqual(await kinds(wish('0', 'r0', 'x', [MALLORY])), ['granted']);
      const batch = [wish('1', 'r1', 'x', [ALICE, MALLORY]), wish('2', 'r0', 'x', [ALICE, MALLORY])];
      assert.deepEqual(await kinds(...batch), ['spent', 'granted']);
      assert.deepEqual(await owners('x'), ['2', '0']);
    });

    it('tell a third what the first has paid for, not what the second has added', async () => {
      const batch = [
        wish('0', 'r0', 'x', [ALICE]),
        wish('1', 'r0', 'x', [ALICE, MALLORY]),
        wish('2', 'r0', 'x', [ALICE]),
      ];
      assert.deepEqual(await kinds(...batch), ['granted', 'granted', 'granted']);
      assert.deepEqual(await owners('x'), ['0', '1']);
      assert.deepEqual(await heldBy('2'), ['0']);
    });

    it('refuse whoever joins a request that is refused, whoever has the last of its nonces', async () => {
      assert.deepEqual(await kinds(wish('0', 'r0', 'x', [MALLORY])), ['granted']);
      const no = { granted: false, reason: '', attributes: new Map() };
      const batch = ['1', '2'].map((id) => ({
        ...wish(id, 'r0', 'x', [ALICE, MALLORY], { isExposureLimited: true }),
        recheck: () => no,
      }));
      assert.deepEqual(await kinds(...batch), ['refused', 'refused']);
      assert.deepEqual(await owners('x'), ['nobody', '0']);
      assert.deepEqual([...(await heldBy('1')), ...(await heldBy('2'))], []);
    });

    it('have all back that a check of two payers pays for, what had ended as well, and keep no holder of it', async () => {
      const first = wish('0', 'r0', 'x', [ALICE]);
      await kinds(first);
      await books.commit(hold(first), NOW);
      await books.end(hold(first), NOW);
      assert.deepEqual(await states(), ['0 ended']);
      const second = wish('1', 'r0', 'x', [ALICE, MALLORY]);
      assert.deepEqual(await kinds(second), ['granted']);
      assert.deepEqual(await states(), ['0 committed', '1 held']);
      assert.deepEqual(await heldBy('1'), ['0', '1']);
      await books.end(hold(second), NOW);
      assert.deepEqual(await states(), ['0 ended', '1 released']);
      assert.deepEqual(await heldBy('1'), []);
    });

    it('await a report as long as one of several payments has none', async () => {
      const [alices, mallorys] = [wish('0', 'r0', 'x', [ALICE]), wish('1', 'r0', 'x', [MALLORY])];
      await kinds(alices, mallorys);
      await books.commit(hold(mallorys), NOW);
      const joint = wish('2', 'r0', 'x', [ALICE, MALLORY]);
      const result = await books.grant(joint);
      assert.equal(result.kind === 'granted' && result.state, 'held');
      await books.commit(hold(joint), NOW);
      assert.deepEqual(await states(), ['0 committed', '1 committed']);
    });

    it('add up the time that two payers buy at two PDPs at once', async () => {
      const other = await another('two');
      for (let i = 0; i < 30; i++) {
        await Promise.all([
          books.grant(wish(`a${i}`, `r${i}`, `x${i}`, [ALICE], { duration: HOUR })),
          other.grant(wish(`m${i}`, `r${i}`, `x${i}`, [MALLORY], { duration: HOUR })),
        ]);
        const rows = books.store.db
          .selectFrom('grants')
          .select('paid_until')
          .where('reservation', '=', `r${i}`);
        assert.deepEqual(
          (await rows.orderBy('paid_until').execute()).map(({ paid_until }) => Number(paid_until) - NOW),
          [HOUR * 1000, 2 * HOUR * 1000],
        );
      }
    });

    it('write a credential down again, where the attempt that wrote it was undone', async () => {
      const store = await openStore<BooksSchema>(where, BOOKS_MIGRATIONS);
      const other = await another('two');
      const undone = new Error('undone');
      let isFirst = true;
      /** Undoes the first attempt, and gives its nonce to another PDP before the second. */
      const troubled: Store<BooksSchema> = {
        ...store,
        transaction: async (work) => {
          if (!isFirst) return store.transaction(work);
          isFirst = false;
          const attempt = store.transaction(async (db) => {
            await work(db);
            throw undone;
          });
          await assert.rejects(attempt, undone);
          await other.grant(wish('0', 'r0', 'x', [ALICE], { credentials: [], checks: [] }));
          return store.transaction(work);
        },
      };
      const own = opened(new StoredBooks(troubled, { instance: 'three' }));
      assert.equal((await own.grant(wish('1', 'r1', 'x', [ALICE]))).kind, 'spent');
      assert.equal((await own.grant(wish('2', 'r2', 'y', [ALICE]))).kind, 'granted');
      const { rows, texts } = {
        rows: await books.store.db.selectFrom('grants').select('credentials').where('id', '=', '2').execute(),
        texts: await books.store.db.selectFrom('credentials').select('digest').execute(),
      };
      assert.deepEqual(
        (JSON.parse(rows[0]!.credentials) as string[]).sort(),
        texts.map(({ digest }) => digest).sort(),
      );
    });
  });
});
