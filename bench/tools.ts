import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { readFixture } from '../fixtures/index.js';

const CLI = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** The tools that print a capture, with the same detail on both sides. */
const TOOLS: readonly (readonly [name: string, program: string, args: (file: string) => string[]])[] = [
  ['bandex decode', process.execPath, (file) => [CLI, 'decode', file]],
  ['bandex decode -v', process.execPath, (file) => [CLI, 'decode', '-v', file]],
  ['tcpdump -vv', 'tcpdump', (file) => ['-nn', '-vv', '-r', file]],
  ['bandex decode --json', process.execPath, (file) => [CLI, 'decode', '--json', file]],
  ['tshark -T json', 'tshark', (file) => ['-n', '-T', 'json', '-r', file]],
];

const ROUNDS = 5;

/**
 * Whole commands over one capture, the recorded messages of another implementation over and over. A command's start-up is
 * taken off by running it over two sizes; medians of rounds in turn.
 */
export function main(messages = 40_000): void {
  const folder = mkdtempSync(join(tmpdir(), 'bandex-bench-'));
  try {
    const [small, large] = [repeated(folder, messages / 10), repeated(folder, messages)];
    const table = new Table({
      head: ['command', 'µs a message', 'messages/s', 'start-up ms'],
      colAligns: ['left', 'right', 'right', 'right'],
      style: { head: [], border: [], compact: true },
    });
    for (const [name, program, args] of TOOLS) {
      if (spawnSync(program, ['--version']).error !== undefined) {
        table.push([name, 'not installed', '', '']);
        continue;
      }
      const time = ({ path }: Capture): number => {
        const start = performance.now();
        execFileSync(program, args(path), { stdio: ['ignore', 'ignore', 'ignore'] });
        return performance.now() - start;
      };
      time(small);
      const rounds = Array.from({ length: ROUNDS }, () => [time(small), time(large)] as const);
      const median = (values: number[]): number => values.sort((a, b) => a - b)[ROUNDS >> 1] ?? NaN;
      const first = median(rounds.map(([t]) => t));
      const second = median(rounds.map(([, t]) => t));
      const micros = ((second - first) * 1000) / (large.messages - small.messages);
      const startUp = first - (micros * small.messages) / 1000;
      table.push([
        name,
        micros.toFixed(2),
        Math.round(1e6 / micros).toLocaleString('en'),
        startUp.toFixed(0),
      ]);
    }
    console.log(
      `Whole commands over a capture of ${large.messages.toLocaleString('en')} RSVP messages (output thrown away)`,
    );
    console.log(table.toString());
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Capture {
  readonly path: string;
  readonly messages: number;
}

/** The records of recorded captures, repeated to at least `messages`. */
function repeated(folder: string, messages: number): Capture {
  const files = ['kom-ff-2node', 'kom-se-chain-r1', 'kom-wf-chain-r1'].map((name) =>
    readFixture(`captures/${name}.pcap`),
  );
  const [first] = files;
  if (first === undefined) throw new Error('no captures');
  const records = Buffer.concat(files.map((file) => file.subarray(24)));
  let count = 0;
  for (let at = 0; at < records.length; at += 16 + records.readUInt32LE(at + 8)) count++;
  const times = Math.ceil(messages / count);
  const path = join(folder, `${messages}.pcap`);
  writeFileSync(path, Buffer.concat([first.subarray(0, 24), ...Array<Buffer>(times).fill(records)]));
  return { path, messages: times * count };
}
