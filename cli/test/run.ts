import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  /** Without the last line end. */
  readonly lines: readonly string[];
  readonly err: string;
}

/** Runs `bandex` with these arguments and this on stdin. */
export function bandex(args: readonly string[], input: string | Uint8Array = ''): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { code: status, out: stdout, lines: stdout.split('\n').slice(0, -1), err: stderr };
}
