import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineName } from '../store.js';
import { hasPostgres, startCluster } from './postgres.js';
import type { Cluster } from './postgres.js';

let cluster: Promise<Cluster> | undefined;

/** The PostgreSQL server that all tests of this run share. */
export function sharedCluster(): Promise<Cluster> {
  return (cluster ??= startCluster());
}

// Loaded by several test files, run once: a hook of the root suite.
after(async function () {
  this.timeout(120_000);
  (await cluster)?.stop();
});

/** Where a test puts an empty database: a file of its own, or a database on the shared server. */
export interface Engine {
  readonly name: EngineName;
  readonly place: () => Promise<string>;
}

/**
 * Runs the same tests on both engines. Without a PostgreSQL server its half is skipped, and says so; in CI it is never
 * skipped, it fails.
 */
export function onEachEngine(define: (engine: Engine) => void): void {
  describe('on SQLite', () => {
    let folder: string;
    let count = 0;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'bandex-sqlite-'));
    });
    define({ name: 'sqlite', place: () => Promise.resolve(join(folder, `${++count}.db`)) });
    // Behind the hooks that close what is in it: they run in the order in which they are named.
    after(() => rmSync(folder, { recursive: true, force: true }));
  });
  const onPostgres = hasPostgres() || process.env['CI'] !== undefined ? describe : describe.skip;
  onPostgres('on PostgreSQL', () => {
    before(async function () {
      this.timeout(60_000);
      await sharedCluster();
    });
    define({ name: 'postgresql', place: async () => (await sharedCluster()).database() });
  });
}
