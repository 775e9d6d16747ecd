import { Command } from 'commander';
import { PARTY_KINDS } from '../../policy/payment/index.js';
import type { PartyKind } from '../../policy/payment/index.js';
import { CliError, EXIT } from '../exit.js';
import { print } from '../terminal.js';
import { jsonOf } from './list.js';
import { KINDS, withQuarantine } from './table.js';
import type { Opened, Shown } from './table.js';

interface Options {
  readonly config?: string;
  readonly all?: true;
  readonly json?: true;
}

export function releaseCommand(): Command {
  return new Command('release')
    .description('Listen to somebody again, and forget what they did.')
    .argument('[kind]', KINDS)
    .argument('[id]', 'as `list` prints it, or the whole id of `list --json`')
    .option('-c, --config <file>', 'configuration of the policy server')
    .option('--all', 'everybody; with a kind, all of that kind')
    .option('--json', 'print whom, a JSON object a line')
    .addHelpText(
      'after',
      `
Exit code 2 if there was nobody to release.

Examples:
  bandex quarantine release key Alice --config pdp.yaml
  bandex quarantine release key ed25519:8c1f0f5f0a2b3c4d --config pdp.yaml
  bandex quarantine release source 192.0.2.7@edge-1 --config pdp.yaml
  bandex quarantine release pep --all --config pdp.yaml`,
    )
    .action(async (kind: string | undefined, id: string | undefined, options: Options) => {
      const isMeant = whichOf(kind, id, options.all === true);
      const released = await withQuarantine(options.config, (opened) => release(opened, isMeant));
      if (released.length === 0) throw new CliError('there is nobody to release', EXIT.refused);
      for (const one of released)
        print(options.json === true ? JSON.stringify(jsonOf(one)) : `released ${one.kind} ${one.who}`);
    });
}

function whichOf(kind: string | undefined, id: string | undefined, all: boolean): (one: Shown) => boolean {
  if (kind !== undefined && !PARTY_KINDS.includes(kind as PartyKind))
    throw new CliError(`release: expected a kind (${KINDS}), got \`${kind}\``, EXIT.usage);
  if (all !== (id === undefined))
    throw new CliError('release: give either a kind and an id, or --all', EXIT.usage);
  return (one) =>
    (kind === undefined || one.kind === kind) && (id === undefined || one.id === id || one.who === id);
}

async function release({ table, list }: Opened, isMeant: (one: Shown) => boolean): Promise<Shown[]> {
  const meant = (await list()).filter(isMeant);
  if (meant.length > 0) await table.release(meant, Date.now());
  return meant;
}
