import assert from 'node:assert/strict';
import { CLEARING_MIGRATIONS } from '../../policy/clearing/index.js';
import type { ClearingSchema } from '../../policy/clearing/index.js';
import { BOOKS_MIGRATIONS } from '../../policy/stores/books/schema.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import { openStore } from '../../policy/stores/io/open.js';
import { prepareClearing } from './clearing.js';
import { MUTATIONS } from './mutations.js';
import type { Mutation } from './mutations.js';
import { Schedule } from './schedule.js';
import type { Databases } from './schedule.js';

const SCHEDULES = Number(process.env['BANDEX_SCHEDULES'] ?? 10_000);
/** `BANDEX_SEED=17 npx mocha dist/test/simulation` runs one alone. */
const ONE = process.env['BANDEX_SEED'];
/** Schedules within which a mistake made on purpose must be found. */
const ENOUGH = 300;

describe('policy servers, routers and the clearing centre in trouble', () => {
  let databases: Databases;
  before(async () => {
    databases = {
      books: await openStore<BooksSchema>(':memory:', BOOKS_MIGRATIONS),
      clearing: await openStore<ClearingSchema>(':memory:', CLEARING_MIGRATIONS),
    };
    await prepareClearing(databases.clearing);
  });
  after(() => Promise.all([databases.books.close(), databases.clearing.close()]));

  /** The first seed that goes wrong, with what did. */
  async function firstProblem(seeds: readonly number[], mutation?: Mutation): Promise<string | undefined> {
    for (const seed of seeds) {
      try {
        await Schedule.run(databases, seed, mutation);
      } catch (error) {
        return `BANDEX_SEED=${seed}: ${(error as Error).message}`;
      }
    }
    return undefined;
  }

  it('lose no check, grant none twice, and pay each once', async function () {
    this.timeout(600_000);
    const seeds = ONE === undefined ? Array.from({ length: SCHEDULES }, (_, n) => n + 1) : [Number(ONE)];
    const started = process.cpuUsage();
    const problem = await firstProblem(seeds);
    const { user } = process.cpuUsage(started);
    if (problem !== undefined) assert.fail(problem);
    console.log(`    ${seeds.length} schedules, ${(user / 1e6).toFixed(1)} s of processor`);
  });

  for (const mutation of MUTATIONS) {
    it(`would be noticed: ${mutation.name}`, async function () {
      this.timeout(60_000);
      const seeds = Array.from({ length: ENOUGH }, (_, n) => 1_000_000 + n);
      assert.notEqual(await firstProblem(seeds, mutation), undefined);
    });
  }
});
