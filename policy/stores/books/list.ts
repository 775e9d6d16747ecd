import { sql } from 'kysely';
import type { BooksSchema, GrantState } from './schema.js';
import type { GrantContext } from './entry.js';

export interface ListFilter {
  readonly state?: GrantState | undefined;
  /** Not deposited, or not accepted, though it was committed. */
  readonly isDue?: boolean | undefined;
  readonly limit: number;
}

/** A payment as the books have it, with the routers that hold its reservation now. */
export interface ListedGrant {
  readonly grant: BooksSchema['grants'];
  readonly pepIds: readonly string[];
}

/** Payments, the newest first. */
export async function listGrants(
  { db }: Pick<GrantContext, 'db'>,
  { state, isDue = false, limit }: ListFilter,
): Promise<ListedGrant[]> {
  let query = db
    .selectFrom('grants')
    .selectAll()
    .orderBy('granted_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit);
  if (state !== undefined) query = query.where('state', '=', state);
  if (isDue)
    query = query
      .where('state', 'in', ['committed', 'ended'])
      .where((where) => where.or([where('deposit', 'is', null), where('deposit', '<>', 'accepted')]));
  const grants = await query.execute();
  const listed: ListedGrant[] = [];
  for (const grant of grants) {
    const { rows } = await sql<{ pep_id: string }>`
      select distinct pep_id from holders where grant_id = ${grant.id}
      order by pep_id`.execute(db);
    listed.push({ grant, pepIds: rows.map(({ pep_id }) => pep_id) });
  }
  return listed;
}
