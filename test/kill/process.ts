import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

const MOST_TOLD = 2000;

/** A program of ours that is killed and started again: it says on stdout when it is ready, as a line of JSON. */
export class Restarted {
  kills = 0;
  starts = 0;
  /** What it last said on its port, or 0 while it does not listen. */
  port = 0;
  /** Ends that nobody asked for, with what was said last. */
  readonly failures: string[] = [];
  /** Those before it was ready: with its database away for longer than its patience it gives up, and is started again. */
  readonly failedStarts: string[] = [];
  #child: ChildProcess | undefined;
  #isWanted = true;
  #told = '';
  #ready: (() => void)[] = [];
  /** When the process that runs now was started, by `performance.now()`; and how long the starts took in all. */
  startedAt = 0;
  startMillis = 0;
  readies = 0;

  constructor(
    readonly name: string,
    private readonly args: () => readonly string[],
  ) {
    this.#start();
  }

  get isUp(): boolean {
    return this.port !== 0;
  }

  /** Resolves when it is ready; at once if it is. One that does not come up within so many milliseconds has failed. */
  async ready(patience = 60_000): Promise<void> {
    if (this.isUp) return;
    const timer = setTimeout(() => {
      this.failures.push(`${this.name} did not come up: ${this.#told}`);
      this.#child?.kill('SIGKILL');
    }, patience);
    await new Promise<void>((resolve) => this.#ready.push(resolve));
    clearTimeout(timer);
  }

  /** Power fails, and comes back. */
  kill(): void {
    if (this.#child === undefined) return;
    this.kills++;
    this.#child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  #start(): void {
    this.starts++;
    this.startedAt = performance.now();
    const child = spawn(process.execPath, this.args(), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (this.port !== 0) return;
      out += text;
      const port = /"port":(\d+)/.exec(out)?.[1];
      if (port === undefined) return;
      this.port = Number(port);
      this.readies++;
      this.startMillis += performance.now() - this.startedAt;
      for (const resolve of this.#ready.splice(0)) resolve();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#told = (this.#told + text).slice(-MOST_TOLD);
    });
    child.once('close', (code, signal) => {
      const ends = this.port === 0 ? this.failedStarts : this.failures;
      this.port = 0;
      this.#child = undefined;
      if (signal !== 'SIGKILL' && this.#isWanted)
        ends.push(`${this.name} ended with ${code ?? signal}: ${this.#told}`);
      if (this.#isWanted) this.#start();
    });
  }
}
