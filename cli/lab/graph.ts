import { Command, Option } from 'commander';
import { print } from '../terminal.js';
import { loadTopology } from './topology.js';
import type { Topology, TopologyLink } from './topology.js';

export function graphCommand(): Command {
  return new Command('graph')
    .description('Draw a topology as text for Mermaid or Graphviz.')
    .argument('<file>', 'topology, YAML')
    .addOption(new Option('--as <format>', 'which').choices(['mermaid', 'dot']).default('mermaid'))
    .addHelpText(
      'after',
      `
Examples:
  bandex lab graph line.yaml
  bandex lab graph line.yaml --as dot | dot -Tsvg > line.svg`,
    )
    .action((file: string, { as }: { readonly as: 'mermaid' | 'dot' }) => {
      const loaded = loadTopology(file);
      for (const line of as === 'dot' ? dot(loaded) : mermaid(loaded)) print(line);
    });
}

export function mermaid({ nodes, links }: Topology): string[] {
  return [
    'graph LR',
    ...nodes.map(({ name, role }) => `  ${id(name)}${role === 'router' ? `(("${name}"))` : `["${name}"]`}`),
    ...links.map((link) => {
      const [one, other] = link.ends;
      const text = labelOf(link);
      return `  ${id(one.node)} ---${text === '' ? '' : `|"${text}"|`} ${id(other.node)}`;
    }),
  ];
}

export function dot({ name, nodes, links }: Topology): string[] {
  return [
    `graph "${name}" {`,
    '  rankdir=LR;',
    ...nodes.map((node) => `  "${node.name}" [shape=${node.role === 'router' ? 'circle' : 'box'}];`),
    ...links.map((link) => {
      const [one, other] = link.ends;
      const ends = `taillabel="${one.interface}", headlabel="${other.interface}"`;
      return `  "${one.node}" -- "${other.node}" [label="${labelOf(link)}", ${ends}];`;
    }),
    '}',
  ];
}

/** Words of Mermaid, as `end`, are no names there. */
function id(name: string): string {
  return `n_${name.replaceAll('-', '_')}`;
}

function labelOf({ rate, delay, loss }: TopologyLink): string {
  return [
    ...(rate === undefined ? [] : [rate >= 1e6 ? `${rate / 1e6} Mbit/s` : `${rate / 1e3} kbit/s`]),
    ...(delay === undefined ? [] : [`${delay} ms`]),
    ...(loss === undefined ? [] : [`${loss} % loss`]),
  ].join(', ');
}
