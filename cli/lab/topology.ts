import { basename, extname } from 'node:path';
import { readFileSync } from 'node:fs';
import { parseConfigFile } from '../config/load.js';
import type { ConfigFile, ConfigError } from '../config/load.js';
import type { Path } from '../config/yaml.js';
import { routesOf } from './routes.js';
import type { Route } from './routes.js';
import { hostIn } from './addresses.js';
import { TOPOLOGY } from './schema.js';
import type { LinkConfig, NodeConfig, StepConfig, TopologyConfig, TopologyInput } from './schema.js';

/** A lab with all that follows from its file: addresses, interfaces, routes. */
export interface Topology {
  readonly name: string;
  readonly nodes: readonly TopologyNode[];
  readonly links: readonly TopologyLink[];
  readonly steps: readonly StepConfig[];
}

export interface TopologyNode extends NodeConfig {
  readonly forwarding: boolean;
  readonly interfaces: readonly TopologyInterface[];
  readonly routes: readonly Route[];
}

export interface TopologyInterface {
  readonly name: string;
  /** Index of the link. */
  readonly link: number;
  /** With their prefix length. */
  readonly addresses: readonly string[];
  readonly peer: { readonly node: string; readonly interface: string; readonly addresses: readonly string[] };
}

export interface TopologyLink extends LinkConfig {
  /** As `r1:r2`; with `#2` where there is more than one. */
  readonly name: string;
  readonly ends: readonly [LinkEnd, LinkEnd];
}

export interface LinkEnd {
  readonly node: string;
  readonly interface: string;
  readonly addresses: readonly string[];
}

export type LoadedTopology = Topology & ConfigFile;

export function loadTopology(file: string): LoadedTopology {
  return parseTopology(file, readFileSync(file, 'utf8'));
}

export function parseTopology(file: string, source: string): LoadedTopology {
  const config = parseConfigFile(file, source, TOPOLOGY);
  const name =
    config.name ??
    basename(file, extname(file))
      .replace(/[^a-zA-Z0-9-]/g, '-')
      .slice(0, 15);
  const { path, read, problem } = config;
  return { ...resolve({ ...config, name }, problem), file, path, read, problem };
}

/** For programs: the same from a value. Throws `ConfigError`. */
export function topology(input: TopologyInput): Topology {
  return parseTopology('lab.yaml', JSON.stringify(input));
}

type Problem = (path: Path, message: string) => ConfigError;

function resolve(config: TopologyConfig & { readonly name: string }, problem: Problem): Topology {
  checkNames(config, problem);
  const links = linksOf(config, problem);
  const nodes = config.nodes.map((node) => ({
    ...node,
    forwarding: node.forwarding ?? node.role === 'router',
    interfaces: interfacesOf(node.name, links),
  }));
  return {
    name: config.name,
    nodes: nodes.map((node) => ({ ...node, routes: routesOf(node, nodes) })),
    links,
    steps: config.steps,
  };
}

function checkNames({ nodes, links, steps }: TopologyConfig, problem: Problem): void {
  const names = new Set<string>();
  nodes.forEach(({ name }, i) => {
    if (names.has(name)) throw problem(['nodes', i, 'name'], `there is a node \`${name}\` already`);
    names.add(name);
  });
  const known = (path: Path, name: string | undefined): void => {
    if (name !== undefined && !names.has(name)) throw problem(path, `there is no node \`${name}\``);
  };
  links.forEach(({ between }, i) => between.forEach((name, j) => known(['links', i, 'between', j], name)));
  links.forEach(({ between: [one, other] }, i) => {
    if (one === other) throw problem(['links', i, 'between'], 'expected two different nodes');
  });
  steps.forEach(({ on, flow }, i) => {
    known(['steps', i, 'on'], on);
    known(['steps', i, 'flow', 'from'], flow?.from);
    known(['steps', i, 'flow', 'to'], flow?.to);
  });
}

/** More would not fit into the prefixes that are made up. */
const MOST_LINKS = 65_536;

function linksOf({ links }: TopologyConfig, problem: Problem): TopologyLink[] {
  if (links.length > MOST_LINKS) throw problem(['links'], `expected at most ${MOST_LINKS} links`);
  const interfaces = new Map<string, number>();
  const names = new Map<string, number>();
  return links.map((link, i) => {
    const [one = '', other = ''] = link.between;
    const plain = `${one}:${other}`;
    const number = (names.get(plain) ?? 0) + 1;
    names.set(plain, number);
    const prefixes =
      link.prefixes.length > 0
        ? link.prefixes
        : [`10.${1 + (i >> 8)}.${i & 0xff}.0/24`, `fd00:0:0:${i.toString(16)}::/64`];
    const end = (node: string, host: number): LinkEnd => {
      const count = interfaces.get(node) ?? 0;
      interfaces.set(node, count + 1);
      const addresses = prefixes.map((prefix, j) => {
        const address = hostIn(prefix, host);
        if (address === undefined)
          throw problem(
            ['links', i, 'prefixes', j],
            `expected a prefix with room for two addresses, got \`${prefix}\``,
          );
        return address;
      });
      return { node, interface: `eth${count}`, addresses };
    };
    return {
      ...link,
      name: number === 1 ? plain : `${plain}#${number}`,
      ends: [end(one, 1), end(other, 2)],
    };
  });
}

function interfacesOf(node: string, links: readonly TopologyLink[]): TopologyInterface[] {
  return links.flatMap(({ ends: [one, other] }, link) =>
    (
      [
        [one, other],
        [other, one],
      ] as const
    )
      .filter(([mine]) => mine.node === node)
      .map(([mine, peer]) => ({ name: mine.interface, link, addresses: mine.addresses, peer })),
  );
}
