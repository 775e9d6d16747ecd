import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Engine } from '../../rsvp/engine/engine.js';
import type { EngineEffect } from '../../rsvp/engine/effect.js';
import type { EngineEvent } from '../../rsvp/engine/event.js';
import type { NodeInterface } from '../../rsvp/engine/node.js';
import type { EngineOptions } from '../../rsvp/engine/options.js';
import type { PolicyAnswer } from '../../rsvp/engine/policy.js';
import type { ExchangeInterface } from '../../rsvp/exchange/index.js';
import { KernelNetwork } from '../../rsvp/io/kernel-network.js';
import type { InterfaceSettings } from '../../rsvp/io/kernel-network.js';
import { RawTransport } from '../../rsvp/io/raw.js';
import { EngineRunner } from '../../rsvp/io/runner.js';
import { addStatistics } from '../../rsvp/io/transport.js';
import type { Transport, TransportStatistics } from '../../rsvp/io/transport.js';
import { UdpTransport } from '../../rsvp/io/udp.js';
import type { TrafficControl } from '../../rsvp/traffic/index.js';
import type { Logger } from '../pdp/log.js';
import { PolicyFront } from './policy/front.js';
import type { PolicyModule, Revised } from './policy/module.js';

/** What is said of an interface, by its name. */
export interface NodeSettings extends InterfaceSettings {
  readonly udp?: boolean;
  /** Undefined: as the exchange does by default. */
  readonly exchange?: Omit<ExchangeInterface, 'mtu'>;
}

export interface NodeOptions {
  readonly isHost: boolean;
  /** Undefined: RSVP does not run there. */
  readonly settings: (name: string) => NodeSettings | undefined;
  readonly engine?: Pick<EngineOptions, 'refreshPeriod' | 'limits' | 'policy' | 'isShared'>;
  /** Most neighbours that are remembered. */
  readonly neighbours?: number;
  readonly traffic: TrafficControl;
  /** Made once the interfaces are known; what it revises goes to the engine. */
  readonly policy: (
    find: (index: number) => NodeInterface | undefined,
    revised: Revised,
  ) => Promise<PolicyModule>;
  readonly event: (event: EngineEvent) => void;
  readonly log: Logger;
  /** A host without privilege: RSVP in UDP alone (RFC 2205 Appendix C). */
  readonly isUdpOnly?: boolean;
}

/** Messages by interface. */
export interface PacketCounts {
  received: number;
  sent: number;
}

/**
 * An engine in the world: packets from and to the kernel, routes and interfaces as they change, time, policy and traffic
 * control. All that goes on in here is one effect after the other; nothing is lost because something else is slow.
 */
export class RsvpNode {
  readonly counts = new Map<number, PacketCounts>();
  readonly engine: Engine;
  readonly policy: PolicyFront;
  readonly #transports: readonly Transport[];
  readonly #raw: RawTransport | undefined;
  readonly #udp: UdpTransport | undefined;
  readonly #runner: EngineRunner<Engine>;

  /** Throws what keeps it from starting, with all closed again. */
  static async start(options: NodeOptions): Promise<RsvpNode> {
    let node: RsvpNode | undefined;
    const network = await KernelNetwork.start({
      settings: options.settings,
      onChange: () => node?.networkChanged(),
      onTrouble: (text) => options.log.warn({ problem: text }, 'network'),
    });
    let module: PolicyModule | undefined;
    try {
      const find = (index: number): NodeInterface | undefined =>
        network.interfaces.find((one) => one.index === index);
      module = await options.policy(find, (question, answer) => node?.revise(question, answer));
      await options.traffic.start(controlled(network.interfaces));
      node = new RsvpNode(network, module, options);
      node.#runner.start();
      return node;
    } catch (error) {
      await network.close();
      await module?.close();
      await options.traffic.close();
      throw error;
    }
  }

  private constructor(
    readonly network: KernelNetwork,
    module: PolicyModule,
    private readonly options: NodeOptions,
  ) {
    const { isHost, log, isUdpOnly = false } = options;
    this.policy = new PolicyFront(module, (error) => log.error({ err: error }, 'policy failed'));
    this.engine = new Engine({
      ...options.engine,
      isHost,
      routing: network,
      interfaces: network.interfaces,
      random: Math.random,
      exchangeInterface: (index) => options.settings(this.nameOf(index))?.exchange,
      exchange: {
        ...freshNumbers(),
        ...(options.neighbours === undefined ? {} : { neighbourLimit: options.neighbours }),
      },
    });
    const usesUdp = isUdpOnly || network.interfaces.some(({ name }) => options.settings(name)?.udp === true);
    this.#raw = isUdpOnly ? undefined : new RawTransport({ intercepts: !isHost });
    this.#udp = usesUdp
      ? new UdpTransport({
          role: isUdpOnly ? 'host' : 'router',
          interfaces: network.interfaces,
          encapsulated: network.interfaces
            .filter(({ name }) => options.settings(name)?.udp === true)
            .map(({ index }) => index),
          firstHop: ({ destination }) => {
            const gateway = network.nextHop(destination)?.gateway;
            return gateway === undefined ? undefined : { address: gateway };
          },
        })
      : undefined;
    this.#transports = [this.#raw, this.#udp].filter((one) => one !== undefined);
    this.#runner = new EngineRunner({
      engine: this.engine,
      transports: this.#transports.map((transport) => counting(transport, this.counts)),
      traffic: options.traffic,
      policy: this.policy,
      onEvent: options.event,
      onTrouble: (trouble) =>
        log.warn(trouble instanceof Error ? { problem: trouble.message } : trouble, 'trouble'),
      now,
    });
  }

  get statistics(): TransportStatistics {
    return addStatistics(this.#transports.map(({ statistics }) => statistics));
  }

  /** The engine's clock: milliseconds since 1970 that never go back. */
  now(): number {
    return now();
  }

  nameOf(index: number): string {
    return this.network.interfaces.find((one) => one.index === index)?.name ?? String(index);
  }

  /** Calls the engine with the time that it is, and does what it says. */
  run(work: (now: number) => readonly EngineEffect[]): void {
    this.#runner.call((_engine, at) => work(at));
  }

  /** An answer of policy that nobody asked for. */
  revise(question: number, answer: PolicyAnswer): void {
    if (this.policy.isAsking(question)) return;
    this.policy.count(answer);
    this.run((at) => this.engine.decided(at, question, answer));
  }

  /** Packets to this group come in by this interface from now on. */
  join(group: string, index: number): void {
    this.#raw?.join(group, index);
  }

  /** Interfaces, addresses or routes are not what they were. */
  networkChanged(): void {
    const { interfaces } = this.network;
    const { traffic, log } = this.options;
    const known = new Set(this.engine.interfaces().map(({ index }) => index));
    const failed = (error: unknown): void => log.error({ err: error }, 'traffic control failed');
    for (const one of controlled(interfaces.filter(({ index }) => !known.has(index))))
      traffic.add(one).catch(failed);
    for (const index of known) {
      if (!interfaces.some((one) => one.index === index)) traffic.remove(index).catch(failed);
    }
    this.#runner.networkChanged(interfaces);
  }

  /** Waits until all is said. `tears`: what hangs on this node is torn down; else it times out with the neighbours. */
  async close(tears = true): Promise<void> {
    await this.#runner.close({ tears });
    await this.network.close();
    await this.policy.module.close();
    await this.options.traffic.close();
  }
}

/** Never goes back, and is the time of day: keys have lifetimes. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Numbers that differ from those before the last restart (RFC 2961 4.2, RFC 2747 3.2 and 4.3). */
function freshNumbers() {
  const seconds = BigInt(Math.floor(Date.now() / 1000)) + NTP_EPOCH;
  return {
    epoch: randomBytes(3).readUIntBE(0, 3),
    firstMessageIdentifier: randomBytes(4).readUInt32BE(),
    firstSequenceNumber: seconds << 32n,
    secret: randomBytes(32),
  };
}

/** Seconds from 1900 to 1970. */
const NTP_EPOCH = 2_208_988_800n;

/** Where something may be reserved, traffic control is ours. */
function controlled(interfaces: readonly NodeInterface[]) {
  return interfaces
    .filter(({ reservable }) => reservable > 0)
    .map(({ name, index, mtu, bandwidth }) => ({ name, index, mtu, rate: bandwidth }));
}

/** Counts what goes through, by interface. */
function counting(transport: Transport, counts: Map<number, PacketCounts>): Transport {
  const of = (index: number): PacketCounts => {
    let one = counts.get(index);
    if (one === undefined) counts.set(index, (one = { received: 0, sent: 0 }));
    return one;
  };
  return {
    start: (receiver) =>
      transport.start({
        packets: (packets) => {
          for (const packet of packets) of(packet.interface).received++;
          receiver.packets(packets);
        },
        trouble: (trouble) => receiver.trouble(trouble),
      }),
    send: (packets) => {
      for (const packet of packets) of(packet.interface).sent++;
      transport.send(packets);
    },
    setInterfaces: (interfaces) => transport.setInterfaces?.(interfaces),
    close: () => transport.close(),
    get statistics() {
      return transport.statistics;
    },
  };
}
