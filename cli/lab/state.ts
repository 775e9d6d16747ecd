import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CliError } from '../exit.js';
import type { LabMode } from './namespace.js';
import { LAB_ID } from './namespace.js';

/** What other processes know of a running lab: a file in a directory of its own. */
export interface LabState {
  readonly name: string;
  /** In the environment of all its processes. */
  readonly id: string;
  readonly mode: LabMode;
  /** The process that has it. */
  readonly owner: { readonly pid: number; readonly started: string };
  /** Absolute; empty where it came from no file. */
  readonly file: string;
  readonly since: number;
  readonly wire: number;
  readonly nodes: readonly {
    readonly name: string;
    readonly role: string;
    readonly pid: number;
    readonly interfaces: readonly {
      readonly name: string;
      readonly link: string;
      readonly addresses: readonly string[];
      readonly peer: string;
    }[];
  }[];
  readonly links: readonly string[];
}

export function labDirectory(name: string): string {
  const base = process.env['XDG_RUNTIME_DIR'] ?? join(tmpdir(), `bandex-${userInfo().uid}`);
  return join(base, 'bandex-lab', name);
}

export function writeState(state: LabState): void {
  writeFileSync(join(labDirectory(state.name), 'lab.json'), `${JSON.stringify(state)}\n`, { mode: 0o600 });
}

export function readState(name: string): LabState | undefined {
  const file = join(labDirectory(name), 'lab.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LabState) : undefined;
}

/** All that have left a directory, running or not. */
export function labNames(): string[] {
  const base = labDirectory('');
  return existsSync(base) ? readdirSync(base).sort() : [];
}

/** The one that is meant: of this name, or the only one. */
export function findLab(name: string | undefined): LabState {
  const running = labNames().flatMap((each) => {
    const state = readState(each);
    return state !== undefined && isAlive(state) ? [state] : [];
  });
  if (name !== undefined) {
    const state = running.find((each) => each.name === name);
    if (state === undefined) throw new CliError(`no lab \`${name}\` is running`);
    return state;
  }
  const [state, ...more] = running;
  if (state === undefined) throw new CliError('no lab is running: `bandex lab up FILE` starts one');
  if (more.length > 0)
    throw new CliError(
      `several labs are running (${running.map((each) => each.name).join(', ')}): say which by --lab`,
    );
  return state;
}

export function isAlive({ owner }: LabState): boolean {
  return startOf(owner.pid) === owner.started;
}

/** Pids are used again: with its start a process is told for sure. Empty: there is none. */
export function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

/** Makes the directory of a lab. What a dead one of this name left is removed first; a living one is an error. */
export function claim(name: string): void {
  const left = readState(name);
  if (left !== undefined && isAlive(left))
    throw new CliError(`a lab \`${name}\` is running already (process ${left.owner.pid})`);
  if (left !== undefined) killLeft(left.id);
  rmSync(labDirectory(name), { recursive: true, force: true });
  mkdirSync(labDirectory(name), { recursive: true, mode: 0o700 });
  // In /tmp somebody else may have been first.
  if (statSync(labDirectory('')).uid !== userInfo().uid)
    throw new CliError(`\`${labDirectory('')}\` belongs to somebody else`);
}

export function forget(name: string): void {
  rmSync(labDirectory(name), { recursive: true, force: true });
}

/** Kills what still runs of a lab: what has its id in the environment. How many those were. */
export function killLeft(id: string): number {
  const mark = Buffer.from(`${LAB_ID}=${id}\0`);
  let count = 0;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`).includes(mark)) continue;
      process.kill(pid, 'SIGKILL');
      count++;
    } catch {
      // It has ended, or is somebody else's.
    }
  }
  return count;
}
