import type { Route } from '../engine/node.js';
import { isMulticast } from './address.js';
import type { KernelHop, KernelLink, KernelMulticastRoute, KernelRoute } from './ip-json.js';
import { parsePrefix, PrefixTable } from './prefix-table.js';

/** A multicast route that somebody configured. Interfaces by name. */
export interface StaticMulticastRoute {
  /** A group or a prefix of groups. */
  readonly group: string;
  /** Undefined: any. */
  readonly source?: string;
  readonly incoming: string;
  readonly outgoing: readonly string[];
}

/** How a unicast destination is reached. */
export interface NextHop {
  readonly interface: number;
  /** Undefined: the destination is on the local network. */
  readonly gateway: string | undefined;
}

type Entry =
  { readonly kind: 'own' } | { readonly kind: 'none' } | { readonly kind: 'hop'; readonly hop: NextHop };

/** What the kernel does, in order (`ip rule`, where nobody has changed it). */
const TABLES = ['local', 'main', 'default'];

/** One reading of the kernel's routes, and what follows from it for a destination. Never changed. */
export class RouteTable {
  readonly #tables = new Map<string, PrefixTable<Entry>>(
    TABLES.map((name) => [name, new PrefixTable<Entry>()]),
  );
  readonly #groups = new Map<string, Route>();
  readonly #static = new PrefixTable<{ readonly source: string | undefined; readonly route: Route }[]>();
  readonly #index: ReadonlyMap<string, number>;
  /** Each route as text, by table and prefix, or group: what differs between two readings has changed. */
  readonly texts = new Map<string, string>();

  constructor(
    links: readonly KernelLink[],
    routes: readonly KernelRoute[],
    multicast: readonly KernelMulticastRoute[],
    configured: readonly StaticMulticastRoute[],
  ) {
    this.#index = new Map(links.map(({ name, index }) => [name, index]));
    // Of several routes to a prefix the kernel uses the one with the lowest metric.
    for (const route of [...routes].sort((a, b) => a.metric - b.metric)) this.#add(route);
    for (const route of multicast) {
      const found = this.#routeOf(route.incoming, route.outgoing);
      if (found === undefined) continue;
      const key = groupKey(route.group, route.source);
      this.#groups.set(key, found);
      this.texts.set(`multicast ${key}`, `${found.incoming ?? ''}>${found.outgoing.join()}`);
    }
    for (const route of configured) this.#configure(route);
  }

  /** As `Routing.route`. */
  route(destination: string, source?: string): Route | undefined {
    if (isMulticast(destination)) {
      const route = this.#multicastRoute(destination, source);
      if (route !== undefined) return route;
      // What a host sends to a group leaves as unicast routes say; what others send goes nowhere.
      if (source !== undefined && !this.isOwn(source)) return undefined;
    }
    const entry = this.#find(destination);
    if (entry === undefined || entry.kind === 'none') return undefined;
    return entry.kind === 'own' ? OWN : { outgoing: [entry.hop.interface] };
  }

  isOwn(address: string): boolean {
    return this.#find(address)?.kind === 'own';
  }

  /** Undefined: there is no route, or the address is ours. */
  nextHop(destination: string): NextHop | undefined {
    const entry = this.#find(destination);
    return entry?.kind === 'hop' ? entry.hop : undefined;
  }

  /** Prefixes and groups whose route differs from `before`. */
  changedSince(before: RouteTable): string[] {
    const changed = new Set<string>();
    const note = (key: string): Set<string> => changed.add(key.slice(key.indexOf(' ') + 1));
    for (const [key, text] of this.texts) if (before.texts.get(key) !== text) note(key);
    for (const key of before.texts.keys()) if (!this.texts.has(key)) note(key);
    return [...changed];
  }

  #multicastRoute(group: string, source: string | undefined): Route | undefined {
    const exact = source === undefined ? undefined : this.#groups.get(groupKey(group, source));
    const found = exact ?? this.#groups.get(groupKey(group, undefined));
    if (found !== undefined) return found;
    const configured = this.#static.find(group);
    const own =
      configured?.find((one) => one.source === source) ?? configured?.find((one) => one.source === undefined);
    return own?.route;
  }

  #find(destination: string): Entry | undefined {
    for (const table of this.#tables.values()) {
      const entry = table.find(destination);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  #add(route: KernelRoute): void {
    const table = this.#tables.get(route.table);
    const prefix = parsePrefix(route.prefix);
    if (table === undefined || prefix === undefined || table.at(prefix) !== undefined) return;
    const entry = this.#entryOf(route);
    if (entry === undefined) return;
    table.set(prefix, entry);
    const hop = entry.kind === 'hop' ? `${entry.hop.interface} ${entry.hop.gateway ?? ''}` : '';
    this.texts.set(`${route.table} ${route.prefix}`, `${entry.kind} ${hop}`);
  }

  #entryOf({ type, hops }: KernelRoute): Entry | undefined {
    switch (type) {
      case 'local':
      case 'anycast':
        return { kind: 'own' };
      case 'unicast': {
        const hop = chosen(hops);
        const index = hop === undefined ? undefined : this.#index.get(hop.device);
        return index === undefined
          ? undefined
          : { kind: 'hop', hop: { interface: index, gateway: hop?.gateway } };
      }
      case 'multicast':
        return undefined;
      default:
        // broadcast, blackhole, unreachable, prohibit, throw: nothing RSVP could reserve for.
        return { kind: 'none' };
    }
  }

  #configure({ group, source, incoming, outgoing }: StaticMulticastRoute): void {
    const prefix = parsePrefix(group);
    if (prefix === undefined)
      throw new TypeError(`multicast route: \`${group}\` is neither a group nor a prefix`);
    const route = this.#routeOf(incoming, outgoing);
    // An interface that is not there (yet): the next reading may find it.
    if (route === undefined) return;
    const routes = this.#static.at(prefix) ?? [];
    routes.push({ source, route });
    this.#static.set(prefix, routes);
    this.texts.set(`static ${groupKey(group, source)}`, `${route.incoming ?? ''}>${route.outgoing.join()}`);
  }

  #routeOf(incoming: string, outgoing: readonly string[]): Route | undefined {
    const index = this.#index.get(incoming);
    if (index === undefined) return undefined;
    return { incoming: index, outgoing: outgoing.flatMap((name) => this.#index.get(name) ?? []) };
  }
}

/** The destination is ours. */
const OWN: Route = { outgoing: [] };

/** Of a multipath route the first that works: the same for all flows, and until it fails. */
function chosen(hops: readonly KernelHop[]): KernelHop | undefined {
  const alive = hops.filter(({ isDead }) => !isDead);
  return alive.find(({ isLinkDown }) => !isLinkDown) ?? alive[0];
}

function groupKey(group: string, source: string | undefined): string {
  return `${group} from ${source ?? 'any'}`;
}
