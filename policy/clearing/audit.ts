import { sql } from 'kysely';
import type { Store } from '../stores/store.js';
import { crossChecks } from './audit-cross.js';
import { checkAssertions, checkDeposits } from './audit-evidence.js';
import { entryHash } from './chain.js';
import type { DepositJudge } from './judge.js';
import { big } from './rows.js';
import { GENESIS } from './schema.js';
import type { ClearingSchema, EntryRow } from './schema.js';

/** Something that is not as it must be, and where. */
export interface AuditProblem {
  readonly what:
    | 'chain'
    | 'sum'
    | 'balance'
    | 'unsettled'
    | 'deposit'
    | 'charge'
    | 'batch'
    | 'account'
    | 'assertion'
    | 'evidence'
    | 'not-granted';
  /** Number of the ledger entry. */
  readonly entry?: number | undefined;
  /** Number of the deposit. */
  readonly deposit?: number | undefined;
  readonly text: string;
}

export interface AuditReport {
  readonly entries: number;
  readonly deposits: number;
  /** Of the last entry: whoever keeps it can tell later that nothing up to here was changed. */
  readonly hash: string;
  readonly problems: readonly AuditProblem[];
  /** There are more problems than are listed. */
  readonly truncated: boolean;
}

const MOST_PROBLEMS = 1000;
const PAGE = 2000;

/**
 * Works everything out again from the entries, the deposits and their evidence. It takes no lock: each comparison is one
 * statement, which sees one moment. With a `judge` it also asks whether each payment would still be granted.
 */
export async function audit(
  store: Pick<Store<ClearingSchema>, 'db'>,
  judge?: DepositJudge,
  breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<AuditReport> {
  const { db } = store;
  const problems = new Problems();
  const { seq, hash } = await checkChain(db, problems, breathe);
  await crossChecks(db, problems);
  await checkAssertions(db, problems, breathe);
  const deposits = await checkDeposits(db, problems, breathe, judge);
  return { entries: Number(seq), deposits, hash, problems: problems.found, truncated: problems.truncated };
}

export class Problems {
  readonly found: AuditProblem[] = [];
  truncated = false;

  add(problem: AuditProblem): void {
    if (this.found.length < MOST_PROBLEMS) this.found.push(problem);
    else this.truncated = true;
  }
}

/** No number is missing, and each hash covers the one before. */
async function checkChain(
  db: Store<ClearingSchema>['db'],
  problems: Problems,
  breathe: () => Promise<void>,
): Promise<{ seq: bigint; hash: string }> {
  let seq = 0n;
  let hash = GENESIS;
  for (;;) {
    const { rows } =
      await sql<EntryRow>`select * from csc_entries where seq > ${seq} order by seq limit ${PAGE}`.execute(
        db,
      );
    for (const row of rows) {
      const entry = Number(row.seq);
      if (row.seq !== seq + 1n)
        problems.add({
          what: 'chain',
          entry,
          text: `entry ${seq + 1n} is missing: entry ${row.seq} follows ${seq}`,
        });
      else if (entryHash(hash, row) !== row.hash)
        problems.add({
          what: 'chain',
          entry,
          text: `entry ${row.seq} or one before it was changed: its hash is not ${row.hash}`,
        });
      ({ seq, hash } = row);
    }
    await breathe();
    if (rows.length < PAGE) break;
  }
  // What was booked meanwhile is behind it: the head is compared in a statement of its own.
  const { rows } = await sql<{ seq: bigint; hash: string; last: bigint | null; last_hash: string | null }>`
    select h.seq, h.hash, e.seq as last, e.hash as last_hash from csc_head h
      left join csc_entries e on e.seq = (select max(seq) from csc_entries)`.execute(db);
  const [head] = rows;
  if (head === undefined) problems.add({ what: 'chain', text: 'the head of the ledger is missing' });
  else if (head.seq !== big(head.last) || head.hash !== (head.last_hash ?? GENESIS))
    problems.add({
      what: 'chain',
      entry: Number(head.seq),
      text: `the ledger ends with entry ${big(head.last)}, hash ${head.last_hash ?? GENESIS}; its head says ${head.seq}, ${head.hash}`,
    });
  return { seq, hash };
}
