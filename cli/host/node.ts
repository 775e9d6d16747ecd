import type { EngineEvent } from '../../rsvp/engine/event.js';
import type { HostNode } from '../../rsvp/host/index.js';
import { NullTrafficControl } from '../../rsvp/traffic/io/index.js';
import type { Logger } from '../pdp/log.js';
import { RsvpNode } from '../router/node.js';
import type { NodeSettings } from '../router/node.js';
import { linkSpeed } from '../router/link-speed.js';
import { noPolicy } from '../router/policy/none.js';

export interface EndSystemOptions {
  readonly refresh: number;
  /** Without privilege: RSVP in UDP (RFC 2205 Appendix C). */
  readonly isUdpOnly: boolean;
  readonly log: Logger;
}

/** Nothing is reserved in the kernel of an end system, and none of its links is too small. */
const NO_LIMIT = 1.25e12;

/** Several of these commands may run on a machine at once: to a neighbour they are one, and so number nothing (RFC 2961). */
function settingsOf(name: string): NodeSettings {
  const exchange = { refreshReduction: 'off' } as const;
  return { reservable: NO_LIMIT, bandwidth: linkSpeed(name) ?? NO_LIMIT, exchange };
}

/** An end system on this machine: an engine on all its interfaces. */
export class EndSystem implements HostNode {
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #node: RsvpNode | undefined;

  static async start({ refresh, isUdpOnly, log }: EndSystemOptions): Promise<EndSystem> {
    const system = new EndSystem();
    system.#node = await RsvpNode.start({
      isHost: true,
      isUdpOnly,
      settings: settingsOf,
      engine: { refreshPeriod: refresh, isShared: true },
      traffic: new NullTrafficControl(),
      policy: () => Promise.resolve(noPolicy()),
      event: (event) => {
        for (const listener of system.#listeners) listener(event);
      },
      log,
    });
    return system;
  }

  get node(): RsvpNode {
    if (this.#node === undefined) throw new Error('the end system was not started');
    return this.#node;
  }

  call(work: Parameters<HostNode['call']>[0]): void {
    const { node } = this;
    node.run((now) => work(node.engine, now));
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether an address is ours, and by which interface it is. */
  interfaceOf(address: string): number | undefined {
    return this.node.network.interfaces.find(({ addresses }) => addresses.includes(address))?.index;
  }

  /** Our address that packets for a destination leave from. */
  sourceFor(destination: string): string | undefined {
    const [index] = this.node.network.route(destination)?.outgoing ?? [];
    const isIpv6 = destination.includes(':');
    return this.node.network.interfaces
      .find((one) => one.index === index)
      ?.addresses.find((address) => address.includes(':') === isIpv6 && !/^fe[89ab]/i.test(address));
  }

  /** Packets to a group come in by all interfaces. */
  join(group: string): void {
    const isIpv6 = group.includes(':');
    for (const { index, isUp, addresses } of this.node.network.interfaces) {
      const isOurs = addresses.some((address) => address.includes(':') === isIpv6);
      if (isUp && isOurs && !addresses.some((address) => address === '127.0.0.1' || address === '::1'))
        this.node.join(group, index);
    }
  }

  /** `tears`: the neighbours are told; else what is left times out. */
  close(tears: boolean): Promise<void> {
    return this.node.close(tears);
  }
}
