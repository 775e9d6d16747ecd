import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A full table of the Internet's routes is some 200 MB of JSON. */
const LARGEST_OUTPUT = 1 << 29;

/** What `ip -json ...` printed. Rejects with what it complained about. */
export async function ipJson(...command: readonly string[]): Promise<unknown> {
  try {
    const { stdout } = await execute('ip', ['-json', ...command], { maxBuffer: LARGEST_OUTPUT });
    return stdout.trim() === '' ? [] : JSON.parse(stdout);
  } catch (error) {
    const complaint = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error('the command `ip` is not found: install iproute2', { cause: error });
    }
    throw new Error(`ip -json ${command.join(' ')}: ${complaint || String(error)}`, { cause: error });
  }
}

/** How long to wait before a monitor that ended is started again, ms. */
const RESTART = 1_000;
/** How long the monitor may take until it listens, ms. */
const PATIENCE = 2_000;

/**
 * `ip monitor`, kept running: it tells that something has changed, not what. That is read anew, so nothing depends on the
 * form of its lines, and lines that were lost because the kernel's queue ran over do no harm.
 */
export class IpMonitor {
  #process: ChildProcess | undefined;
  #isClosed = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(
    readonly changed: () => void,
    readonly trouble: (text: string) => void,
  ) {}

  /** When it listens: what changes from now on is told. */
  async start(): Promise<void> {
    const child = spawn('ip', ['monitor', 'link', 'address', 'route', 'mroute'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    child.stdout.on('data', this.changed);
    // It complains about lost lines, and goes on.
    child.stderr.on('data', (chunk: Buffer) => {
      this.trouble(`ip monitor: ${chunk.toString().trim()}`);
      this.changed();
    });
    child.once('error', (error) => this.trouble(`ip monitor: ${error.message}`));
    child.once('close', () => {
      this.#process = undefined;
      if (this.#isClosed) return;
      this.trouble('ip monitor has ended, it is started again');
      this.#restart = setTimeout(() => {
        this.start().then(this.changed, (error: unknown) => this.trouble(String(error)));
      }, RESTART);
    });
    await listening(child);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    const child = this.#process;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill();
    await gone;
  }
}

/** The kernel lists a netlink socket by the process that made it, with the groups that it listens to. */
async function listening({ pid, exitCode }: ChildProcess): Promise<void> {
  const listed = new RegExp(`^\\S+ +0 +${pid ?? 0} +(?!00000000)[0-9a-f]{8} `, 'm');
  for (const end = performance.now() + PATIENCE; performance.now() < end && exitCode === null;) {
    if (listed.test(await readFile('/proc/self/net/netlink', 'utf8'))) return;
    await sleep(5);
  }
}
