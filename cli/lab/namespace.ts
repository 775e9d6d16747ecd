import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { CliError } from '../exit.js';

/** How namespaces are made here: as root, or in a user namespace where the kernel allows that. */
export type LabMode = 'root' | 'rootless';

let found: LabMode | 'none' | undefined;

/** Undefined: this machine lets us make none. `BANDEX_LAB_ROOTLESS=1` has root do without being it. */
export function labMode(): LabMode | undefined {
  const works = (words: readonly string[]): boolean =>
    spawnSync('unshare', [...words, 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' }).status === 0;
  found ??=
    process.env['BANDEX_LAB_ROOTLESS'] !== '1' && works(['-nm'])
      ? 'root'
      : works(['-Urnm'])
        ? 'rootless'
        : 'none';
  return found === 'none' ? undefined : found;
}

export function requireLabMode(): LabMode {
  const mode = labMode();
  if (mode !== undefined) return mode;
  throw new CliError(
    'no network namespaces can be made here: `unshare -Urnm ip link set lo up` fails; be root, or see user.max_user_namespaces',
  );
}

/** Set in everything that runs in a lab: what is left of a lab whose process was killed is found by it. */
export const LAB_ID = 'BANDEX_LAB_ID';

/**
 * A network namespace (with a mount namespace of its own), held by a process that waits on a pipe from us: when we end,
 * however that is, so does it, and the kernel takes the namespace, its interfaces and routes away.
 */
export class Namespace {
  private constructor(
    readonly pid: number,
    private readonly holder: ChildProcess,
    private readonly env: NodeJS.ProcessEnv,
    readonly mode: LabMode,
  ) {}

  /** `owner` is the first of a lab: rootless, all others belong to its user namespace. */
  static async make(env: NodeJS.ProcessEnv, mode: LabMode, owner?: Namespace): Promise<Namespace> {
    const words =
      mode === 'root'
        ? ['unshare', '-nm']
        : owner === undefined
          ? ['unshare', '-Urnm']
          : [...enterWords(owner.pid, mode, false), 'unshare', '-nm'];
    const script = 'mount -t sysfs none /sys 2>/dev/null; ip link set lo up && echo ready && exec cat';
    const holder = spawn('env', [...words, 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'pipe'], env });
    const said = await new Promise<string>((resolve) => {
      let errors = '';
      holder.stderr.on('data', (text: Buffer) => (errors += text.toString()));
      holder.stdout.once('data', () => resolve(''));
      holder.once('close', () => resolve(errors.trim() || 'it ended at once'));
    });
    if (said !== '') throw new CliError(`a namespace could not be made: ${said}`);
    return new Namespace(holder.pid as number, holder, env, mode);
  }

  spawn(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const words = [...enterWords(this.pid, this.mode), ...argv];
    return spawn(words[0] as string, words.slice(1), { ...options, env: { ...this.env, ...options.env } });
  }

  /** Gives lines to `ip` or `tc`; throws with what it says. */
  async batch(program: 'ip' | 'tc', lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const words = [...enterWords(this.pid, this.mode), program, '-batch', '-'];
    await new Promise<void>((resolve, reject) => {
      const child = execFile('env', words, { env: this.env }, (error, _out, stderr) => {
        if (error === null) {
          resolve();
          return;
        }
        const line = lines[Number(/-:(\d+)/.exec(stderr)?.[1] ?? 0) - 1] ?? '';
        reject(new CliError(`${program} ${line}: ${stderr.trim().split('\n')[0] ?? error.message}`));
      });
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(`${lines.join('\n')}\n`);
    });
  }

  async shell(script: string): Promise<void> {
    const words = [...enterWords(this.pid, this.mode), 'sh', '-ec', script];
    await new Promise<void>((resolve, reject) => {
      execFile('env', words, { env: this.env }, (error, _out, stderr) => {
        if (error === null) resolve();
        else reject(new CliError(stderr.trim() || error.message));
      });
    });
  }

  async end(): Promise<void> {
    if (this.holder.exitCode !== null || this.holder.signalCode !== null) return;
    const ended = new Promise((resolve) => this.holder.once('close', resolve));
    this.holder.stdin?.end();
    await ended;
  }
}

/** The words that run a command in the namespaces of a process. */
export function enterWords(pid: number, mode: LabMode, isWhole = true): string[] {
  const where = isWhole ? ['-n', '-m'] : [];
  const user = mode === 'root' ? [] : ['-U', '--preserve-credentials'];
  // `-w`: the working directory stays ours. Ended with us, should we be killed: the signal survives the exec only inside.
  const leash = isWhole ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
  return ['nsenter', '-t', String(pid), ...user, ...where, `--wd=${process.cwd()}`, ...leash];
}
