import { Command } from 'commander';
import { EXIT } from '../exit.js';
import { print, say } from '../terminal.js';
import { onDatabase } from './database.js';

interface Options {
  readonly config: string;
  readonly verify?: true;
  readonly json?: true;
}

export function auditCommand(): Command {
  return new Command('audit')
    .description('Work out everything again: sums, balances, the hash chain, evidence, settlements.')
    .requiredOption('-c, --config <file>', 'configuration of the clearing centre; its database is read')
    .option('--verify', 'also ask the policy about each payment again, signatures and all')
    .option('--json', 'the report as JSON')
    .addHelpText(
      'after',
      `
Exits with 2 where something is wrong. Whoever changes the database and works out every hash anew changes the last one: keep
the hash that is printed, or a receipt, elsewhere.

Examples:
  bandex clear audit --config clear.yaml
  bandex clear audit --config clear.yaml --verify --json | jq .problems`,
    )
    .action(async ({ config, verify, json }: Options) => {
      const report = await onDatabase(config, (centre) => centre.audit({ verify: verify === true }));
      const { entries, deposits, hash, problems, truncated } = report;
      if (json === true) print(JSON.stringify(report));
      else for (const { what, text } of problems) print(`${what}: ${text}`);
      if (json !== true && problems.length === 0)
        print(`${entries} entries and ${deposits} deposits are as they must be; the last hash is ${hash}`);
      if (problems.length === 0) return;
      say(
        `bandex: ${problems.length}${truncated ? ' and more' : ''} problems in ${entries} entries and ${deposits} deposits`,
      );
      process.exitCode = EXIT.refused;
    });
}
