import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Namespace } from './namespace.js';

const PATIENCE = 10_000;

export type Told = Readonly<Record<string, unknown>> & { readonly is: string };

/** A script in a process of its own, in a namespace, that is told lines and tells lines of JSON. */
export class Talker {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #told: Told[] = [];
  readonly #ended: Promise<number | null>;
  #wake: () => void = () => undefined;
  #errors = '';

  constructor(namespace: Namespace, script: string, under: readonly string[] = []) {
    this.#process = namespace.node(script, under);
    this.#process.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.#told.push(JSON.parse(line) as Told);
      this.#wake();
    });
    this.#ended = new Promise((resolve) => this.#process.once('exit', (code) => resolve(code)));
  }

  write(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /** The next thing told that `is` this; what is told before it and is something else must not be an error. */
  async next(is: string): Promise<Told> {
    const end = Date.now() + PATIENCE;
    while (true) {
      const at = this.#told.findIndex((told) => told.is === is);
      const [told] = at < 0 ? [] : this.#told.splice(at, 1);
      if (told !== undefined) return told;
      const failed = this.#told.find((one) => one.is === 'error');
      assert.equal(failed, undefined, `${JSON.stringify(failed)} ${this.#errors}`);
      const others = JSON.stringify(this.#told).slice(0, 2_000);
      assert.ok(Date.now() < end, `no \`${is}\` came, but ${others} ${this.#errors}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** What was told and not asked for yet. */
  rest(is: string): readonly Told[] {
    return this.#told.filter((told) => told.is === is);
  }

  /** The process was told to end and does so by itself: its exit code; null where it had to be killed. */
  async end(): Promise<number | null> {
    const late = setTimeout(() => this.kill(), PATIENCE);
    const code = await this.#ended;
    clearTimeout(late);
    return code;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
