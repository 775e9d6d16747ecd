import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/**
 * Network namespaces for tests, each held by a process that ends with ours: nothing is left, however a test ends. With root
 * they are plain ones; else they are in a user namespace, where the kernel allows that.
 */
export class Namespaces {
  readonly #holders: ChildProcess[] = [];
  readonly #pids = new Map<string, number>();

  static readonly mode: 'root' | 'rootless' | undefined = findMode();

  async make(...names: string[]): Promise<void> {
    for (const name of names) {
      const [first] = this.#pids.values();
      // All belong to the user namespace of the first.
      const unshare =
        Namespaces.mode === 'root' || first !== undefined ? ['unshare', '-n'] : ['unshare', '-Urn'];
      const enter = Namespaces.mode === 'root' || first === undefined ? [] : enterWords(first, ['-U']);
      const words = [...enter, ...unshare, 'sh', '-c', 'echo in; exec cat'];
      const holder = spawn('env', words, { stdio: ['pipe', 'pipe', 'inherit'] });
      this.#holders.push(holder);
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      this.#pids.set(name, holder.pid as number);
      this.run(name, 'ip', 'link', 'set', 'lo', 'up');
    }
  }

  /** The words that run a command there. */
  enter(name: string): string[] {
    return enterWords(this.#pid(name), Namespaces.mode === 'root' ? ['-n'] : ['-U', '-n']);
  }

  run(name: string, ...command: string[]): string {
    const [program = '', ...words] = [...this.enter(name), ...command];
    return execFileSync(program, words, { encoding: 'utf8' });
  }

  /** Fulfilled with what it printed once it has ended. */
  spawn(
    name: string,
    ...command: string[]
  ): { readonly child: ChildProcess; readonly output: Promise<string> } {
    const [program = '', ...words] = [...this.enter(name), ...command];
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return { child, output: new Promise((resolve) => child.once('close', () => resolve(text))) };
  }

  /** A link between two: `connect('a', 'eth0', 'b', 'eth1')`. */
  connect(one: string, oneDevice: string, other: string, otherDevice: string): void {
    const peer = ['peer', 'name', otherDevice, 'netns', String(this.#pid(other))];
    this.run(one, 'ip', 'link', 'add', oneDevice, 'type', 'veth', ...peer);
    for (const [name, device] of [
      [one, oneDevice],
      [other, otherDevice],
    ] as const) {
      // Without duplicate address detection: an IPv6 address is good at once.
      this.run(name, 'sh', '-c', `echo 0 > /proc/sys/net/ipv6/conf/${device}/accept_dad`);
      this.run(name, 'ip', 'link', 'set', device, 'up');
    }
  }

  address(name: string, device: string, ...prefixes: string[]): void {
    for (const prefix of prefixes) this.run(name, 'ip', 'address', 'add', prefix, 'dev', device);
  }

  index(name: string, device: string): number {
    const [link] = JSON.parse(this.run(name, 'ip', '-json', 'link', 'show', device)) as { ifindex: number }[];
    return link?.ifindex ?? 0;
  }

  async remove(): Promise<void> {
    await Promise.all(
      this.#holders.splice(0).map((holder) => {
        const ended = new Promise((resolve) => holder.once('close', resolve));
        holder.stdin?.end();
        return ended;
      }),
    );
    this.#pids.clear();
  }

  #pid(name: string): number {
    const pid = this.#pids.get(name);
    if (pid === undefined) throw new Error(`there is no namespace ${name}`);
    return pid;
  }
}

function enterWords(pid: number, what: readonly string[]): string[] {
  return ['nsenter', '-t', String(pid), ...what, ...(what.includes('-U') ? ['--preserve-credentials'] : [])];
}

function findMode(): 'root' | 'rootless' | undefined {
  const works = (words: string[]): boolean =>
    spawnSync('unshare', [...words, 'sh', '-c', 'tc qdisc add dev lo root htb'], { stdio: 'ignore' })
      .status === 0;
  if (process.env['BANDEX_ROOTLESS'] === undefined && works(['-n'])) return 'root';
  return works(['-Urn']) ? 'rootless' : undefined;
}
