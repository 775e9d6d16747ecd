import type { Scheduler } from '../simulation/scheduler.js';

/** Routers, hosts and the links between them: what a network engineer would draw. */

export interface Site {
  readonly name: string;
  readonly isHost: boolean;
  readonly ports: Port[];
}

/** A site on a link. */
export interface Port {
  readonly site: Site;
  readonly link: Link;
  /** The kernel's index of the interface. */
  readonly index: number;
  /** IPv4, IPv6. */
  readonly addresses: readonly [string, string];
  /** Of leaving by it, for shortest paths; no two sums are equal. */
  readonly cost: number;
  /** Octets a second. */
  readonly reservable: number;
}

/** Two sites, or a broadcast link of several. */
export interface Link {
  readonly name: string;
  readonly ports: Port[];
  readonly delay: number;
  isUp: boolean;
}

export class Topology {
  readonly sites: Site[] = [];
  readonly links: Link[] = [];
  readonly #owners = new Map<string, Port>();

  /** A random one: a tree of routers, perhaps with links that close cycles, and hosts at its edge. */
  static random(scheduler: Scheduler, reservable: (scheduler: Scheduler) => number): Topology {
    const topology = new Topology();
    const routers: Site[] = [];
    const attach = (site: Site, link: Link): void =>
      topology.attach(site, link, scheduler.between(1, 10), reservable(scheduler));
    const join = (a: Site, b: Site): void => {
      const link = topology.link(scheduler.pick([1, 5, 20]));
      attach(a, link);
      attach(b, link);
    };
    const count = scheduler.pick([1, 2, 2, 3, 3, 4, 4, 5, 6]);
    for (let n = 1; n <= count; n++) {
      const router = topology.site(`r${n}`, false);
      if (n > 1) {
        const shared = topology.links.filter(({ ports }) => !ports.some(({ site }) => site === router));
        if (shared.length > 0 && scheduler.chance(0.2)) attach(router, scheduler.pick(shared));
        else join(router, scheduler.pick(routers));
      }
      routers.push(router);
    }
    if (count > 2 && scheduler.chance(0.6))
      for (let n = scheduler.pick([1, 1, 2, 3]); n > 0; n--) {
        const [a, b] = [scheduler.pick(routers), scheduler.pick(routers)];
        if (a !== b) join(a, b);
      }
    const hosts = scheduler.pick([2, 2, 3, 3, 4, 5]);
    for (let n = 1; n <= hosts; n++) {
      const host = topology.site(`h${n}`, true);
      if (topology.links.length > 0 && scheduler.chance(0.25)) attach(host, scheduler.pick(topology.links));
      else join(scheduler.pick(routers), host);
    }
    return topology;
  }

  site(name: string, isHost: boolean): Site {
    const site = { name, isHost, ports: [] };
    this.sites.push(site);
    return site;
  }

  link(delay: number): Link {
    const link = { name: `l${this.links.length + 1}`, ports: [], delay, isUp: true };
    this.links.push(link);
    return link;
  }

  attach(site: Site, link: Link, cost: number, reservable: number): void {
    const [network, host] = [this.links.indexOf(link) + 1, this.sites.indexOf(site) + 1];
    const addresses = [
      `10.${network}.0.${host}`,
      `2001:db8:${network.toString(16)}::${host.toString(16)}`,
    ] as const;
    const port = { site, link, index: site.ports.length + 1, addresses, cost, reservable };
    site.ports.push(port);
    link.ports.push(port);
    for (const address of addresses) this.#owners.set(address, port);
  }

  /** Whose address it is. */
  portOf(address: string): Port | undefined {
    return this.#owners.get(address);
  }
}

export function isGroup(address: string): boolean {
  return address.startsWith('224.') || address.startsWith('ff');
}
