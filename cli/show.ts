import { Argument, Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { tableText } from './clear/table.js';
import { CliError, EXIT } from './exit.js';
import { ControlClient, DEFAULT_SOCKET } from './router/control/client.js';
import { VIEW_NAMES } from './router/control/views.js';
import type { InterfaceView, ReservationView, SenderView, ViewName, Views } from './router/control/views.js';
import { COLUMNS } from './show/columns.js';
import type { Column } from './show/columns.js';
import { explainPath } from './show/explain.js';
import { print } from './terminal.js';

interface Options {
  readonly socket: string;
  readonly match?: readonly string[];
  readonly watch?: true;
  readonly json?: true;
}

export function command(): Command {
  return new Command('show')
    .description('What a running `bandex router` knows: sessions, reservations, neighbours.')
    .addArgument(
      new Argument('<what>', 'what to list; `path` explains one session').choices([...VIEW_NAMES, 'path']),
    )
    .argument('[session]', 'one session, as 10.0.0.1/udp/5004')
    .option('--match <pattern...>', 'only rows with this text, or with name=pattern, as `session=10.0.*`')
    .option('--watch', 'again every second, until Ctrl-C')
    .option('--json', 'a row a line, with all that is known: rates in octets a second, times in milliseconds')
    .option('--socket <path>', 'control socket', DEFAULT_SOCKET)
    .addHelpText('after', HELP)
    .action(show);
}

const HELP = `
Where a Path arrived and no Resv came back, \`bandex show path\` says which way to look.

Examples:
  bandex show reservations
  bandex show path 10.0.0.1/udp/5004
  bandex show interfaces --watch
  bandex show senders --match incoming=eth0 --json | jq -r .previousHop | sort | uniq -c
  bandex show counters --socket /run/bandex/router.sock`;

async function show(what: ViewName | 'path', session: string | undefined, options: Options): Promise<void> {
  if (what === 'path' && session === undefined)
    throw new CliError('show path: a session is missing, as 10.0.0.1/udp/5004', EXIT.usage);
  const client = await ControlClient.connect(options.socket);
  try {
    for (;;) {
      const match = [...(options.match ?? []), ...(session === undefined ? [] : [`session=${session}`])];
      const text =
        what === 'path'
          ? await path(client, session ?? '', options)
          : await list(client, what, match, options);
      // What is watched on a terminal is shown in place; elsewhere one after the other.
      if (options.watch === true && process.stdout.isTTY)
        process.stdout.write(`\x1b[H\x1b[J${new Date().toISOString()}\n\n${text}\n`);
      else if (text !== '') print(text);
      if (options.watch !== true) return;
      await sleep(1000);
    }
  } finally {
    client.close();
  }
}

async function list(
  client: ControlClient,
  what: ViewName,
  match: readonly string[],
  { json }: Options,
): Promise<string> {
  const rows = await client.all<Views[ViewName]>(what, match);
  if (json === true) return rows.map((row) => JSON.stringify(row)).join('\n');
  return tableOf(what, rows);
}

/** The table of a view, with its head even where it is empty. */
export function tableOf<Name extends ViewName>(what: Name, rows: readonly Views[Name][]): string {
  const columns: readonly Column<Views[Name]>[] = COLUMNS[what];
  return tableText(
    columns.map(({ head }) => head),
    rows.map((row) => columns.map(({ cell }) => cell(row))),
    columns.filter(({ right }) => right === true).map(({ head }) => head),
  );
}

async function path(client: ControlClient, session: string, { json }: Options): Promise<string> {
  const match = [`session=${session}`];
  const state = {
    session,
    senders: await client.all<SenderView>('senders', match),
    reservations: await client.all<ReservationView>('reservations', match),
    interfaces: await client.all<InterfaceView>('interfaces'),
  };
  return json === true ? JSON.stringify(state) : explainPath(state).join('\n');
}
