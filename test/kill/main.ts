import { parseArgs } from 'node:util';
import { killRun } from './run.js';

/* `node dist/test/kill/main.js --engine sqlite|postgresql --kills 500 [--seed N]`: exits with 2 where something was lost. */

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'sqlite' },
    kills: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'database-crashes': { type: 'string', default: '5' },
  },
});
const { engine } = values;
if (engine !== 'sqlite' && engine !== 'postgresql')
  throw new RangeError('--engine: expected sqlite or postgresql');
const seed = Number(values.seed);
let told = 0;
const report = await killRun({
  ...{ engine, seed, kills: Number(values.kills), databaseCrashes: Number(values['database-crashes']) },
  progress: (line) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
    else if (performance.now() - told > 5000) {
      told = performance.now();
      process.stderr.write(`${line}\n`);
    }
  },
});
if (process.stderr.isTTY) process.stderr.write('\n');
const { problems, ...figures } = report;
process.stdout.write(`${JSON.stringify({ engine, seed, ...figures }, null, 2)}\n`);
for (const problem of problems.slice(0, 50)) process.stdout.write(`${problem}\n`);
process.stdout.write(problems.length === 0 ? 'nothing was lost\n' : `${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 2;
