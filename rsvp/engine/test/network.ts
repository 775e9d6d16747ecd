import { Engine } from '../engine.js';
import type { EngineEffect } from '../effect.js';
import type { EngineEvent, Upcall } from '../event.js';
import type { Flow } from '../flow.js';
import { isMulticast } from '../identity.js';
import type { NodeInterface, Route } from '../node.js';
import type { EngineOptions } from '../options.js';
import type { SentPacket } from '../packet.js';
import type { PolicyAnswer, PolicyQuestion } from '../policy.js';
import type { TrafficReservation } from '../traffic.js';
import { RSVP } from '../../wire/index.js';
import type { RsvpMessage } from '../../wire/index.js';

/**
 * Engines wired back to back in virtual time: no sockets, no clock. Links have a delay; routes are the shortest paths, multicast
 * trees those from the source to the members. A node without an engine is a router that does not know RSVP.
 */

/** An octet rate: flowspecs of the RFC's figures are multiples of it. */
export const B = 1000;

/** `n` B of controlled load. */
export function flow(n: number, more: Partial<Flow> = {}): Flow {
  return {
    service: 'controlled-load',
    rate: n * B,
    bucket: n * B,
    peak: n * B,
    minimumPolicedUnit: 64,
    maximumPacketSize: 1500,
    reservedRate: 0,
    slack: 0,
    ...more,
  };
}

export function tspec(n: number) {
  return { rate: n * B, bucket: n * B, peak: n * B, minimumPolicedUnit: 64, maximumPacketSize: 1500 };
}

export interface LinkOptions {
  readonly reservable?: number;
  readonly bandwidth?: number;
  readonly latency?: number;
  readonly mtu?: number;
  readonly delay?: number;
}

export interface Logged {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly packet: SentPacket;
  readonly message: RsvpMessage;
}

export class Node {
  readonly interfaces: NodeInterface[] = [];
  readonly links: Link[] = [];
  engine: Engine | undefined;
  readonly kernel = new Map<number, TrafficReservation>();
  readonly events: EngineEvent[] = [];
  readonly questions: PolicyQuestion[] = [];
  readonly effects: EngineEffect[] = [];
  /** Answers at once; undefined: the test answers. */
  answer: ((question: PolicyQuestion) => PolicyAnswer | undefined) | undefined;
  /** In place of the shortest path. */
  routes: ((destination: string, source: string | undefined) => Route | undefined) | undefined;

  constructor(
    readonly net: Network,
    readonly name: string,
    readonly options: Partial<EngineOptions> | undefined,
  ) {}

  /** The engine, for whoever knows that there is one. */
  get rsvp(): Engine {
    if (this.engine === undefined) throw new TypeError(`${this.name} has no engine`);
    return this.engine;
  }

  address(other: string, family: 4 | 6 = 4): string {
    const at = this.links.findIndex((link) =>
      link.nodes.some((node) => node.name === other && node !== this),
    );
    return this.interfaces[at]!.addresses[family === 4 ? 0 : 1]!;
  }

  /** Index of the interface towards another node. */
  towards(other: string): number {
    const at = this.links.findIndex((link) =>
      link.nodes.some((node) => node.name === other && node !== this),
    );
    return this.interfaces[at]!.index;
  }

  owns(address: string): boolean {
    return this.interfaces.some((link) => link.addresses.includes(address));
  }

  /** Performs what an engine asks for. */
  do(effects: readonly EngineEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      switch (effect.kind) {
        case 'send':
          this.net.send(this, effect.packet);
          break;
        case 'reserve':
          this.kernel.set(effect.reservation.id, effect.reservation);
          break;
        case 'release':
          if (!this.kernel.delete(effect.reservation)) throw new Error('released what was not reserved');
          break;
        case 'event':
          this.events.push(effect.event);
          break;
        case 'ask': {
          const { question } = effect;
          this.questions.push(question);
          const answer = this.answer?.(question);
          if (answer !== undefined)
            this.net.later(0, () => this.do(this.rsvp.decided(this.net.now, question.id, answer)));
          break;
        }
        case 'report':
        case 'forget':
          break;
      }
    }
  }

  upcalls(type?: Upcall['upcall']['type']): readonly Upcall[] {
    const all = this.events.filter((event): event is Upcall => event.kind === 'upcall');
    return type === undefined ? all : all.filter(({ upcall }) => upcall.type === type);
  }

  eventsOf<K extends EngineEvent['kind']>(kind: K): Extract<EngineEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { kind: K }> => event.kind === kind);
  }

  /** `eth0: 4000` by the name of the other end: what the kernel has. */
  reserved(other: string): readonly number[] {
    const index = this.towards(other);
    return [...this.kernel.values()].filter((one) => one.interface === index).map((one) => one.rate);
  }
}

export class Link {
  isCut = false;
  /** Drops what it says yes to. */
  loses: ((logged: Logged) => boolean) | undefined;

  constructor(
    readonly nodes: readonly Node[],
    readonly delay: number,
  ) {}
}

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
