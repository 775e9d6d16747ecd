import { closeSync, openSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { resolve as resolvePath } from 'node:path';
import { CliError } from '../exit.js';
import type { Namespace } from './namespace.js';
import type { Topology } from './topology.js';
import { wireDevice } from './wire.js';

export interface Capture {
  readonly file: string;
  /** It listens. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/** A packet is written at once (`-U`, and the kernel does not collect them first), whole (`-s 0`), by root of the namespace (`-Z root`). */
export const TCPDUMP = [
  'tcpdump',
  '-n',
  '-U',
  '--immediate-mode',
  '-s',
  '0',
  '-Z',
  'root',
  '-w',
  '-',
] as const;

export function requireTcpdump(): void {
  if (spawnSync('tcpdump', ['--version'], { stdio: 'ignore' }).status !== 0)
    throw new CliError('captures need tcpdump, which is not here');
}

/** On the first end's side of the wire: packets from there as they were sent, those to there as they arrive. */
export function startCaptures(
  { links }: Topology,
  wire: Namespace,
  path: (name: string) => string = resolvePath,
): Capture[] {
  if (links.some(({ capture }) => capture !== undefined)) requireTcpdump();
  return links.flatMap(({ capture, name }, i) => {
    if (capture === undefined) return [];
    const file = path(capture);
    const descriptor = openSync(file, 'w');
    const child = wire.spawn([...TCPDUMP, '-i', wireDevice(i, 0)], { stdio: ['ignore', descriptor, 'pipe'] });
    closeSync(descriptor);
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const ready = new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr?.on('data', (text: Buffer) => {
        said += text.toString();
        if (said.includes('listening on')) resolve();
      });
      child.once('close', () => reject(new CliError(`link ${name}: tcpdump: ${said.trim()}`)));
    });
    ready.catch(() => undefined);
    const stop = async (): Promise<void> => {
      child.kill('SIGINT');
      await ended;
    };
    return [{ file, ready, stop }];
  });
}
