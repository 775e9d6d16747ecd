import assert from 'node:assert/strict';
import { hasPostgres } from '../../policy/stores/test/postgres.js';
import { THOROUGH } from '../thorough.js';
import { killRun } from './run.js';

/** Of each role; `npm run kill -- --kills 500` does more. */
const KILLS = THOROUGH ? 20 : 4;

describe('whatever is killed, at any instant', function () {
  this.timeout(300_000);
  const isPostgresWanted = hasPostgres() || process.env['CI'] !== undefined;
  for (const engine of ['sqlite', 'postgresql'] as const) {
    const when = engine === 'sqlite' || isPostgresWanted ? it : it.skip;
    when(`loses no check that a router committed, and pays none twice, on ${engine}`, async () => {
      const { problems, charged, kills } = await killRun({
        engine,
        kills: KILLS,
        seed: 1,
        databaseCrashes: 1,
      });
      assert.deepEqual(problems, []);
      assert.ok(charged > 0, 'nothing was paid at all');
      assert.ok(Object.values(kills).every((count) => count >= KILLS));
    });
  }
});
