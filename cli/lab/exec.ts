import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { join } from 'node:path';
import { constants } from 'node:os';
import { CliError, EXIT } from '../exit.js';
import { enterWords, LAB_ID } from './namespace.js';
import { findLab, labDirectory } from './state.js';

export function execCommand(): Command {
  return new Command('exec')
    .description('Run a command on a node of a running lab.')
    .argument('<node>', 'name of the node')
    .argument('<command...>', 'after `--`')
    .option('--lab <name>', 'name of the lab, where several are running')
    .passThroughOptions()
    .addHelpText(
      'after',
      `
The exit code is that of the command.

Examples:
  bandex lab exec r1 -- ip route
  bandex lab exec r1 -- tc -s class show dev eth1
  bandex lab exec sender -- bash`,
    )
    .action(exec);
}

async function exec(
  node: string,
  words: readonly string[],
  { lab }: { readonly lab?: string },
): Promise<void> {
  const state = findLab(lab);
  const found = state.nodes.find(({ name }) => name === node);
  if (found === undefined)
    throw new CliError(
      `there is no node \`${node}\`; there are ${state.nodes.map(({ name }) => name).join(', ')}`,
      EXIT.usage,
    );
  // What passes through has the `--` in it.
  const argv = words[0] === '--' ? words.slice(1) : words;
  const bin = join(labDirectory(state.name), 'bin');
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}`, [LAB_ID]: state.id };
  const child = spawn('env', [...enterWords(found.pid, state.mode), ...argv], { stdio: 'inherit', env });
  // Ctrl-C reaches the command by itself; we wait for what it makes of it.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  process.once('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  process.off('SIGINT', ignore);
}
