import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../exit.js';
import { withoutLength } from './addresses.js';
import { startCaptures } from './capture.js';
import type { Capture } from './capture.js';
import { LAB_ID, Namespace, requireLabMode } from './namespace.js';
import type { LabMode } from './namespace.js';
import { LabNode } from './node.js';
import type { LabProcess } from './node.js';
import { claim, forget, killLeft, labDirectory, startOf, writeState } from './state.js';
import type { Topology, TopologyNode } from './topology.js';
import { connect } from './wire.js';

export interface LabOptions {
  /** What names in the topology are relative to; undefined: the working directory. */
  readonly path?: (name: string) => string;
  /** Where it comes from, for `bandex lab inspect`. */
  readonly file?: string;
  /** Told what is being done. */
  readonly progress?: (text: string) => void;
}

/**
 * A topology of network namespaces that is up:
 *
 *     const lab = await Lab.up(topology({ nodes: [{ name: 'a' }, { name: 'b' }], links: [{ between: ['a', 'b'] }] }));
 *     await lab.node('a').run(['ip', 'route', 'get', 'b']);
 *     await lab.down();
 */
export class Lab {
  readonly #nodes = new Map<string, LabNode>();
  /** What the topology's `run` started, by node. */
  readonly services: { readonly node: string; readonly process: LabProcess }[] = [];
  #captures: Capture[] = [];
  #wire: Namespace | undefined;
  #down: Promise<void> | undefined;

  private constructor(
    readonly topology: Topology,
    readonly id: string,
    readonly mode: LabMode,
    private readonly options: LabOptions,
  ) {}

  static async up(topology: Topology, options: LabOptions = {}): Promise<Lab> {
    const lab = new Lab(topology, randomUUID(), requireLabMode(), options);
    claim(topology.name);
    try {
      await lab.#build();
    } catch (error) {
      await lab.down();
      throw error;
    }
    return lab;
  }

  node(name: string): LabNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new TypeError(`name: there is no node \`${name}\``);
    return node;
  }

  get nodes(): readonly LabNode[] {
    return [...this.#nodes.values()];
  }

  /** The namespace that lies between the nodes. */
  get wire(): Namespace {
    if (this.#wire === undefined) throw new Error('the lab is down');
    return this.#wire;
  }

  /** Ends all that runs in it and removes it. May be called again. */
  down(): Promise<void> {
    return (this.#down ??= this.#remove());
  }

  async #build(): Promise<void> {
    const { topology, mode, options } = this;
    const { progress = () => undefined } = options;
    this.#write();
    const env = this.#environment();
    progress(`${topology.nodes.length} nodes, ${topology.links.length} links (${mode})`);
    const wire = (this.#wire = await Namespace.make(env, mode));
    for (const node of topology.nodes) {
      this.#nodes.set(node.name, new LabNode(node, await Namespace.make(env, mode, wire)));
    }
    const namespaces = new Map(this.nodes.map(({ name, namespace }) => [name, namespace]));
    await Promise.all(
      this.nodes.map(({ namespace, topology: node }) => namespace.shell(this.#prepare(node))),
    );
    await connect(topology, wire, namespaces);
    await Promise.all(
      this.nodes.map(({ namespace, topology: node }) => namespace.batch('ip', configuration(node))),
    );
    this.#write();
    this.#captures = startCaptures(topology, wire, options.path);
    await Promise.all(this.#captures.map(({ ready }) => ready));
    for (const node of this.nodes) {
      for (const command of node.topology.run) {
        progress(`${node.name}: ${commandText(command)}`);
        const process = node.spawn(commandWords(command));
        this.services.push({ node: node.name, process });
      }
    }
  }

  /** A directory with `bandex` in it comes first in PATH, and the id in all environments. */
  #environment(): NodeJS.ProcessEnv {
    const bin = join(labDirectory(this.topology.name), 'bin');
    mkdirSync(bin);
    const program = join(bin, 'bandex');
    const main = fileURLToPath(new URL('../main.js', import.meta.url));
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
    chmodSync(program, 0o700);
    return { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}`, [LAB_ID]: this.id };
  }

  #prepare(node: TopologyNode): string {
    const directory = labDirectory(this.topology.name);
    const hosts = join(directory, 'hosts');
    writeFileSync(hosts, hostsText(this.topology));
    const set = (name: string, value: number): string => `echo ${value} > /proc/sys/net/${name}`;
    const forwarding = node.forwarding ? 1 : 0;
    return [
      `mount --bind '${hosts}' /etc/hosts`,
      set('ipv4/ip_forward', forwarding),
      // Reserved flows may take ways that routes do not.
      set('ipv4/conf/all/rp_filter', 0),
      set('ipv4/conf/default/rp_filter', 0),
      set('ipv6/conf/all/forwarding', forwarding),
      // Addresses are good at once, and nobody is asked for more.
      set('ipv6/conf/default/accept_dad', 0),
      set('ipv6/conf/default/accept_ra', 0),
    ].join('\n');
  }

  #write(): void {
    const { topology, id, mode, options } = this;
    writeState({
      name: topology.name,
      id,
      mode,
      owner: { pid: process.pid, started: startOf(process.pid) },
      file: options.file ?? '',
      since: Date.now(),
      wire: this.#wire?.pid ?? 0,
      links: topology.links.map(({ name }) => name),
      nodes: this.nodes.map(({ name, namespace, topology: { role, interfaces } }) => ({
        name,
        role,
        pid: namespace.pid,
        interfaces: interfaces.map((each) => ({
          name: each.name,
          link: topology.links[each.link]?.name ?? '',
          addresses: each.addresses,
          peer: each.peer.node,
        })),
      })),
    });
  }

  async #remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stopAll()));
    await Promise.all(this.#captures.map((capture) => capture.stop()));
    await Promise.all(this.nodes.map(({ namespace }) => namespace.end()));
    await this.#wire?.end();
    // What went into the background on its own.
    killLeft(this.id);
    forget(this.topology.name);
  }
}

function configuration(node: TopologyNode): string[] {
  return [
    ...node.addresses.map((address) => `address add ${address} dev lo`),
    ...node.interfaces.flatMap(({ name, addresses }) => [
      `link set ${name} up`,
      ...addresses.map((address) => `address add ${address} dev ${name}`),
    ]),
    ...node.routes.map(
      ({ destination, via, interface: name }) => `route add ${destination} via ${via} dev ${name}`,
    ),
  ];
}

function hostsText({ nodes }: Topology): string {
  const lines = nodes.flatMap(({ name, addresses, interfaces }) => [
    ...addresses.map((address) => `${withoutLength(address)} ${name}`),
    ...interfaces.flatMap((each) =>
      each.addresses.map((address) => `${withoutLength(address)} ${name} ${name}.${each.name}`),
    ),
  ]);
  return ['127.0.0.1 localhost', '::1 localhost', ...lines, ''].join('\n');
}

/** Text is for a shell. */
export function commandWords(command: string | readonly string[]): readonly string[] {
  return typeof command === 'string' ? ['sh', '-c', command] : command;
}

export function commandText(command: string | readonly string[]): string {
  return typeof command === 'string' ? command : command.join(' ');
}

/** For `--lab` and others that have no lab at hand. */
export function linkNumber(links: readonly string[], name: string): number {
  const number = links.indexOf(name);
  if (number < 0) throw new CliError(`there is no link \`${name}\`; there are ${links.join(', ')}`);
  return number;
}
