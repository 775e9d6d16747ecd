import { MultiBar } from 'cli-progress';
import type { SingleBar } from 'cli-progress';
import { timestampOfMillis, timestampText } from '../../rsvp/capture/index.js';
import { oneLine } from './decision.js';
import { painter, print } from '../terminal.js';
import type { Style } from '../terminal.js';
import type { Played } from './player.js';

/** Lines on stdout, with a progress bar below them where a person looks. */
export class Output {
  readonly #bars: MultiBar | undefined;
  readonly #bar: SingleBar | undefined;
  readonly #paint = painter(process.stdout);

  constructor(
    readonly isJson: boolean,
    total: number | undefined,
  ) {
    if (total === undefined || total === 0 || !process.stderr.isTTY) return;
    this.#bars = new MultiBar({
      stream: process.stderr,
      format: ' {bar} {percentage}% | {decisions} decisions | ETA {eta_formatted}',
      clearOnComplete: true,
      hideCursor: true,
    });
    this.#bar = this.#bars.create(total, 0, { decisions: 0 });
  }

  progress(done: number, decisions: number): void {
    this.#bar?.update(done, { decisions });
  }

  line(text: string): void {
    // Where lines and bar share a terminal, the bar must make room for them.
    if (this.#bars !== undefined && process.stdout.isTTY) this.#bars.log(`${text}\n`);
    else print(text);
  }

  decided(played: Played, start: number, problem?: string): void {
    this.line(this.isJson ? jsonLine(played, problem) : this.#textLine(played, start, problem));
  }

  stop(): void {
    this.#bars?.stop();
  }

  #textLine(played: Played, start: number, problem: string | undefined): string {
    const { frame, time, message, session, flow, context, decision, reason, milliseconds } = played;
    const line = [
      String(frame).padStart(5),
      ((time - start) / 1000).toFixed(6).padStart(11),
      message.padEnd(8),
      `${session} ${flow}`.padEnd(40),
      context.padEnd(17),
      this.#paint(COLOURS[decision], decision.padEnd(7)),
      oneLine(reason),
      this.#paint('dim', `${milliseconds.toFixed(2)} ms`),
    ].join('  ');
    return problem === undefined
      ? line
      : `${line}\n${' '.repeat(7)}${this.#paint('red', `mismatch: ${problem}`)}`;
  }
}

const COLOURS: Readonly<Record<Played['decision'], Style>> = {
  install: 'green',
  remove: 'yellow',
  null: 'dim',
  error: 'red',
};

function jsonLine(played: Played, problem: string | undefined): string {
  const { milliseconds, time, ...rest } = played;
  return JSON.stringify({
    ...rest,
    time: timestampText(timestampOfMillis(time)),
    milliseconds: Number(milliseconds.toFixed(3)),
    ...(problem === undefined ? {} : { mismatch: problem }),
  });
}

/** `p50 0.21 ms, p90 ...` of latencies in milliseconds. */
export function latencyText(latencies: readonly number[]): string {
  const { p50, p90, p99, max } = percentiles(latencies);
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  return `latency p50 ${ms(p50)}, p90 ${ms(p90)}, p99 ${ms(p99)}, max ${ms(max)}`;
}

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest rank. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
