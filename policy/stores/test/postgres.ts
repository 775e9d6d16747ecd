import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** A PostgreSQL server of our own, in a folder of its own, for as long as the tests run. */
export interface Cluster {
  /** The URL of an empty database. */
  database(): string;
  /** Takes the server away as a crash does (SIGQUIT), and brings it back. */
  crash(): void;
  start(): void;
  stop(): void;
}

const BIN = newestBin();

/** Debian keeps the server's programs out of the path. */
function newestBin(): string | undefined {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

export function hasPostgres(): boolean {
  return BIN !== undefined;
}

export async function startCluster(): Promise<Cluster> {
  if (BIN === undefined) throw new Error('no PostgreSQL server is installed: apt-get install postgresql');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bandex-pg-'));
  const data = join(folder, 'data');
  // The server refuses to run as root.
  const isRoot = userInfo().uid === 0;
  if (isRoot) {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }).trim());
    chownSync(folder, id('-u'), id('-g'));
  }
  const run = (program: string, ...args: string[]): string => {
    const command = [join(BIN, program), ...args];
    const [file = '', ...rest] = isRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command;
    return execFileSync(file, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  };
  run('initdb', '-D', data, '-U', 'bandex', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N');
  const options = `-p ${port} -h 127.0.0.1 -k ${folder} -c max_connections=200`;
  const log = join(folder, 'log');
  const start = (): void => {
    run('pg_ctl', '-D', data, '-w', '-t', '60', '-l', log, '-o', options, 'start');
  };
  const halt = (how: string): void => {
    run('pg_ctl', '-D', data, '-w', '-m', how, 'stop');
  };
  start();
  let count = 0;
  return {
    database: () => {
      const name = `test_${++count}`;
      run('createdb', '-h', '127.0.0.1', '-p', String(port), '-U', 'bandex', name);
      return `postgresql://bandex@127.0.0.1:${port}/${name}`;
    },
    crash: () => halt('immediate'),
    start,
    stop: () => {
      halt('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
