import { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DepositSource } from '../../policy/clearing/index.js';
import type { ClearingClientOptions } from '../../policy/clearing/io/client.js';
import { MAX_DEPOSITS } from '../../policy/clearing/io/limits.js';
import { BooksDeposits } from '../../policy/stores/books/deposit-source.js';
import { CliError, EXIT } from '../exit.js';
import { loadConfig } from '../pdp/load.js';
import type { LoadedConfig } from '../pdp/load.js';
import { withBooks } from '../pdp/till.js';
import { seconds, wholeNumber } from '../quantities.js';
import { say } from '../terminal.js';
import { fileSource } from './deposit-file.js';
import { runDeposit } from './deposit.js';
import { remoteClient, remoteOptions, sectionClient } from './remote.js';
import type { RemoteOptions } from './remote.js';

interface Options extends RemoteOptions {
  readonly config?: string;
  readonly file?: string;
  readonly batch: number;
  readonly every?: number;
  readonly retryRefused?: true;
  readonly json?: true;
}

export function depositCommand(): Command {
  const command = new Command('deposit')
    .description(
      'Hand payments in to a clearing centre: those that a policy server has taken, or those of a file.',
    )
    .option('-c, --config <file>', 'configuration of the policy server, with `store` and `clearing`')
    .option('--file <file>', 'deposits as JSON instead: {"assertions": {...}, "deposits": [...]}');
  return remoteOptions(command)
    .option('--batch <count>', 'deposits of one request', wholeNumber(MAX_DEPOSITS), 200)
    .option('--every <time>', 'go on, and look for new ones so often, as 60s', seconds)
    .option('--retry-refused', 'hand in again what was refused before')
    .option('--json', 'each answer, an object a line')
    .addHelpText('after', HELP)
    .action(deposit);
}

const HELP = `
What was handed in before is a duplicate and does no harm: end it at any moment, and repeat it when in doubt. Exits with 2 where a
deposit is refused or its nonce was spent before.

Examples:
  bandex clear deposit --config pdp.yaml
  bandex clear deposit --config pdp.yaml --every 60s
  bandex clear deposit --file deposits.json --url https://clearing.example:8443 --key nick.key --json | jq -r .answer`;

async function deposit(options: Options): Promise<void> {
  if ((options.config === undefined) === (options.file === undefined))
    throw new CliError('clear deposit: give --config or --file', EXIT.usage);
  const config = options.config === undefined ? undefined : loadConfig(options.config);
  const client = clientOf(config, options);
  const run = async (source: DepositSource, total?: number): Promise<void> => {
    await runDeposit(source, { client, batch: options.batch, json: options.json, total });
  };
  if (config === undefined) {
    const source = await fileSource(options.file ?? '');
    await run(source, source.total);
    return;
  }
  await withBooks(config, async (books) => {
    if (options.retryRefused === true) say(`${await books.retryRefused()} to be handed in again`);
    const source = new BooksDeposits(books);
    for (;;) {
      await run(source, await books.countDue());
      if (options.every === undefined) return;
      await sleep(options.every * 1000);
    }
  });
}

/** Options of the command line go before the configuration. */
function clientOf(config: LoadedConfig | undefined, options: Options): ClearingClientOptions {
  if (config === undefined || options.url !== undefined) return remoteClient(options);
  if (config.clearing === undefined)
    throw new CliError(`${config.file}: there is no \`clearing\`: give it, or --url and --key`, EXIT.usage);
  return sectionClient(config.clearing, (member, name) => config.read(['clearing', member], name));
}
