import { performance } from 'node:perf_hooks';
import { CliError, EXIT } from '../exit.js';

/** Milliseconds since 1970. */
export type Clock = () => number;

/** The time of day; or, given a time, a clock that started from it when it was made and runs on. */
export function policyClock(at?: number): Clock {
  if (at === undefined) return Date.now;
  const started = performance.now();
  return () => at + (performance.now() - started);
}

/** Reads `--at`: an ISO 8601 time, UTC where it does not say. */
export function instantOption(text: string): number {
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const millis = Date.parse(zoned);
  if (Number.isNaN(millis)) {
    throw new CliError(`--at: \`${text}\` is no time, expected one as \`2007-03-23T12:00:00Z\``, EXIT.usage);
  }
  return millis;
}
