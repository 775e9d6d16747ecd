import { RSVP } from '../../wire/index.js';
import type { RsvpMessage } from '../../wire/index.js';
import { Engine } from '../engine.js';
import { isMulticast } from '../identity.js';
import type { Route } from '../node.js';
import type { EngineOptions } from '../options.js';
import type { SentPacket } from '../packet.js';
import { flow, Link, Node, tspec } from './node.js';
import type { LinkOptions, Logged } from './node.js';

export { B, flow, tspec } from './node.js';

/**
 * Engines wired back to back in virtual time: no sockets, no clock. Links have a delay; routes are the shortest paths, multicast
 * trees those from the source to the members. A node without an engine is a router that does not know RSVP.
 */

export class Network {
  now = 0;
  readonly nodes = new Map<string, Node>();
  readonly links: Link[] = [];
  readonly log: Logged[] = [];
  /** Groups, by address: names of the nodes that have joined. */
  readonly members = new Map<string, Set<string>>();
  #queue: { at: number; order: number; run: () => void }[] = [];
  #order = 0;
  #random = 1;

  router(name: string, options: Partial<EngineOptions> = {}): this {
    return this.#add(name, options);
  }

  host(name: string, options: Partial<EngineOptions> = {}): this {
    return this.#add(name, { isHost: true, ...options });
  }

  /** A router without RSVP. */
  plain(name: string): this {
    return this.#add(name, undefined);
  }

  #add(name: string, options: Partial<EngineOptions> | undefined): this {
    this.nodes.set(name, new Node(this, name, options));
    return this;
  }

  at(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new RangeError(`no node \`${name}\``);
    return node;
  }

  /** Two nodes, or a broadcast link of several. */
  link(names: readonly string[], options: LinkOptions = {}): this {
    const number = this.links.length + 1;
    const nodes = names.map((name) => this.at(name));
    const link = new Link(nodes, options.delay ?? 1);
    this.links.push(link);
    for (const [i, node] of nodes.entries()) {
      node.links.push(link);
      node.interfaces.push({
        name: `eth${node.interfaces.length}`,
        index: node.interfaces.length + 1,
        addresses: [`10.0.${number}.${i + 1}`, `fd00:${number}::${i + 1}`],
        mtu: options.mtu ?? 1500,
        isUp: true,
        reservable: options.reservable ?? 1e9,
        bandwidth: options.bandwidth ?? 125e6,
        ...(options.latency === undefined ? {} : { latency: options.latency }),
      });
    }
    return this;
  }

  /** All engines begin. */
  start(): this {
    for (const node of this.nodes.values()) {
      if (node.options === undefined) continue;
      node.engine = new Engine({
        random: () => this.random(),
        routing: { route: (destination, source) => this.route(node, destination, source) },
        interfaces: node.interfaces,
        ...node.options,
      });
    }
    return this;
  }

  random(): number {
    this.#random = (this.#random * 48271) % 2147483647;
    return this.#random / 2147483647;
  }

  join(group: string, ...names: readonly string[]): this {
    const members = this.members.get(group) ?? new Set();
    for (const name of names) members.add(name);
    this.members.set(group, members);
    return this;
  }

  later(delay: number, run: () => void): void {
    this.#queue.push({ at: this.now + delay, order: this.#order++, run });
  }

  /** Lets time pass, with whatever falls due. */
  runFor(milliseconds: number): this {
    const end = this.now + milliseconds;
    for (let steps = 0; ; steps++) {
      if (steps > 200_000) throw new Error('it does not come to rest');
      this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#queue[0];
      let due = next?.at ?? Infinity;
      let timed: Node | undefined;
      for (const node of this.nodes.values()) {
        const at = node.engine?.nextTimeout();
        if (at !== undefined && at < due) {
          due = at;
          timed = node;
        }
      }
      if (due > end) break;
      this.now = Math.max(this.now, due);
      if (timed !== undefined) timed.do(timed.rsvp.handleTimeout(this.now));
      else {
        this.#queue.shift();
        next?.run();
      }
    }
    this.now = end;
    return this;
  }

  cut(a: string, b: string): this {
    this.#between(a, b).isCut = true;
    return this;
  }

  mend(a: string, b: string): this {
    this.#between(a, b).isCut = false;
    return this;
  }

  lose(a: string, b: string, what: (logged: Logged) => boolean): this {
    this.#between(a, b).loses = what;
    return this;
  }

  #between(a: string, b: string): Link {
    const link = this.links.find(({ nodes }) => nodes.includes(this.at(a)) && nodes.includes(this.at(b)));
    if (link === undefined) throw new RangeError(`no link between ${a} and ${b}`);
    return link;
  }

  /** A packet leaves a node by an interface. */
  send(from: Node, packet: SentPacket): void {
    const link = from.links[from.interfaces.findIndex(({ index }) => index === packet.interface)];
    if (link === undefined) throw new Error(`${from.name} sends by interface ${packet.interface}`);
    const message = RSVP.decode(packet.octets);
    const targets = isMulticast(packet.destination)
      ? link.nodes.filter((node) => node !== from)
      : this.#nextOn(link, from, packet.destination);
    for (const to of targets) {
      const logged = { at: this.now, from: from.name, to: to.name, packet, message };
      this.log.push(logged);
      if (link.isCut || link.loses?.(logged) === true) continue;
      this.later(link.delay, () => this.#arrive(to, link, from, packet));
    }
  }

  #nextOn(link: Link, from: Node, destination: string): readonly Node[] {
    const owner = link.nodes.find((node) => node.owns(destination));
    if (owner !== undefined) return [owner];
    const path = this.#path(from, (node) => node.owns(destination));
    const next = path?.[1];
    return next !== undefined && link.nodes.includes(next) ? [next] : [];
  }

  #arrive(node: Node, link: Link, from: Node, packet: SentPacket): void {
    const index = node.interfaces[node.links.indexOf(link)]!.index;
    const isOurs = packet.routerAlert || node.owns(packet.destination);
    if (node.engine !== undefined && isOurs) {
      const sending = from.interfaces.find((one) => one.index === packet.interface)!;
      const family = packet.destination.includes(':') ? 1 : 0;
      const source = packet.source ?? sending.addresses[family]!;
      const { destination, ttl, octets } = packet;
      node.do(node.engine.receive(this.now, { interface: index, source, destination, ttl, octets }));
      return;
    }
    // Forwarded by IP.
    if (packet.ttl <= 1 || node.owns(packet.destination)) return;
    const source =
      packet.source ?? from.interfaces.find((one) => one.index === packet.interface)!.addresses[0]!;
    for (const out of this.route(node, packet.destination, source)?.outgoing ?? [])
      if (out !== index) this.send(node, { ...packet, source, interface: out, ttl: packet.ttl - 1 });
  }

  route(node: Node, destination: string, source?: string): Route | undefined {
    const own = node.routes?.(destination, source);
    if (own !== undefined) return own;
    if (isMulticast(destination)) return this.#tree(node, destination, source);
    if (node.owns(destination)) return { outgoing: [] };
    const path = this.#path(node, (other) => other.owns(destination));
    const next = path?.[1];
    return next === undefined ? undefined : { outgoing: [this.#interfaceTo(node, next)] };
  }

  #tree(node: Node, group: string, source?: string): Route | undefined {
    const root = [...this.nodes.values()].find((other) => source !== undefined && other.owns(source));
    if (root === undefined) return undefined;
    const outgoing = new Set<number>();
    let incoming: number | undefined;
    for (const name of this.members.get(group) ?? []) {
      const path = this.#path(root, (other) => other.name === name) ?? [];
      const at = path.indexOf(node);
      if (at < 0) continue;
      if (at > 0) incoming = this.#interfaceTo(node, path[at - 1]!);
      if (at + 1 < path.length) outgoing.add(this.#interfaceTo(node, path[at + 1]!));
    }
    return incoming === undefined ? { outgoing: [...outgoing] } : { outgoing: [...outgoing], incoming };
  }

  #interfaceTo(node: Node, next: Node): number {
    const at = node.links.findIndex((link) => !link.isCut && link.nodes.includes(next));
    return node.interfaces[at]!.index;
  }

  /** The shortest path; of equals the one over the links made first. */
  #path(from: Node, isGoal: (node: Node) => boolean): readonly Node[] | undefined {
    const queue: (readonly Node[])[] = [[from]];
    const seen = new Set<Node>([from]);
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      const last = path.at(-1)!;
      if (isGoal(last)) return path;
      // An end system forwards nothing.
      if (last !== from && last.options?.isHost === true) continue;
      for (const link of last.links)
        for (const node of link.isCut ? [] : link.nodes) {
          if (seen.has(node)) continue;
          seen.add(node);
          queue.push([...path, node]);
        }
    }
    return undefined;
  }

  /** Messages of a type on their way between two nodes, in order. */
  messages(from: string, to: string, type?: string): readonly RsvpMessage[] {
    return this.log
      .filter((logged) => logged.from === from && logged.to === to)
      .flatMap(({ message }) => message.messages ?? [message])
      .filter((message) => type === undefined || message.type === type);
  }

  // Applications, in short.

  session(name: string, destination: string, port = 5000, protocol = 17): number {
    const node = this.at(name);
    const { application, effects } = node.rsvp.session(this.now, { destination, protocol, port });
    node.do(effects);
    return application;
  }
}

/** Hosts at both ends and routers between them, in a row. */
export function line(
  names: readonly string[],
  link: LinkOptions = {},
  options: Partial<EngineOptions> = {},
): Network {
  const net = new Network();
  for (const [i, name] of names.entries())
    if (i === 0 || i === names.length - 1) net.host(name, { refreshPeriod: options.refreshPeriod ?? 30_000 });
    else net.router(name, options);
  for (let i = 1; i < names.length; i++) net.link([names[i - 1]!, names[i]!], link);
  return net.start();
}

/** A path from the first host of a line to the last one, and a reservation for it. */
export function reserveAlong(
  net: Network,
  from: string,
  to: string,
  amount = 1,
  style: 'FF' | 'SE' | 'WF' = 'FF',
): { readonly sender: string; readonly destination: string } {
  const source = net.at(from);
  const target = net.at(to);
  const sender = source.interfaces[0]!.addresses[0]!;
  const destination = target.interfaces[0]!.addresses[0]!;
  const sending = net.session(from, destination);
  source.do(source.rsvp.sender(net.now, sending, { address: sender, port: 6000, tspec: tspec(amount) }));
  const receiving = net.session(to, destination);
  net.runFor(100);
  const senders = style === 'WF' ? [] : [{ address: sender, port: 6000 }];
  target.do(target.rsvp.reserve(net.now, receiving, { style, flows: [{ flow: flow(amount), senders }] }));
  net.runFor(100);
  return { sender, destination };
}
