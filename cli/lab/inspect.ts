import { Command } from 'commander';
import { CliError } from '../exit.js';
import { print, say } from '../terminal.js';
import { isAlive, labNames, readState } from './state.js';
import type { LabState } from './state.js';

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Print the labs there are: nodes, interfaces, addresses.')
    .argument('[name]', 'of one lab')
    .option('--json', 'one JSON object a lab')
    .addHelpText(
      'after',
      `
Examples:
  bandex lab inspect
  bandex lab inspect line --json | jq -r '.nodes[] | .name + " " + .interfaces[].addresses[]'`,
    )
    .action((name: string | undefined, { json }: { readonly json?: true }) => {
      const states = (name === undefined ? labNames() : [name]).flatMap((each) => readState(each) ?? []);
      if (states.length === 0 && name !== undefined) throw new CliError(`there is no lab \`${name}\``);
      if (states.length === 0) say('there is no lab');
      for (const state of states) {
        if (json === true) print(JSON.stringify(inspection(state)));
        else for (const line of tableOf(state)) print(line);
      }
    });
}

export function inspection(state: LabState): object {
  const { name, mode, owner, file, since, nodes, links } = state;
  return {
    name,
    state: isAlive(state) ? 'up' : 'left behind',
    mode,
    pid: owner.pid,
    file,
    since: new Date(since).toISOString(),
    nodes,
    links,
  };
}

export function tableOf(state: LabState): string[] {
  const { name, mode, owner, nodes } = state;
  const head = isAlive(state)
    ? `lab ${name} (${mode}, process ${owner.pid})`
    : `lab ${name}: its process is dead; \`bandex lab down ${name}\` removes it`;
  const rows = [
    ['NODE', 'ROLE', 'PID', 'INTERFACE', 'PEER', 'ADDRESSES'],
    ...nodes.flatMap(({ name: node, role, pid, interfaces }) =>
      (interfaces.length === 0 ? [undefined] : interfaces).map((each, i) => [
        i === 0 ? node : '',
        i === 0 ? role : '',
        i === 0 ? String(pid) : '',
        each?.name ?? '',
        each?.peer ?? '',
        each?.addresses.join(' ') ?? '',
      ]),
    ),
  ];
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)),
    [],
  );
  return [
    head,
    ...rows.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
  ];
}
