import { Command, InvalidArgumentError } from 'commander';
import { durationMillis } from './config/duration.js';
import { eventLine } from './debug/line.js';
import { ControlClient, DEFAULT_SOCKET } from './router/control/client.js';
import type { TimedEvent } from './router/control/views.js';
import { painter, print } from './terminal.js';

interface Options {
  readonly socket: string;
  readonly match?: readonly string[];
  readonly for?: number;
  readonly json?: true;
}

export function command(): Command {
  return new Command('debug')
    .description('What happens in a running `bandex router`, as it happens.')
    .option('--match <pattern...>', 'only events with this text, or with name=pattern, as `session=10.0.*`')
    .option('--for <time>', 'for so long, as 10s (default: until Ctrl-C)', time)
    .option('--json', 'an event a line, with all that it says')
    .option('--socket <path>', 'control socket', DEFAULT_SOCKET)
    .addHelpText('after', HELP)
    .action(debug);
}

const HELP = `
Each line says what happened and why: who sent an error and what it means, how much was free where there was no room, who
pre-empted whom, which refresh did not come, why a message was not authentic. It costs the router nothing while nobody looks.

Examples:
  bandex debug
  bandex debug --match session=10.0.0.1/udp/5004 --for 2m
  bandex debug --match 'kind=*error*' --json | jq -r .text`;

function time(text: string): number {
  const millis = durationMillis(text);
  if (millis === undefined) throw new InvalidArgumentError('expected a duration, as 10s or 5m.');
  return millis;
}

async function debug({ socket, match, json, for: millis }: Options): Promise<void> {
  const client = await ControlClient.connect(socket);
  const stop = (): void => client.close();
  const timer = millis === undefined ? undefined : setTimeout(stop, millis);
  process.once('SIGINT', stop);
  const paint = painter(process.stdout);
  try {
    for await (const event of client.ask<TimedEvent>('events', match))
      print(json === true ? JSON.stringify(event) : eventLine(event, paint));
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', stop);
    client.close();
  }
}
