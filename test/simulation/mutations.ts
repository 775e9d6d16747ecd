import { sql } from 'kysely';
import type { Books } from '../../policy/payment/index.js';
import { nonceDigest } from '../../policy/stores/books/digest.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import type { StoredBooks } from '../../policy/stores/io/books.js';
import type { Store } from '../../policy/stores/store.js';

/** A mistake made on purpose: whoever cannot find it would not find one made by accident. */
export interface Mutation {
  readonly name: string;
  readonly disguise?: (books: StoredBooks) => Books;
  readonly disguiseDepositor?: (books: StoredBooks) => StoredBooks;
  readonly afterTransaction?: (store: Store<BooksSchema>) => Promise<void>;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the store forgets which nonces were spent',
    afterTransaction: ({ db }) => done(sql`delete from nonces`.execute(db)),
  },
  {
    name: 'a commit is lost',
    disguise: (books) => overridden(books, { commit: () => Promise.resolve('committed') }),
  },
  {
    name: 'a commit is answered before it is written, and forgotten with the crash',
    disguise: (books) =>
      overridden(books, {
        commit: (hold, now) => {
          void books.commit(hold, now).catch(() => undefined);
          return Promise.resolve('committed');
        },
      }),
  },
  {
    name: 'a release does not free the nonce',
    afterTransaction: async ({ db }) => {
      const { rows } = await sql<{ id: string; nonce: string; payer: string }>`
        select id, nonce, value as payer from grants, json_each(payers) where state = 'released'`.execute(db);
      for (const { id, ...key } of rows)
        await sql`insert into nonces (digest, grant_id) values (${nonceDigest(key)}, ${id}) on conflict do nothing`.execute(
          db,
        );
    },
  },
  {
    name: 'a release keeps the sum as exposure',
    afterTransaction: ({ db }) =>
      done(
        sql`update totals set sum = sum + 1 where exists (select 1 from grants where state = 'released')`.execute(
          db,
        ),
      ),
  },
  {
    name: 'an end is lost',
    disguise: (books) => overridden(books, { end: () => Promise.resolve() }),
  },
  {
    name: 'what one router deletes ends for the others as well',
    afterTransaction: ({ db }) =>
      done(
        sql`
        update grants set state = 'ended', paid_until = 0
        where state = 'committed' and (select count(*) from holders where grant_id = grants.id) = 1`.execute(
          db,
        ),
      ),
  },
  {
    name: 'an answer of the clearing centre is recorded twice',
    disguiseDepositor: (books) =>
      new Proxy(books, {
        get: (target, name) => {
          if (name !== 'recordDeposits') return Reflect.get(target, name, target) as unknown;
          return async (...args: Parameters<StoredBooks['recordDeposits']>) => {
            await target.recordDeposits(...args);
            await target.store.transaction(async (db) => {
              for (const { id } of args[0])
                await sql`update totals set sum = totals.sum - grants.sum from grants
                where grants.id = ${id} and kind = 'payer' and totals.id in (select value from json_each(payers))`.execute(
                  db,
                );
            });
          };
        },
      }),
  },
  {
    name: 'an answer of the clearing centre is not recorded',
    disguiseDepositor: (books) =>
      new Proxy(books, {
        get: (target, name) =>
          name === 'recordDeposits'
            ? () => Promise.resolve()
            : (Reflect.get(target, name, target) as unknown),
      }),
  },
];

async function done(work: Promise<unknown>): Promise<void> {
  await work;
}

function overridden(books: StoredBooks, changes: Partial<Books>): Books {
  return {
    grant: (request) => books.grant(request),
    commit: (hold, now) => books.commit(hold, now),
    end: (hold, now) => books.end(hold, now),
    paidUntil: (hold) => books.paidUntil(hold),
    ...changes,
  };
}
