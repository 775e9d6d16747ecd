import type { Link, Port, Site, Topology } from './topology.js';
import { isGroup } from './topology.js';

/** The way to the next site. */
export interface Hop {
  readonly out: Port;
  readonly to: Port;
}

/**
 * What routing knows at one time: shortest paths for unicast, reverse shortest paths from the members to the source for
 * multicast. Nothing here knows RSVP.
 */
export class Routes {
  readonly #up: ReadonlySet<Link>;
  readonly #hops = new Map<Site, ReadonlyMap<Site, Hop>>();
  readonly #trees = new Map<string, ReadonlyMap<Site, ReadonlySet<number>>>();

  constructor(
    readonly topology: Topology,
    /** Sites that have joined a group. */
    readonly members: ReadonlyMap<string, ReadonlySet<Site>>,
    readonly version: number,
  ) {
    this.#up = new Set(topology.links.filter(({ isUp }) => isUp));
  }

  /** Undefined: there is no way. */
  next(from: Site, to: Site): Hop | undefined {
    let hops = this.#hops.get(to);
    if (hops === undefined) this.#hops.set(to, (hops = this.#search(to)));
    return hops.get(from);
  }

  /** Outgoing interfaces of a site, and where packets of the source come in. */
  route(
    site: Site,
    destination: string,
    source: string | undefined,
  ): { readonly outgoing: readonly number[]; readonly incoming?: number } | undefined {
    if (!isGroup(destination)) {
      const to = this.topology.portOf(destination)?.site;
      if (to === site) return { outgoing: [] };
      const hop = to === undefined ? undefined : this.next(site, to);
      return hop === undefined ? undefined : { outgoing: [hop.out.index] };
    }
    const from = source === undefined ? undefined : this.topology.portOf(source)?.site;
    if (from === undefined) return undefined;
    if (from === site) return { outgoing: site.ports.map(({ index }) => index) };
    const hop = this.next(site, from);
    if (hop === undefined) return undefined;
    const outgoing = [...(this.#tree(destination, from).get(site) ?? [])];
    return { outgoing, incoming: hop.out.index };
  }

  /** Each member's way back to the source, joined: outgoing interfaces of the sites on it. */
  #tree(group: string, source: Site): ReadonlyMap<Site, ReadonlySet<number>> {
    const key = `${group} ${source.name}`;
    const known = this.#trees.get(key);
    if (known !== undefined) return known;
    const tree = new Map<Site, Set<number>>();
    for (const member of this.members.get(group) ?? [])
      for (let site = member; site !== source;) {
        const hop = this.next(site, source);
        if (hop === undefined) break;
        const parent = hop.to;
        let outgoing = tree.get(parent.site);
        if (outgoing === undefined) tree.set(parent.site, (outgoing = new Set()));
        outgoing.add(parent.index);
        site = parent.site;
      }
    this.#trees.set(key, tree);
    return tree;
  }

  /** From all sites to one (Dijkstra). Hosts forward nothing. */
  #search(to: Site): ReadonlyMap<Site, Hop> {
    const hops = new Map<Site, Hop>();
    const distances = new Map<Site, number>([[to, 0]]);
    const done = new Set<Site>();
    for (;;) {
      let nearest: Site | undefined;
      for (const [site, distance] of distances)
        if (!done.has(site) && (nearest === undefined || distance < (distances.get(nearest) ?? 0)))
          nearest = site;
      if (nearest === undefined) return hops;
      done.add(nearest);
      if (nearest.isHost && nearest !== to) continue;
      const distance = distances.get(nearest) ?? 0;
      for (const port of nearest.ports) {
        if (!this.#up.has(port.link)) continue;
        for (const out of port.link.ports) {
          const through = distance + out.cost;
          if (out === port || through >= (distances.get(out.site) ?? Infinity)) continue;
          distances.set(out.site, through);
          hops.set(out.site, { out, to: port });
        }
      }
    }
  }
}
