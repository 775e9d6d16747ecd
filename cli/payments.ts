import { Command, Option } from 'commander';
import { parsePrincipal } from '../policy/keynote/index.js';
import { nameOf } from '../policy/payment/index.js';
import { listGrants } from '../policy/stores/books/list.js';
import type { ListedGrant } from '../policy/stores/books/list.js';
import type { GrantState } from '../policy/stores/books/schema.js';
import { tableText } from './clear/table.js';
import { CliError, EXIT } from './exit.js';
import { loadConfig } from './pdp/load.js';
import { readNames } from './pdp/policy.js';
import { withBooks } from './pdp/till.js';
import { wholeNumber } from './quantities.js';
import { print } from './terminal.js';

interface Options {
  readonly config?: string;
  readonly state?: GrantState;
  readonly due?: true;
  readonly limit: number;
  readonly json?: true;
}

export function command(): Command {
  return new Command('payments')
    .description('List what a policy server was paid: which reservation, by whom, and what became of it.')
    .option('-c, --config <file>', 'configuration of the policy server')
    .addOption(
      new Option('--state <state>', 'only these').choices(['held', 'committed', 'ended', 'released']),
    )
    .option('--due', 'only what the clearing centre has not accepted yet')
    .option('--limit <count>', 'the newest so many', wholeNumber(1_000_000), 50)
    .option('--json', 'a payment a line, with its attributes')
    .addHelpText('after', HELP)
    .action(list);
}

const HELP = `
held: the router may install it; committed: it did, and the payment is owed; ended: no router holds it any more; released: it was
never installed, and the nonce can be spent again. The policy server may be running.

Examples:
  bandex payments --config pdp.yaml
  bandex payments --config pdp.yaml --due --json | jq -r .deposit.reason`;

async function list({ config: file, state, due, limit, json }: Options): Promise<void> {
  if (file === undefined) throw new CliError('payments: --config is missing', EXIT.usage);
  const config = loadConfig(file);
  const names = readNames(config);
  const listed = await withBooks(config, ({ store }) => listGrants(store, { state, isDue: due, limit }));
  if (json === true) {
    for (const one of listed) print(JSON.stringify(jsonOf(one)));
    return;
  }
  const rows = listed.map(({ grant, pepIds }) => [
    iso(grant.granted_at),
    grant.state,
    grant.reservation,
    `${grant.amount} ${grant.currency}`,
    payersOf(grant.payers)
      .map((payer) => nameOf(parsePrincipal(payer), names))
      .join(', '),
    grant.nonce,
    grant.paid_until === null ? '' : iso(grant.paid_until),
    pepIds.join(' '),
    grant.deposit ?? '',
  ]);
  print(tableText(HEAD, rows, ['amount']));
}

const HEAD = ['granted', 'state', 'reservation', 'amount', 'by', 'nonce', 'paid until', 'held at', 'deposit'];

function jsonOf({ grant, pepIds }: ListedGrant): object {
  const { id, reservation, state, amount, currency, nonce, payers, attributes, answer } = grant;
  return {
    ...{ id, reservation, state, amount, currency, nonce, payers: payersOf(payers), heldAt: pepIds },
    grantedAt: iso(grant.granted_at),
    ...(grant.committed_at === null ? {} : { committedAt: iso(grant.committed_at) }),
    ...(grant.ended_at === null ? {} : { endedAt: iso(grant.ended_at) }),
    ...(grant.duration === null ? {} : { duration: Number(grant.duration) }),
    ...(grant.paid_until === null ? {} : { paidUntil: iso(grant.paid_until) }),
    attributes: JSON.parse(attributes) as unknown,
    ...(answer === null ? {} : { deposit: JSON.parse(answer) as unknown }),
  };
}

function payersOf(json: string): string[] {
  return JSON.parse(json) as string[];
}

function iso(at: bigint): string {
  return new Date(Number(at)).toISOString();
}
