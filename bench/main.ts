import { cpus } from 'node:os';
import { argv } from 'node:process';

/** The benchmarks, in the order in which `npm run bench` prints them; a name runs one alone. */
const BENCHMARKS: Readonly<Record<string, () => Promise<{ main(): unknown }>>> = {
  table1: () => import('./table1.js'),
  keynote: () => import('./keynote.js'),
  rsvp: () => import('./rsvp.js'),
  refresh: () => import('./refresh.js'),
  tools: () => import('./tools.js'),
  raw: () => import('./raw.js'),
  cops: () => import('./cops.js'),
  paid: () => import('./paid.js'),
  durable: () => import('./durable.js'),
  dos: () => import('./dos.js'),
};

const asked = argv.slice(2);
const unknown = asked.find((name) => !(name in BENCHMARKS));
if (unknown !== undefined) {
  console.error(`bench: no benchmark \`${unknown}\`; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exitCode = 64;
} else {
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`);
  for (const [name, load] of Object.entries(BENCHMARKS)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    console.log();
    await (await load()).main();
  }
}
