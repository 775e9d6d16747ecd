import type { ChildProcess } from 'node:child_process';
import { familyOf, withoutLength } from './addresses.js';
import type { Namespace } from './namespace.js';
import type { TopologyNode } from './topology.js';

export interface SpawnIn {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Of stdin; undefined: nothing. */
  readonly input?: string;
}

/** What a command did that has ended. */
export interface Ended {
  /** Undefined where a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly out: string;
  readonly err: string;
}

/** No command's output is kept beyond this. */
const MOST_OUTPUT = 1 << 24;

const STRAGGLERS_MS = 1000;

/** A command that runs on a node. */
export class LabProcess {
  out = '';
  err = '';
  readonly ended: Promise<Ended>;

  constructor(
    readonly argv: readonly string[],
    readonly child: ChildProcess,
  ) {
    child.stdout
      ?.setEncoding('utf8')
      .on('data', (text: string) => (this.out = (this.out + text).slice(-MOST_OUTPUT)));
    child.stderr
      ?.setEncoding('utf8')
      .on('data', (text: string) => (this.err = (this.err + text).slice(-MOST_OUTPUT)));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      const end = (code: number | null, signal: NodeJS.Signals | null): void =>
        resolve({ code: code ?? undefined, signal: signal ?? undefined, out: this.out, err: this.err });
      child.once('close', end);
      // What it left in the background may have its streams for ever.
      child.once('exit', (code, signal) => setTimeout(end, STRAGGLERS_MS, code, signal).unref());
    });
    this.ended.catch(() => undefined);
  }

  /** Fulfilled when what it prints on either stream has this in it; rejected when it ends before, or after `timeout` ms. */
  printed(what: RegExp, timeout = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (what.test(this.out) || what.test(this.err)) done(resolve);
      };
      const fail = (why: string): void =>
        done(() =>
          reject(
            new Error(
              `${this.argv.join(' ')} ${why} without printing ${String(what)}\n${this.out}${this.err}`,
            ),
          ),
        );
      const ended = (): void => fail('ended');
      const timer = setTimeout(() => fail(`ran for ${timeout} ms`), timeout);
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        this.child.stdout?.off('data', look);
        this.child.stderr?.off('data', look);
        this.child.off('close', ended);
        settle();
      };
      this.child.stdout?.on('data', look);
      this.child.stderr?.on('data', look);
      this.child.once('close', ended);
      look();
    });
  }

  /** It, and those of its children that are in its process group. */
  kill(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has just ended.
    }
  }

  /** Asks it to end, and makes it after `patience` ms. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patience = 5000): Promise<Ended> {
    this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), patience);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A node of a lab that is up. */
export class LabNode {
  readonly #running = new Set<LabProcess>();

  constructor(
    readonly topology: TopologyNode,
    readonly namespace: Namespace,
  ) {}

  get name(): string {
    return this.topology.name;
  }

  /** Its own address, or that of an interface; undefined: it has none of this family. */
  address(family: 4 | 6 = 4, name?: string): string | undefined {
    const { addresses, interfaces } = this.topology;
    const all = [
      ...(name === undefined ? addresses : []),
      ...interfaces
        .filter((each) => name === undefined || each.name === name)
        .flatMap((each) => each.addresses),
    ];
    const found = all.find((address) => familyOf(address) === family);
    return found === undefined ? undefined : withoutLength(found);
  }

  /** Starts a command; `bandex` is this very program. It ends with the lab at the latest. */
  spawn(argv: readonly string[], { cwd, env = {}, input }: SpawnIn = {}): LabProcess {
    const child = this.namespace.spawn(argv, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      // A process group of its own.
      detached: true,
      env,
      ...(cwd === undefined ? {} : { cwd }),
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    const running = new LabProcess(argv, child);
    this.#running.add(running);
    const done = (): void => void this.#running.delete(running);
    running.ended.then(done, done);
    return running;
  }

  /** Runs a command to its end. */
  run(argv: readonly string[], options: SpawnIn = {}): Promise<Ended> {
    return this.spawn(argv, options).ended;
  }

  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.#running].map((running) => running.stop()));
  }
}
