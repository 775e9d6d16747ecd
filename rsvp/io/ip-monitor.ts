import { execFile, spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
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
 * `ip monitor` notices the end of whoever reads it at the next change only, and would hold on to a network namespace until then.
 * So a shell waits for the end of its input, which comes however we end, and ends it. The third pipe is for its process number.
 */
const SCRIPT = `
  trap : INT TERM HUP
  ip monitor link address route mroute 3>&- &
  echo $! >&3
  exec 3>&- >&- 2>&-
  read _
  kill $!`;

/**
 * `ip monitor`, kept running: it tells that something has changed, not what. That is read anew, so nothing depends on the
 * form of its lines, and lines that were lost because the kernel's queue ran over do no harm.
 */
export class IpMonitor {
  #process: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
  #isClosed = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(
    readonly changed: () => void,
    readonly trouble: (text: string) => void,
  ) {}

  /** When it listens: what changes from now on is told. */
  async start(): Promise<void> {
    const child = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
    this.#process = child;
    child.stdout.on('data', this.changed);
    // The monitor alone holds the other end.
    child.stdout.once('end', () => child.stdin.end());
    child.stdin.on('error', () => undefined);
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
    child.stdin.end();
    await gone;
  }
}

/** The kernel lists a netlink socket by the process that made it, with the groups that it listens to. */
async function listening({ stdio, exitCode }: ChildProcess): Promise<void> {
  const [pid] = (await once(stdio[3] as Readable, 'data')) as [Buffer];
  const listed = new RegExp(`^\\S+ +0 +${Number(pid.toString())} +(?!00000000)[0-9a-f]{8} `, 'm');
  for (const end = performance.now() + PATIENCE; performance.now() < end && exitCode === null;) {
    if (listed.test(await readFile('/proc/self/net/netlink', 'utf8'))) return;
    await sleep(5);
  }
}
