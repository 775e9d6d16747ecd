import { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, EXIT } from '../exit.js';
import { say } from '../terminal.js';
import { forget, isAlive, killLeft, labNames, readState } from './state.js';

export function downCommand(): Command {
  return new Command('down')
    .description('Remove a lab: end the process that has it, or clean up after one that was killed.')
    .argument('[name]', 'name of the lab')
    .option('--all', 'all labs of this user')
    .addHelpText(
      'after',
      `
Examples:
  bandex lab down line
  bandex lab down --all`,
    )
    .action(down);
}

async function down(name: string | undefined, { all }: { readonly all?: true }): Promise<void> {
  const known = labNames();
  if (name === undefined && all !== true && known.length !== 1)
    throw new CliError(
      known.length === 0 ? 'there is no lab' : `which lab? ${known.join(', ')}, or --all`,
      known.length === 0 ? EXIT.failure : EXIT.usage,
    );
  if (name !== undefined && !known.includes(name)) throw new CliError(`there is no lab \`${name}\``);
  for (const each of name === undefined ? known : [name]) await remove(each);
}

/** Ending politely takes an owner a few seconds at most: its commands are asked first. */
const PATIENCE_MS = 15_000;

async function remove(name: string): Promise<void> {
  const state = readState(name);
  if (state === undefined) {
    forget(name);
    return;
  }
  if (isAlive(state)) {
    process.kill(state.owner.pid, 'SIGTERM');
    const until = Date.now() + PATIENCE_MS;
    while (isAlive(state) && readState(name) !== undefined) {
      if (Date.now() > until)
        throw new CliError(`process ${state.owner.pid} does not remove the lab \`${name}\``);
      await sleep(50);
    }
    say(`lab \`${name}\` is removed`);
    return;
  }
  const killed = killLeft(state.id);
  forget(name);
  say(`lab \`${name}\`, whose process had died, is removed; ${killed} processes were left of it`);
}
