import assert from 'node:assert/strict';
import { runBeside } from '../beside.js';
import { MUTATIONS } from './mutations.js';
import type { Databases } from './schedule.js';
import { firstProblem, openDatabases, seedsFrom } from './seeds.js';
import type { Found } from './worker.js';

const SCHEDULES = Number(process.env['BANDEX_SCHEDULES'] ?? 10_000);
/** `BANDEX_SEED=17 npx mocha dist/test/simulation` runs one alone. */
const ONE = process.env['BANDEX_SEED'];
/** Schedules within which a mistake made on purpose must be found. */
const ENOUGH = 300;

/** They take minutes: a process of their own begins when the tests are loaded, and is done when its turn comes. */
const running = ONE === undefined ? runBeside<Found>(import.meta.url, SCHEDULES) : undefined;
running?.catch(() => undefined);

describe('policy servers, routers and the clearing centre in trouble', () => {
  let databases: Databases;
  before(async () => {
    databases = await openDatabases();
  });
  after(() => Promise.all([databases.books.close(), databases.clearing.close()]));

  it('lose no check, grant none twice, and pay each once', async function () {
    this.timeout(1_200_000);
    if (ONE !== undefined) {
      assert.equal(await firstProblem(databases, [Number(ONE)]), undefined);
      return;
    }
    const { schedules, problem, seconds } = (await running) as Found;
    assert.equal(problem, undefined);
    process.stdout.write(`    ${schedules} schedules, ${seconds.toFixed(0)} s of processor\n`);
  });

  for (const mutation of MUTATIONS) {
    it(`would be noticed: ${mutation.name}`, async function () {
      this.timeout(60_000);
      assert.notEqual(await firstProblem(databases, seedsFrom(1_000_000, ENOUGH), mutation), undefined);
    });
  }
});
