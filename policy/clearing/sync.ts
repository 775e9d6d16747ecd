import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { EngineName } from '../stores/store.js';
import type { Directory, KnownAccount } from './accounts.js';
import { Journal } from './journal.js';
import { insert } from './rows.js';
import type { AccountRow, ClearingSchema } from './schema.js';

/** The configuration does not fit what is booked already. */
export class ClearingConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ClearingConfigError';
  }
}

/**
 * Brings accounts and currencies of the configuration into the database, inside one transaction. An account that the
 * configuration does not name any more keeps what is booked on it, and is frozen. Processes on one database share one configuration.
 */
export async function syncAccounts(
  engine: EngineName,
  db: Kysely<ClearingSchema>,
  directory: Directory,
  currencies: ReadonlyMap<string, number>,
  now: number,
): Promise<void> {
  // For its lock: nobody books meanwhile.
  await Journal.open(engine, db, now);
  await syncCurrencies(db, currencies);
  await sql`update csc_accounts set configured = 0, frozen = 1 where configured = 1`.execute(db);
  for (const account of directory.accounts) {
    await sql`delete from csc_accounts where id = ${account.id}`.execute(db);
    await insert(engine, db, 'csc_accounts', [rowOf(account)]);
  }
}

function rowOf({ id, kind, keys, limit, frozen }: KnownAccount): AccountRow {
  return {
    ...{ id, name: id, kind, configured: 1n, frozen: frozen ? 1n : 0n },
    keys: JSON.stringify(keys.map((key) => key.toText('base64'))),
    limits: JSON.stringify(
      Object.fromEntries([...limit].map(([currency, amount]) => [currency, String(amount)])),
    ),
  };
}

/** What a minor unit is must not change under what is booked. */
async function syncCurrencies(
  db: Kysely<ClearingSchema>,
  currencies: ReadonlyMap<string, number>,
): Promise<void> {
  for (const [code, scale] of currencies) {
    await sql`insert into csc_currencies values (${code}, ${scale}) on conflict (code) do nothing`.execute(
      db,
    );
    const { rows } = await sql<{
      scale: bigint;
    }>`select scale from csc_currencies where code = ${code}`.execute(db);
    if (Number(rows[0]?.scale) !== scale)
      throw new ClearingConfigError(
        `${code} has ${String(rows[0]?.scale)} decimals in this database, the configuration says ${scale}`,
      );
  }
}
