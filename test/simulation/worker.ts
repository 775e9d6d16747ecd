import { setPriority } from 'node:os';
import { firstProblem, openDatabases, seedsFrom } from './seeds.js';

/** Runs as many schedules as it is told, in a process of its own, and says what it found. */
export interface Found {
  readonly schedules: number;
  readonly problem?: string | undefined;
  /** Of processor. */
  readonly seconds: number;
}

// The tests that are run meanwhile have times of their own to keep.
setPriority(10);

const count = Number(process.argv[2]);
const databases = await openDatabases();
const problem = await firstProblem(databases, seedsFrom(1, count));
const found: Found = { schedules: count, problem, seconds: process.cpuUsage().user / 1e6 };
process.send?.(found);
process.disconnect();
