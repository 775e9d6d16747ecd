#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { COMMANDS } from './commands.js';
import { CliError, EXIT } from './exit.js';
import { endQuietlyOnClosedPipe, say } from './terminal.js';

async function main(given: readonly string[]): Promise<void> {
  // `bandex help decode` is what people try; the options are known to the command alone.
  const argv = given[0] === 'help' ? [...given.slice(1), '--help'] : given;
  const program = new Command('bandex')
    .description('Paid-for bandwidth reservations: RSVP, COPS and KeyNote micropayments.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(add --help for the options)')
    .helpCommand(false)
    .addHelpText('after', EXIT_CODES);

  const asked = argv.find((word) => !word.startsWith('-'));
  const names = asked !== undefined && asked in COMMANDS ? [asked] : Object.keys(COMMANDS);
  for (const name of names) {
    const entry = COMMANDS[name];
    if (entry === undefined) continue;
    if (names.length === 1) program.addCommand((await entry.load()).command());
    else program.command(name).description(entry.summary).allowUnknownOption();
  }
  throwInsteadOfExit(program);
  if (argv.length === 0) program.help();
  await program.parseAsync(argv, { from: 'user' });
}

const EXIT_CODES = `
Exit codes:
  0   it worked
  1   it did not work (a file, a socket, a peer)
  2   it worked, and the answer is no (refused, not verified, an expectation not met)
  3   the input is not well-formed
  64  the command line is wrong

Each command has examples: bandex <command> --help`;

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

/** Commander exits by itself otherwise, and with 1 on a wrong option. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(throwInsteadOfExit);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CliError) {
    say(`bandex: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof Error && 'code' in error && 'syscall' in error) {
    say(`bandex: ${error.message}`);
    return EXIT.failure;
  }
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.failure;
}

endQuietlyOnClosedPipe();
main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = exitCodeOf(error);
});
