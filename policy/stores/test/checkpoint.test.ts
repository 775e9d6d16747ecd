import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../io/open.js';

interface Schema {
  page: { id: number; text: string };
}

const MIGRATIONS = {
  name: 'pages',
  steps: [() => ['create table page (id bigint primary key, text text not null)']],
};
const MIB = 2 ** 20;
/** A row takes a page of 4,096 octets. */
const TEXT = 'n'.repeat(3000);
const ROWS = 100;

describe('the log of SQLite', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-checkpoint-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is begun anew while one transaction follows the other, and loses nothing', async function () {
    this.timeout(60_000);
    const file = join(folder, 'busy.db');
    const store = await openStore<Schema>(file, MIGRATIONS);
    let next = 0;
    // 160 MiB of pages: SQLite's own checkpoint comes at 64 MiB, and where none comes the log has them all.
    while (next < (160 * MIB) / 4096) {
      const rows = Array.from({ length: ROWS }, () => ({ id: next++, text: TEXT }));
      await store.transaction((db) => db.insertInto('page').values(rows).execute());
      // As a server does between two batches.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const octets = statSync(`${file}-wal`).size;
    await store.close();
    assert.ok(octets < 60 * MIB, `the log has ${Math.round(octets / MIB)} MiB`);
    const database = new Database(file, { readonly: true });
    assert.deepEqual(database.prepare('select count(*), min(id), max(id) from page').raw().get(), [
      next,
      0,
      next - 1,
    ]);
    assert.deepEqual(database.pragma('integrity_check'), [{ integrity_check: 'ok' }]);
    database.close();
  });
});
