import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const FLUSHES = 300;
const OCTETS = Buffer.alloc(16_384, 1);

/**
 * What the disk alone takes to make an append durable, milliseconds: nothing durable is faster. A decision that comes while a
 * flush is under way waits for that one and its own.
 */
export function flushTimes(folder: string): { readonly p50: number; readonly p99: number } {
  const file = join(folder, 'flush');
  const descriptor = openSync(file, 'w');
  const times: number[] = [];
  for (let i = 0; i < FLUSHES; i++) {
    const start = performance.now();
    writeSync(descriptor, OCTETS);
    fdatasyncSync(descriptor);
    times.push(performance.now() - start);
  }
  closeSync(descriptor);
  rmSync(file);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
