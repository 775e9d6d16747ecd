import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasPostgres, startCluster } from '../policy/stores/test/postgres.js';
import { DEPOSITS } from './durable/deposits.js';
import { flushTimes } from './durable/flush.js';
import { GRANTS } from './durable/grants.js';
import { AT_ONCE, measure } from './durable/measure.js';

/**
 * What is durable, a second: grants of a policy server, deposits of the clearing centre, beside what the engine inserts alone in
 * the same run: the same tables, the same octets, batches of the same size, flushed to disk the same way, without a look at
 * what they say.
 */
export async function main(): Promise<void> {
  console.log(`Durable operations, ${AT_ONCE} under way at once, beside bare inserts of the same rows`);
  const folder = mkdtempSync(join(tmpdir(), 'bandex-bench-'));
  let count = 0;
  const file = (): string => join(folder, `${++count}.db`);
  const { p50, p99 } = flushTimes(folder);
  console.log(
    `  the disk alone makes an append durable in p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  );
  try {
    console.log('  SQLite (WAL, synchronous=FULL)');
    await measure(GRANTS, [file(), file()]);
    await measure(DEPOSITS, [file(), file()]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (!hasPostgres()) {
    console.log('  PostgreSQL: not installed, not measured');
    return;
  }
  console.log('  PostgreSQL (synchronous_commit=on)');
  const cluster = await startCluster();
  try {
    await measure(GRANTS, [cluster.database(), cluster.database()]);
    await measure(DEPOSITS, [cluster.database(), cluster.database()]);
  } finally {
    cluster.stop();
  }
}
