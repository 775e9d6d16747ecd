import { existsSync } from 'node:fs';
import type { ClearingCentre } from '../../policy/clearing/index.js';
import { CliError } from '../exit.js';

/** Works on the database of a configuration, beside the servers that may run on it. */
export async function onDatabase<Result>(
  file: string,
  work: (centre: ClearingCentre) => Promise<Result>,
  now = Date.now(),
): Promise<Result> {
  // Loaded when they are needed: what a command is called, and its help, need no database.
  const { loadClearConfig } = await import('./load.js');
  const { openCentre } = await import('./settings.js');
  const { isPostgres } = await import('../../policy/stores/io/open.js');
  const config = loadClearConfig(file);
  if (!isPostgres(config.store) && !existsSync(config.path(config.store)))
    throw new CliError(`${config.path(config.store)}: there is no such database yet: start the server first`);
  const centre = await openCentre(config, now, true);
  try {
    return await work(centre);
  } finally {
    await centre.close();
  }
}
