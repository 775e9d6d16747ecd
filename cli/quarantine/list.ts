import { Command } from 'commander';
import { print, say } from '../terminal.js';
import { withQuarantine } from './table.js';
import type { Shown } from './table.js';

interface Options {
  readonly config?: string;
  readonly json?: true;
}

export function listCommand(): Command {
  return new Command('list')
    .description('Print who is in quarantine, the last to come out first.')
    .option('-c, --config <file>', 'configuration of the policy server')
    .option('--json', 'one JSON object a line, times as ISO 8601')
    .addHelpText(
      'after',
      `
Examples:
  bandex quarantine list --config pdp.yaml
  bandex quarantine list --config pdp.yaml --json | jq -r 'select(.kind == "key") | .id'`,
    )
    .action(async ({ config, json }: Options) => {
      const rows = await withQuarantine(config, ({ list }) => list());
      if (json === true) for (const row of rows) print(JSON.stringify(jsonOf(row)));
      else if (rows.length === 0) say('nobody is in quarantine');
      else for (const line of tableOf(rows)) print(line);
    });
}

export function jsonOf({ kind, who, id, since, until, failures, reason }: Shown): object {
  return { kind, who, id, since: isoOf(since), until: isoOf(until), failures, reason };
}

function tableOf(rows: readonly Shown[]): string[] {
  const cells = [
    ['KIND', 'WHO', 'SINCE', 'UNTIL', 'FAILURES', 'LAST REASON'],
    ...rows.map(({ kind, who, since, until, failures, reason }) => [
      kind,
      who,
      isoOf(since),
      isoOf(until),
      String(failures),
      reason,
    ]),
  ];
  const widths = cells.reduce<number[]>(
    (most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)),
    [],
  );
  return cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** To the second: that is how one reads it. */
function isoOf(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+/, '');
}
