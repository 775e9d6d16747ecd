import { readFile } from 'node:fs/promises';
import type { NodeInterface, Route, Routing } from '../engine/node.js';
import { readLinks, readMulticastRoutes, readRoutes, type KernelLink } from './ip-json.js';
import { ipJson, IpMonitor } from './ip-monitor.js';
import { RouteTable, type NextHop, type StaticMulticastRoute } from './route-table.js';

/** What the kernel does not know of an interface. */
export type InterfaceSettings = Pick<NodeInterface, 'reservable' | 'bandwidth' | 'latency' | 'isBroken'>;

export interface KernelNetworkOptions {
  /** Undefined: RSVP does not run on it. Asked for each interface but the loopback one, whose addresses are ours. */
  readonly settings: (name: string) => InterfaceSettings | undefined;
  readonly multicastRoutes?: readonly StaticMulticastRoute[];
  readonly onChange?: (change: NetworkChange) => void;
  /** The kernel could not be asked. What was known stays in force, and it is tried again. */
  readonly onTrouble?: (text: string) => void;
}

/** Something has changed; what `interfaces` and `route` answer has so already. */
export interface NetworkChange {
  /** New ones, and those of which anything is different. */
  readonly interfaces: readonly NodeInterface[];
  /** Indexes of those that are gone. */
  readonly removed: readonly number[];
  /** Prefixes (`10.0.0.0/8`) and groups (`239.1.1.1 from 10.0.0.1`) that are reached otherwise than before, or no more. */
  readonly routes: readonly string[];
}

/** Changes come in bursts: the kernel is asked that long after the first, ms. */
const SETTLING = 30;
/** It is asked without a reason as well, in case one was missed, ms. */
const REGULARLY = 60_000;

/** Interfaces, addresses and routes of the kernel, kept up to date. */
export class KernelNetwork implements Routing {
  readonly #options: KernelNetworkOptions;
  readonly #monitor: IpMonitor;
  #interfaces: readonly NodeInterface[] = [];
  #table: RouteTable;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Infinity;
  #reading: Promise<void> | undefined;
  /** Counts what has changed while a reading went on. */
  #missed = 0;
  #isClosed = false;

  /** When all has been read for the first time; rejects where it cannot be. */
  static async start(options: KernelNetworkOptions): Promise<KernelNetwork> {
    const network = new KernelNetwork(options);
    try {
      // It listens before we read, so that no change falls between.
      await network.#monitor.start();
      await network.#read();
    } catch (error) {
      await network.close();
      throw error;
    }
    network.#readIn(REGULARLY);
    return network;
  }

  private constructor(options: KernelNetworkOptions) {
    this.#options = options;
    this.#table = new RouteTable([], [], [], options.multicastRoutes ?? []);
    this.#monitor = new IpMonitor(
      () => this.#readIn(SETTLING),
      (text) => options.onTrouble?.(text),
    );
  }

  /** Those that RSVP runs on, and the loopback one. */
  get interfaces(): readonly NodeInterface[] {
    return this.#interfaces;
  }

  route(destination: string, source?: string): Route | undefined {
    return this.#table.route(destination, source);
  }

  /** How a unicast destination is reached; undefined where it is not, or is ours. */
  nextHop(destination: string): NextHop | undefined {
    return this.#table.nextHop(destination);
  }

  /** `settings` has other answers than before: `onChange` follows where an interface is not what it was. */
  settingsChanged(): void {
    this.#readIn(0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#monitor.close();
    await this.#reading;
  }

  #readIn(delay: number): void {
    const at = performance.now() + delay;
    if (this.#isClosed || at >= this.#dueAt) return;
    if (this.#reading !== undefined) {
      this.#missed++;
      return;
    }
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => {
      this.#reading = this.#readAgain();
    }, delay);
  }

  async #readAgain(): Promise<void> {
    this.#dueAt = Infinity;
    const missed = this.#missed;
    const began = performance.now();
    try {
      await this.#read();
    } catch (error) {
      this.#options.onTrouble?.(error instanceof Error ? error.message : String(error));
    }
    this.#reading = undefined;
    // A large table that keeps changing leaves the machine half of its time.
    this.#readIn(this.#missed > missed ? Math.max(SETTLING, performance.now() - began) : REGULARLY);
  }

  async #read(): Promise<void> {
    const [addresses, routes4, routes6, multicast4, multicast6] = await Promise.all([
      ipJson('address', 'show'),
      ipJson('-4', 'route', 'show', 'table', 'all'),
      ipJson('-6', 'route', 'show', 'table', 'all'),
      ipJson('-4', 'mroute', 'show', 'table', 'all'),
      ipJson('-6', 'mroute', 'show', 'table', 'all'),
    ]);
    if (this.#isClosed) return;
    const links = readLinks(addresses);
    const table = new RouteTable(
      links,
      [...readRoutes(routes4, 4), ...readRoutes(routes6, 6)],
      [...readMulticastRoutes(multicast4), ...readMulticastRoutes(multicast6)],
      this.#options.multicastRoutes ?? [],
    );
    const before = this.#interfaces;
    // What has not changed stays the same value: that is how an engine sees it.
    const interfaces = links
      .flatMap((link) => this.#interfaceOf(link) ?? [])
      .map((one) => before.find((other) => isSame(one, other)) ?? one);
    const change = {
      interfaces: interfaces.filter((one) => !before.includes(one)),
      removed: before
        .filter(({ index }) => !interfaces.some((one) => one.index === index))
        .map(({ index }) => index),
      routes: table.changedSince(this.#table),
    };
    const isFirst = before.length === 0;
    this.#interfaces = interfaces;
    this.#table = table;
    const isChanged = change.interfaces.length + change.removed.length + change.routes.length > 0;
    if (isChanged && !isFirst) this.#options.onChange?.(change);
  }

  #interfaceOf({ name, index, addresses, mtu, isUp, isLoopback }: KernelLink): NodeInterface | undefined {
    const settings = isLoopback ? { reservable: 0, bandwidth: 0 } : this.#options.settings(name);
    return settings && { name, index, addresses, mtu, isUp, ...settings };
  }
}

/**
 * Whether the kernel forwards packets of a family: a router must, and an interceptor gets nothing where it does not.
 */
export async function isForwarding(family: 4 | 6): Promise<boolean> {
  const file = family === 4 ? 'ipv4/ip_forward' : 'ipv6/conf/all/forwarding';
  const text = await readFile(`/proc/sys/net/${file}`, 'utf8').catch(() => '0');
  return text.trim() === '1';
}

function isSame(one: NodeInterface, other: NodeInterface): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
