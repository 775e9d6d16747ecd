import { setImmediate } from 'node:timers/promises';
import { openStore } from '../../stores/io/open.js';
import type { OpenOptions } from '../../stores/io/open.js';
import { ClearingCentre } from '../clearing.js';
import { DepositJudge } from '../judge.js';
import type { DepositJudgeOptions } from '../judge.js';
import { CLEARING_MIGRATIONS } from '../schema.js';
import type { ClearingSchema } from '../schema.js';

export interface OpenClearing extends DepositJudgeOptions, OpenOptions {
  /** An SQLite file, or `postgresql://...`. */
  readonly place: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Leave the accounts in the database as they are: for a tool that looks, beside the servers. */
  readonly keepAccounts?: boolean;
}

/** Opens a clearing centre on its database, and brings the accounts of the configuration into it. Throws `ClearingConfigError`. */
export async function openClearing({
  place,
  now,
  keepAccounts = false,
  ...options
}: OpenClearing): Promise<ClearingCentre> {
  const store = await openStore<ClearingSchema>(place, CLEARING_MIGRATIONS, options);
  const breathe = (): Promise<void> => setImmediate();
  const centre = new ClearingCentre({ store, judge: new DepositJudge(options), breathe });
  try {
    if (!keepAccounts) await centre.start(now);
  } catch (error) {
    await store.close();
    throw error;
  }
  return centre;
}
