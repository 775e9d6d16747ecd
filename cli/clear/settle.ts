import { Command } from 'commander';
import type { BatchView } from '../../policy/clearing/index.js';
import { CliError, EXIT } from '../exit.js';
import { instant, wholeNumber } from '../quantities.js';
import { print, say } from '../terminal.js';
import { onDatabase } from './database.js';
import { tableText } from './table.js';

interface Options {
  readonly config: string;
  readonly paid?: number;
  readonly list?: true;
  readonly at?: number;
  readonly json?: true;
}

export function settleCommand(): Command {
  return new Command('settle')
    .description(
      'Settle: move what users owe to their providers, and state what each provider owes each ISP.',
    )
    .requiredOption('-c, --config <file>', 'configuration of the clearing centre; its database is written')
    .option('--paid <batch>', 'book that this batch was paid, instead', wholeNumber(Number.MAX_SAFE_INTEGER))
    .option('--list', 'list the batches of before, newest first, instead')
    .option('--at <time>', 'book it at this time, as 2027-03-20T20:00:00Z', instant)
    .option('--json', 'an object a line')
    .addHelpText(
      'after',
      `
A batch is for one provider, one ISP and one currency. Where nothing was deposited since the last settlement there is none;
what was booked as paid is not booked again. So both can be repeated when in doubt.

Examples:
  bandex clear settle --config clear.yaml
  bandex clear settle --config clear.yaml --paid 3
  bandex clear settle --config clear.yaml --list --json | jq 'select(.paidAt == null)'`,
    )
    .action(run);
}

async function run({ config, paid, list, at = Date.now(), json }: Options): Promise<void> {
  const batches = await onDatabase(config, async (centre): Promise<readonly BatchView[]> => {
    if (list === true) return centre.settlements();
    if (paid === undefined) return centre.settle(at);
    const answer = await centre.paid(paid, at);
    if (answer.answer === 'unknown') throw new CliError(`there is no batch ${paid}`, EXIT.refused);
    if (answer.answer === 'was-paid') say(`batch ${paid} was booked as paid before`);
    return [answer.batch];
  });
  if (json === true) for (const batch of batches) print(JSON.stringify(batch));
  else if (batches.length === 0) say(list === true ? 'there are no batches' : 'nothing to settle');
  else print(tableText(HEAD, batches.map(rowOf), ['batch', 'amount', 'charges']));
}

const HEAD = ['batch', 'provider', 'owes', 'amount', 'currency', 'charges', 'settled', 'paid'];

function rowOf({ batch, provider, isp, amount, currency, charges, settledAt, paidAt }: BatchView) {
  return [batch, provider, isp, amount, currency, charges, settledAt, paidAt ?? ''];
}
