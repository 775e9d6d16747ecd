/** What `ip -json` of iproute2 prints, as far as it is used. What has another form is left out, never guessed. */

export interface KernelLink {
  readonly name: string;
  readonly index: number;
  readonly mtu: number;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  /** Those that may be sent from: global ones before link-local ones. */
  readonly addresses: readonly string[];
}

export interface KernelRoute {
  /** As iproute2 names it; `unicast` where it says nothing. */
  readonly type: string;
  readonly table: string;
  /** With the length; `0.0.0.0/0` or `::/0` for `default`. */
  readonly prefix: string;
  readonly metric: number;
  /** In the kernel's order; none for `blackhole` and its like. */
  readonly hops: readonly KernelHop[];
}

export interface KernelHop {
  readonly device: string;
  readonly gateway: string | undefined;
  /** `dead`: the kernel does not use it. `linkdown`: nobody hears what goes there. */
  readonly isDead: boolean;
  readonly isLinkDown: boolean;
}

export interface KernelMulticastRoute {
  readonly group: string;
  /** Undefined: any. */
  readonly source: string | undefined;
  readonly incoming: string;
  readonly outgoing: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** Of `ip -json address show`. */
export function readLinks(json: unknown): KernelLink[] {
  return list(json).flatMap((link) => {
    const { ifname, ifindex, mtu } = link;
    const flags = strings(link['flags']);
    if (typeof ifname !== 'string' || typeof ifindex !== 'number' || typeof mtu !== 'number') return [];
    const all = list(link['addr_info']).filter(
      // An address that is still being checked for duplicates cannot be sent from.
      (one) => typeof one['local'] === 'string' && one['tentative'] !== true && one['dadfailed'] !== true,
    );
    const inScope = (isWanted: (scope: unknown) => boolean): string[] =>
      all.filter(({ scope }) => isWanted(scope)).map(({ local }) => local as string);
    return {
      name: ifname,
      index: ifindex,
      mtu,
      isUp: flags.includes('UP') && flags.includes('LOWER_UP'),
      isLoopback: flags.includes('LOOPBACK'),
      addresses: [...inScope((scope) => scope !== 'link'), ...inScope((scope) => scope === 'link')],
    };
  });
}

/** Of `ip -4 -json route show table all`, or `-6`. */
export function readRoutes(json: unknown, family: 4 | 6): KernelRoute[] {
  return list(json).flatMap((route) => {
    const { dst, metric } = route;
    if (typeof dst !== 'string') return [];
    const all = family === 4 ? '0.0.0.0/0' : '::/0';
    const hops = Array.isArray(route['nexthops']) ? list(route['nexthops']) : [route];
    return {
      type: typeof route['type'] === 'string' ? route['type'] : 'unicast',
      table: typeof route['table'] === 'string' ? route['table'] : 'main',
      prefix: dst === 'default' ? all : dst,
      metric: typeof metric === 'number' ? metric : 0,
      hops: hops.flatMap(readHop),
    };
  });
}

function readHop(hop: Json): KernelHop[] {
  const { dev, gateway, via } = hop;
  const flags = strings(hop['flags']);
  if (typeof dev !== 'string') return [];
  // An IPv4 route may lead over an IPv6 router (RFC 8950).
  const other = typeof via === 'object' && via !== null && 'host' in via ? via.host : undefined;
  const address = gateway ?? other;
  return [
    {
      device: dev,
      gateway: typeof address === 'string' ? address : undefined,
      isDead: flags.includes('dead'),
      isLinkDown: flags.includes('linkdown'),
    },
  ];
}

/** Of `ip -json mroute show`, or `-6`. */
export function readMulticastRoutes(json: unknown): KernelMulticastRoute[] {
  return list(json).flatMap((route) => {
    const { dst, src, iif } = route;
    if (typeof dst !== 'string' || typeof iif !== 'string' || route['state'] === 'unresolved') return [];
    const outgoing = list(route['multipath']).flatMap(({ oif }) => (typeof oif === 'string' ? [oif] : []));
    const isAny = typeof src !== 'string' || src === '0.0.0.0' || src === '::';
    return { group: dst, source: isAny ? undefined : src, incoming: iif, outgoing };
  });
}

function list(json: unknown): Json[] {
  if (!Array.isArray(json)) return [];
  return json.filter((one): one is Json => typeof one === 'object' && one !== null);
}

function strings(json: unknown): readonly string[] {
  return Array.isArray(json) ? json.filter((one): one is string => typeof one === 'string') : [];
}
