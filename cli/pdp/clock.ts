import { performance } from 'node:perf_hooks';

/** Milliseconds since 1970. */
export type Clock = () => number;

/** The time of day; or, given a time, a clock that started from it when it was made and runs on. */
export function policyClock(at?: number): Clock {
  if (at === undefined) return Date.now;
  const started = performance.now();
  // Whole milliseconds, as `Date.now` has them: databases keep them as integers.
  return () => Math.floor(at + (performance.now() - started));
}
