import { setPriority } from 'node:os';
import { seedsFrom } from '../simulation/seeds.js';
import { firstProblem } from './seeds.js';

/** Runs as many histories as it is told, in a process of its own, and says what it found. */
export interface Found {
  readonly histories: number;
  readonly problem?: string | undefined;
  /** Of processor. */
  readonly seconds: number;
}

// The tests that are run meanwhile have times of their own to keep.
setPriority(10);

const count = Number(process.argv[2]);
const problem = firstProblem(seedsFrom(1, count));
const found: Found = { histories: count, problem, seconds: process.cpuUsage().user / 1e6 };
process.send?.(found);
process.disconnect();
