#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { CliError, EXIT } from './exit.js';
import { endQuietlyOnClosedPipe, say } from './terminal.js';

/**
 * The commands, each in a file of its own that is loaded only when it is asked for: `bandex --help`
 * stays instant. A file exports `command()`, which returns its commander command.
 */
interface CommandModule {
  command(): Command;
}
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<CommandModule> }>> = {
  decode: { summary: 'decode captures of RSVP and COPS, or hex', load: () => import('./decode.js') },
  encode: { summary: 'encode messages from JSON to hex', load: () => import('./encode.js') },
  keynote: {
    summary: 'write, sign, check and question KeyNote assertions',
    load: () => import('./keynote.js'),
  },
  credit: {
    summary: 'make a credit authorization',
    load: () => import('./credit.js'),
  },
  offer: { summary: 'make an offer', load: () => import('./offer.js') },
  check: { summary: 'make a microcheck', load: () => import('./check.js') },
  request: {
    summary: 'make an RSVP message that carries claims and credentials',
    load: () => import('./request.js'),
  },
  demo: {
    summary: 'the first minute: a policy server judges the story of Alice',
    load: () => import('./demo.js'),
  },
  pdp: { summary: 'a policy server for COPS PEPs', load: () => import('./pdp.js') },
  pep: { summary: 'ask a policy server from the command line', load: () => import('./pep.js') },
  replay: {
    summary: 'play a capture to a policy server, as a router would',
    load: () => import('./replay.js'),
  },
};

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('bandex')
    .description('Paid-for bandwidth reservations: RSVP, COPS and KeyNote micropayments.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(add --help for the options)')
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
