import { Command } from 'commander';
import type { AccountView } from '../../policy/clearing/index.js';
import { print } from '../terminal.js';
import { onDatabase } from './database.js';
import { tableText } from './table.js';

interface Options {
  readonly config: string;
  readonly json?: true;
}

export function accountsCommand(): Command {
  return new Command('accounts')
    .description('List accounts: what they have and owe, what is held, and their limits.')
    .requiredOption('-c, --config <file>', 'configuration of the clearing centre; its database is read')
    .option('--json', 'an object a line')
    .addHelpText(
      'after',
      `
A negative balance is a debt. \`unsettled\` is what a provider's users owe and no settlement has moved to it yet.

Examples:
  bandex clear accounts --config clear.yaml
  bandex clear accounts --config clear.yaml --json | jq 'select(.kind == "provider")'`,
    )
    .action(async ({ config, json }: Options) => {
      const accounts = await onDatabase(config, (centre) => centre.accounts(Date.now()));
      if (json === true) for (const account of accounts) print(JSON.stringify(account));
      else print(tableText(HEAD, accounts.flatMap(rowsOf), ['balance', 'unsettled', 'held', 'limit']));
    });
}

const HEAD = ['account', 'name', 'kind', 'currency', 'balance', 'unsettled', 'held', 'limit'];

function rowsOf({ id, name, kind, frozen, balances }: AccountView): string[][] {
  const what = frozen ? `${kind}, frozen` : kind;
  // A user's account is called by its whole key: the short name is for people.
  const shown = id.includes(':') ? `${id.slice(0, 24)}...` : id;
  if (balances.length === 0) return [[shown, name, what, '', '', '', '', '']];
  return balances.map((one) => [
    ...[shown, name, what, one.currency],
    ...[one.balance, one.unsettled, one.held, one.limit ?? ''],
  ]);
}
