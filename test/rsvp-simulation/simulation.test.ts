import assert from 'node:assert/strict';
import { runBeside } from '../beside.js';
import { THOROUGH } from '../thorough.js';
import { seedsFrom } from '../simulation/seeds.js';
import { MUTATIONS } from './mutations.js';
import { firstProblem } from './seeds.js';
import type { Found } from './worker.js';

const HISTORIES = Number(process.env['BANDEX_SCHEDULES'] ?? (THOROUGH ? 10_000 : 2000));
/** `BANDEX_SEED=17 npx mocha dist/test/rsvp-simulation` runs one alone. */
const ONE = process.env['BANDEX_SEED'];
/** Histories within which a mistake made on purpose must be found. */
const ENOUGH = 300;

const running = ONE === undefined ? runBeside<Found>(import.meta.url, HISTORIES) : undefined;
running?.catch(() => undefined);

describe('networks of RSVP engines in trouble', () => {
  it('come to the state that RFC 2205 says, and end with none', async function () {
    this.timeout(1_800_000);
    if (ONE !== undefined) {
      assert.equal(firstProblem([Number(ONE)], undefined, true), undefined);
      return;
    }
    const { histories, problem, seconds } = (await running) as Found;
    assert.equal(problem, undefined);
    process.stdout.write(`    ${histories} networks, ${seconds.toFixed(0)} s of processor\n`);
  });

  for (const mutation of MUTATIONS) {
    it(`would be noticed: ${mutation.name}`, function () {
      this.timeout(60_000);
      assert.notEqual(firstProblem(seedsFrom(1_000_000, ENOUGH), mutation), undefined);
    });
  }
});
