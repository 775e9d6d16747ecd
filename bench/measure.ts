import { performance } from 'node:perf_hooks';

/** Median over the calls, in microseconds; each call is timed by itself, so that a pause of the machine spoils only one. */
export function medianMicros(calls: number, run: (i: number) => void): number {
  const times = new Float64Array(calls);
  for (let i = 0; i < calls; i++) {
    const start = performance.now();
    run(i);
    times[i] = performance.now() - start;
  }
  times.sort();
  return (times[calls >> 1] ?? NaN) * 1000;
}
