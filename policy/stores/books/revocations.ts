import { credentialDigest } from '../../keynote/index.js';
import type { RevocationRecord } from '../../payment/index.js';
import { notify } from '../store.js';
import type { GrantContext } from './entry.js';

type Context = Pick<GrantContext, 'db' | 'engine'>;

/** False where it was there before. Every PDP of the database is told. */
export async function writeRevocation(
  { db, engine }: Context,
  { text, about, at }: RevocationRecord,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('revocations')
    .values({ digest: credentialDigest(text), text, about: about ?? null, at: BigInt(at) })
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .executeTakeFirstOrThrow();
  await notify(engine, db);
  return numInsertedOrUpdatedRows === 1n;
}

/** All of them, the oldest first. */
export async function readRevocations({ db }: Pick<Context, 'db'>): Promise<RevocationRecord[]> {
  const rows = await db.selectFrom('revocations').selectAll().orderBy('at').orderBy('digest').execute();
  return rows.map(({ text, about, at }) => ({ text, about: about ?? undefined, at: Number(at) }));
}

export async function countRevocations({ db }: Pick<Context, 'db'>): Promise<number> {
  const { count } = await db
    .selectFrom('revocations')
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
