import { Command } from 'commander';
import { statementCsv } from '../../policy/clearing/statement-csv.js';
import type { Statement, StatementQuery } from '../../policy/clearing/index.js';
import { CliError, EXIT } from '../exit.js';
import { instant } from '../quantities.js';
import { print } from '../terminal.js';
import { onDatabase } from './database.js';
import { asking, remoteClient, remoteOptions } from './remote.js';
import type { RemoteOptions } from './remote.js';
import { tableText } from './table.js';

interface Options extends RemoteOptions {
  readonly config?: string;
  readonly currency: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: true;
  readonly csv?: true;
}

export function statementCommand(): Command {
  const command = new Command('statement')
    .description('State an account: opening balance, what was booked, closing balance.')
    .argument('[account]', 'its name; with --url it may be left out: the account of the key')
    .option('-c, --config <file>', 'configuration of the clearing centre; its database is read');
  return remoteOptions(command)
    .option('--currency <code>', 'in this currency', 'USD')
    .option('--from <time>', 'from this time on, as 2027-03-01T00:00:00Z', instant)
    .option('--to <time>', 'before this time', instant)
    .option('--csv', 'as CSV (RFC 4180)')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  bandex clear statement nick --config clear.yaml
  bandex clear statement nick --config clear.yaml --from 2027-03-01T00:00:00Z --to 2027-04-01T00:00:00Z --csv
  bandex clear statement --url https://clearing.example:8443 --key alice.key`,
    )
    .action(run);
}

/** Reads one part of a statement. */
type Part = (after: number | undefined) => Promise<Statement | undefined>;

async function run(account: string | undefined, options: Options): Promise<void> {
  const statement = await (options.url === undefined
    ? fromDatabase(account, options)
    : fromServer(account, options));
  if (options.json === true) print(JSON.stringify(statement));
  else if (options.csv === true) process.stdout.write(statementCsv(statement));
  else print(statementTable(statement));
}

function fromDatabase(account: string | undefined, options: Options): Promise<Statement> {
  const { config, currency, from, to } = options;
  if (config === undefined) throw new CliError('give --config, or --url and --key', EXIT.usage);
  if (account === undefined) throw new CliError('which account?', EXIT.usage);
  const query: StatementQuery = { account, currency, from, to };
  return onDatabase(config, (centre) => whole(account, (after) => centre.statement({ ...query, after })));
}

function fromServer(account: string | undefined, options: Options): Promise<Statement> {
  const { currency, from, to } = options;
  return asking(remoteClient(options), async (client) => {
    const name = account ?? (await client.accounts())[0]?.id;
    if (name === undefined) throw new CliError('the key has no account there', EXIT.refused);
    const range = { ...time('from', from), ...time('to', to) };
    return whole(name, (after) =>
      client.statement(name, { currency, ...range, ...(after === undefined ? {} : { after }) }),
    );
  });
}

function time(name: 'from' | 'to', at: number | undefined): Record<string, string> {
  return at === undefined ? {} : { [name]: new Date(at).toISOString() };
}

/** All parts, one after the other. */
async function whole(account: string, part: Part): Promise<Statement> {
  const first = await part(undefined);
  if (first === undefined) throw new CliError(`there is no account \`${account}\``, EXIT.refused);
  const lines = [...first.lines];
  let last = first;
  while (last.next !== undefined) {
    const more = await part(last.next);
    if (more === undefined) break;
    lines.push(...more.lines);
    last = more;
  }
  const { currency, opening } = first;
  return { account, currency, opening, lines, closing: last.closing };
}

const HEAD = ['entry', 'at', 'kind', 'counterparty', 'no', 'reservation', 'nonce', 'amount', 'balance'];

/** As people read it. */
export function statementTable({ account, currency, opening, lines, closing }: Statement): string {
  const rows = [
    ['', '', 'opening', '', '', '', '', '', opening],
    ...lines.map((line) => [
      ...[line.entry, line.at, line.kind, line.counterparty, line.reference],
      ...[line.reservation, line.nonce, line.amount, line.balance],
    ]),
    ['', '', 'closing', '', '', '', '', '', closing],
  ];
  return `${account}, ${currency}\n${tableText(HEAD, rows, ['entry', 'no', 'amount', 'balance'])}`;
}
