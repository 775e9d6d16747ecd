import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { TrafficError } from '../control.js';

/** What became of lines given to tc together. */
export interface TcAnswer {
  /** By index of the line; empty where all worked. */
  readonly failures: ReadonlyMap<number, string>;
  /** What they printed. */
  readonly output: string;
}

interface Batch {
  readonly first: number;
  /** Line number of the acknowledgement. */
  readonly last: number;
  readonly failures: Map<number, string>;
  readonly resolve: (answer: TcAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Not a command of tc: it says so on its error stream, which it does not buffer, with the number of the line. */
const ACKNOWLEDGE = 'acknowledge';
const ACKNOWLEDGED = /^Object "acknowledge" is unknown.*\n/m;
const FAILED = /^Command failed -:(\d+)\n/m;
/** The kernel answers in microseconds; a tc that says nothing for this long is stuck. */
const PATIENCE_MS = 30_000;
/** A listing of all there may be is shorter. */
const MOST_OUTPUT = 1 << 28;
/** Bytes of lines in one write. */
const MOST_LINE = 4096;

/**
 * One `tc -force -batch -` for as long as it lives: lines go in as they come, in order. tc waits for the kernel's
 * acknowledgement of each, and prints a line's failure with its number. To know when it is through, each batch ends with a
 * line that must fail. Both streams are one, so that order is kept.
 */
export class TcProcess {
  #child: ChildProcess | undefined;
  #line = 0;
  #text = '';
  #batches: Batch[] = [];
  #patience: NodeJS.Timeout | undefined;

  /** `command` is how tc is called: `['tc']`, or `['ip', 'netns', 'exec', 'r1', 'tc']`. */
  constructor(private readonly command: readonly string[] = ['tc']) {}

  /** Fulfilled when tc is through with these lines; rejected only where tc itself is lost. */
  run(lines: readonly string[]): Promise<TcAnswer> {
    for (const line of lines) {
      if (/[\n\\#]/.test(line) || line.length > MOST_LINE)
        throw new TypeError(`lines: expected one line for tc, got \`${line.slice(0, 80)}\``);
    }
    const child = (this.#child ??= this.#start());
    const first = this.#line + 1;
    this.#line += lines.length + 1;
    return new Promise((resolve, reject) => {
      this.#batches.push({ first, last: this.#line, failures: new Map(), resolve, reject });
      child.stdin?.write(`${[...lines, ACKNOWLEDGE].join('\n')}\n`);
      this.#bePatient();
    });
  }

  /**
   * Lets what is under way finish and the process end; the next `run` starts another. tc remembers interfaces by name: after
   * one has gone and come back, an old process would mean the old one.
   */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.stdin?.end();
    await ended;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  #start(): ChildProcess {
    this.#line = 0;
    this.#text = '';
    // `exec`: the shell joins the streams and is gone.
    const child = spawn(
      '/bin/sh',
      ['-c', 'exec "$@" 2>&1', 'sh', ...this.command, '-s', '-force', '-batch', '-'],
      {
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => this.#read(child, text));
    // A write to a tc that is gone: `close` tells.
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => this.#lost(child, error.message));
    child.once('close', (code, signal) => this.#lost(child, signal ?? `exit code ${code ?? 0}`));
    return child;
  }

  #read(child: ChildProcess, text: string): void {
    if (child !== this.#child) return;
    this.#text += text;
    if (this.#text.length > MOST_OUTPUT) child.kill('SIGKILL');
    for (;;) {
      const batch = this.#batches[0];
      const match = batch === undefined ? null : FAILED.exec(this.#text);
      if (batch === undefined || match === null) return;
      const said = this.#text.slice(0, match.index);
      this.#text = this.#text.slice(match.index + match[0].length);
      const line = Number(match[1]);
      if (line < batch.last) {
        batch.failures.set(line - batch.first, said.trim());
        continue;
      }
      this.#batches.shift();
      this.#bePatient();
      batch.resolve({ failures: batch.failures, output: said.replace(ACKNOWLEDGED, '') });
    }
  }

  #lost(child: ChildProcess, how: string): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    clearTimeout(this.#patience);
    const said = this.#text.trim();
    const error = new TrafficError(`tc ended: ${said === '' ? how : `${said} (${how})`}`);
    for (const { reject } of this.#batches.splice(0)) reject(error);
  }

  #bePatient(): void {
    clearTimeout(this.#patience);
    if (this.#batches.length === 0) return;
    this.#patience = setTimeout(() => this.#child?.kill('SIGKILL'), PATIENCE_MS);
  }
}
