import { existsSync } from 'node:fs';
import { PARTY_KINDS } from '../../policy/payment/index.js';
import type { Quarantined } from '../../policy/payment/index.js';
import { QuarantineTable } from '../../policy/stores/books/quarantine.js';
import { BOOKS_MIGRATIONS } from '../../policy/stores/books/schema.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import { isPostgres, openStore } from '../../policy/stores/io/open.js';
import { CliError, EXIT } from '../exit.js';
import { loadConfig } from '../pdp/load.js';
import { shownParty } from '../pdp/party.js';
import { readNames } from '../pdp/policy.js';
import { databaseOf } from '../pdp/till.js';

/** The quarantine of a configuration's database, and how its parties are called. */
export interface Opened {
  readonly table: QuarantineTable;
  /** Those that are in it now, the last to come out first. */
  readonly list: () => Promise<readonly Shown[]>;
}

export interface Shown extends Quarantined {
  readonly who: string;
}

export async function withQuarantine<Result>(
  file: string | undefined,
  work: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  if (file === undefined) throw new CliError('quarantine: --config is missing', EXIT.usage);
  const config = loadConfig(file);
  const database = databaseOf(config);
  if (database === ':memory:')
    throw new CliError(`${file}: \`store.database\` is :memory:, which only the PDP itself sees`);
  // To look must not make one.
  if (!isPostgres(database) && !existsSync(database))
    throw new CliError(`there is no database \`${database}\``);
  const names = readNames(config);
  const store = await openStore<BooksSchema>(database, BOOKS_MIGRATIONS);
  try {
    const table = new QuarantineTable(store);
    const list = async (): Promise<Shown[]> => {
      const now = Date.now();
      const rows = (await table.list()).filter(({ until }) => until > now);
      return rows.map((row) => ({ ...row, who: shownParty(row, names) }));
    };
    return await work({ table, list });
  } finally {
    await store.close();
  }
}

export const KINDS = PARTY_KINDS.join(', ');
