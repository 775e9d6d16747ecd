import { execFile, spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A network namespace of a test's own, in a user namespace where we are root: no privilege is needed. It has no name
 * and lives as long as a process that waits for the end of our pipe: when the test ends, however it ends, it is gone.
 */
export class Namespace {
  private constructor(
    readonly holder: ChildProcess,
    readonly pid: number,
    readonly hasUser: boolean,
  ) {}

  /** One in the user namespace of `beside`, so that interfaces can be moved between them. */
  static async make(beside?: Namespace): Promise<Namespace> {
    if (beside !== undefined) return Namespace.#hold(beside.command('unshare', ['-n']), beside.hasUser);
    const made = await Namespace.#hold(['unshare', '-Urn'], true).catch(() => undefined);
    // Root may make one where user namespaces are not allowed.
    return made ?? Namespace.#hold(['unshare', '-n'], false);
  }

  static async #hold(command: readonly string[], hasUser: boolean): Promise<Namespace> {
    const [program = '', ...args] = command;
    // The shell is replaced by cat, which ends with our end of its input.
    const holder = spawn(program, [...args, 'sh', '-c', 'echo $$; exec cat'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const pid = await new Promise<number>((resolve, reject) => {
      let errors = '';
      holder.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      holder.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
      holder.once('error', reject);
      holder.once('exit', () => reject(new Error(`${command.join(' ')}: ${errors}`)));
    });
    const namespace = new Namespace(holder, pid, hasUser);
    await namespace.sh(
      'ip link set lo up; for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f; done',
    );
    return namespace;
  }

  /** The command that runs another one in here. */
  command(program: string, args: readonly string[]): string[] {
    const user = this.hasUser ? ['-U', '--preserve-credentials'] : [];
    return ['nsenter', '-t', String(this.pid), ...user, '-n', program, ...args];
  }

  async sh(script: string): Promise<string> {
    const [program = '', ...args] = this.command('sh', ['-e', '-c', script]);
    return (await run(program, args)).stdout;
  }

  /** Runs a script; `under` is a command that is to run it, as `setpriv`. */
  node(script: string, under: readonly string[] = []): ChildProcessWithoutNullStreams {
    const all = [...under, process.execPath, '--enable-source-maps', script];
    const [program = '', ...args] = this.command(all[0] ?? '', all.slice(1));
    return spawn(program, args);
  }

  /**
   * Routes one group of one source from an interface to another, as a multicast routing daemon does: until its end is
   * called. The kernel asks for a socket that stays open.
   */
  async multicastRoute(
    source: string,
    group: string,
    incoming: string,
    outgoing: string,
  ): Promise<{ end(): void }> {
    const [mrtInit, mrtAddVif, mrtAddMfc, useIndex] = [200, 202, 204, 8];
    const script = `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
s.setsockopt(0, ${mrtInit}, 1)
for i, name in enumerate(['${incoming}', '${outgoing}']):
    s.setsockopt(0, ${mrtAddVif}, struct.pack('HBBIiI', i, ${useIndex}, 1, 0, socket.if_nametoindex(name), 0))
ttls = bytearray(32); ttls[1] = 1
s.setsockopt(0, ${mrtAddMfc}, socket.inet_aton('${source}') + socket.inet_aton('${group}')
             + struct.pack('=H32s2xIIIi', 0, bytes(ttls), 0, 0, 0, 0))
print('routed', flush=True)
sys.stdin.read()`;
    const [program = '', ...args] = this.command('python3', ['-c', script]);
    const daemon = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve, reject) => {
      daemon.stdout.once('data', resolve);
      daemon.once('exit', () => reject(new Error('the multicast route could not be made')));
    });
    return { end: () => daemon.stdin.end() };
  }

  async remove(): Promise<void> {
    const gone = new Promise((resolve) => this.holder.once('exit', resolve));
    if (this.holder.exitCode !== null) return;
    this.holder.stdin?.end();
    await gone;
  }
}

/**
 * sender (10.1.0.1) - (10.1.0.2) router (10.2.0.2) - (10.2.0.1) receiver, and the same in fd01:: and fd02::. The
 * router forwards; the interfaces are `s0`, `r0`, `r1`, `h0`.
 */
export class Line {
  private constructor(
    readonly sender: Namespace,
    readonly router: Namespace,
    readonly receiver: Namespace,
  ) {}

  static async make(): Promise<Line> {
    const router = await Namespace.make();
    const sender = await Namespace.make(router);
    const receiver = await Namespace.make(router);
    await router.sh(`
      ip link add r0 type veth peer name s0 netns ${sender.pid}
      ip link add r1 type veth peer name h0 netns ${receiver.pid}
      echo 1 > /proc/sys/net/ipv4/ip_forward
      echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
      ${addresses('r0', '10.1.0.2', 'fd01::2')}
      ${addresses('r1', '10.2.0.2', 'fd02::2')}`);
    await sender.sh(`
      ${addresses('s0', '10.1.0.1', 'fd01::1')}
      ip route add default via 10.1.0.2
      ip -6 route add default via fd01::2`);
    await receiver.sh(`
      ${addresses('h0', '10.2.0.1', 'fd02::1')}
      ip route add default via 10.2.0.2
      ip -6 route add default via fd02::2`);
    return new Line(sender, router, receiver);
  }

  /** The kernel's index of an interface. */
  async index(name: 's0' | 'r0' | 'r1' | 'h0'): Promise<number> {
    const where = { s: this.sender, r: this.router, h: this.receiver }[name.charAt(0)];
    const [link] = JSON.parse((await where?.sh(`ip -json link show ${name}`)) ?? '[]') as [
      { ifindex: number },
    ];
    return link.ifindex;
  }

  async remove(): Promise<void> {
    await Promise.all([this.sender, this.receiver, this.router].map((one) => one.remove()));
  }
}

function addresses(name: string, ipv4: string, ipv6: string): string {
  return `
    ip address add ${ipv4}/24 dev ${name}
    ip -6 address add ${ipv6}/64 dev ${name} nodad
    ip link set ${name} up`;
}
