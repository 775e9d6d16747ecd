import type { Flow } from '../../rsvp/engine/index.js';
import { lubOf } from './flows.js';
import type { Routes } from './routes.js';
import type { Port, Site } from './topology.js';
import { nameOf } from './wishes.js';
import type { ApplicationWish, SenderName, SessionWish } from './wishes.js';

/**
 * What the state of a network at rest must be, by RFC 2205: computed from the topology, its routes and what applications want. It
 * knows nothing of messages, timers and our code.
 */

export const LOCAL = 0;

/** Who refuses what for reasons of policy, for ever. */
export interface Refusals {
  path(site: Site, session: SessionWish, sender: SenderName): boolean;
  resv(site: Site, session: SessionWish, outgoing: number): boolean;
}

export interface ExpectedPath {
  readonly site: Site;
  readonly sender: SenderName;
  readonly rate: number;
  /** The previous hop's port; undefined: an application here. */
  readonly hop: Port | undefined;
  readonly incoming: number;
  readonly outgoing: readonly number[];
  /** It came in where routing does not expect it: of no use, and so RFC 2961 5.3 lets it be missing. */
  readonly isOffTree: boolean;
}

export interface ExpectedReservation {
  readonly site: Site;
  /** The next hop's port; undefined: an application here. */
  readonly hop: Port | undefined;
  readonly interface: number;
  readonly flow: Flow;
  /** None: any. */
  readonly senders: readonly SenderName[];
  /** Undefined: no SCOPE. */
  readonly scope: ReadonlySet<string> | undefined;
}

/** What a previous hop is told. */
export interface ExpectedUpstream {
  readonly site: Site;
  readonly hop: Port;
  readonly incoming: number;
  readonly flows: readonly { readonly flow: Flow; readonly senders: readonly SenderName[] }[];
  readonly scope: ReadonlySet<string> | undefined;
  readonly used: readonly ExpectedReservation[];
}

export interface ExpectedSession {
  readonly session: SessionWish;
  readonly paths: readonly ExpectedPath[];
  readonly reservations: readonly ExpectedReservation[];
  readonly upstreams: readonly ExpectedUpstream[];
  /**
   * What shared reservations ask for may go round in a circle of sites that all send and receive: RSVP then keeps up the most that
   * was ever asked for, until nobody asks at all. Flows are a lower bound there.
   */
  readonly isSelfFeeding: boolean;
}

export function expect(
  routes: Routes,
  session: SessionWish,
  applications: readonly ApplicationWish[],
  refusals: Refusals | undefined,
): ExpectedSession {
  const paths = pathsOf(routes, session, applications, refusals);
  const local = localReservations(session, applications);
  let reservations = local;
  // Each round carries reservations one hop further.
  for (let round = 0; ; round++) {
    const upstreams = upstreamsOf(session, paths, reservations);
    const next = [...local, ...upstreams.flatMap((upstream) => arrivals(session, upstream, refusals))];
    if (round > 100) throw new Error('model: reservations do not come to rest');
    const isDone = fingerprint(next) === fingerprint(reservations);
    reservations = next;
    if (isDone) return { session, paths, reservations, upstreams, isSelfFeeding: hasCircle(upstreams) };
  }
}

/** RFC 2205 2.1: Paths follow the data; each site remembers where they came from. */
function pathsOf(
  routes: Routes,
  session: SessionWish,
  applications: readonly ApplicationWish[],
  refusals: Refusals | undefined,
): readonly ExpectedPath[] {
  const found: ExpectedPath[] = [];
  const members = new Set(applications.map(({ site }) => site));
  const visit = (sender: SenderName, rate: number, at: Port | Site, hop: Port | undefined): void => {
    const site = 'site' in at ? at.site : at;
    const incoming = 'site' in at ? at.index : LOCAL;
    if (hop !== undefined && refusals?.path(site, session, sender) === true) return;
    const route = routes.route(site, session.destination, sender.address);
    const isOffTree = session.isMulticast && hop !== undefined && route?.incoming !== incoming;
    const onward =
      isOffTree || (site.isHost && hop !== undefined)
        ? []
        : (route?.outgoing ?? []).filter((index) => index !== incoming && portAt(site, index).link.isUp);
    const isReceiver = session.isMulticast
      ? members.has(site)
      : routes.topology.portOf(session.destination)?.site === site;
    const outgoing = isReceiver ? [LOCAL, ...onward] : onward;
    found.push({ site, sender, rate, hop, incoming, outgoing, isOffTree });
    for (const index of onward) {
      const out = portAt(site, index);
      for (const next of listeners(routes, session, out, members)) visit(sender, rate, next, out);
    }
  };
  for (const { site, sends } of applications)
    for (const [sender, { rate }] of sends) visit(sender, rate, site, undefined);
  return found;
}

/** Who gets what leaves by a port. */
function listeners(
  routes: Routes,
  session: SessionWish,
  out: Port,
  members: ReadonlySet<Site>,
): readonly Port[] {
  if (session.isMulticast)
    return out.link.ports.filter((port) => port !== out && (!port.site.isHost || members.has(port.site)));
  const to = routes.topology.portOf(session.destination)?.site;
  const hop = to === undefined ? undefined : routes.next(out.site, to);
  return hop === undefined ? [] : [hop.to];
}

function localReservations(
  session: SessionWish,
  applications: readonly ApplicationWish[],
): readonly ExpectedReservation[] {
  return applications.flatMap(({ site, reserves }) =>
    reserves.map(({ flow, senders }) => ({
      ...{ site, hop: undefined, interface: LOCAL, flow, scope: undefined },
      senders: session.style === 'WF' ? [] : senders,
    })),
  );
}

function isFor(session: SessionWish, path: ExpectedPath, reservation: ExpectedReservation): boolean {
  const { site, sender, outgoing } = path;
  if (site !== reservation.site || !outgoing.includes(reservation.interface)) return false;
  if (session.style !== 'WF') return reservation.senders.includes(sender);
  return reservation.scope === undefined || reservation.scope.has(sender.address);
}

/** RFC 2205 2.2, 3.4: all that is reserved for the senders of one previous hop, merged by the rules of the style. */
function upstreamsOf(
  session: SessionWish,
  paths: readonly ExpectedPath[],
  reservations: readonly ExpectedReservation[],
): readonly ExpectedUpstream[] {
  const groups = new Map<string, ExpectedPath[]>();
  const hops = new Map<Site, number>();
  for (const path of paths) {
    if (path.hop === undefined) continue;
    const key = `${path.site.name} ${path.incoming} ${path.hop.site.name}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [path]);
      hops.set(path.site, (hops.get(path.site) ?? 0) + 1);
    } else group.push(path);
  }
  const told: ExpectedUpstream[] = [];
  for (const group of groups.values()) {
    const [first] = group;
    if (first?.hop === undefined) continue;
    const { site, hop, incoming } = first;
    const used = reservations.filter((one) => group.some((path) => isFor(session, path, one)));
    if (used.length === 0) continue;
    const reserved = group.filter((path) => used.some((one) => isFor(session, path, one)));
    const senders = reserved.map(({ sender }) => sender);
    const about = { site, hop, incoming, used };
    if (session.style === 'FF') {
      const flows = reserved.map((path) => ({
        flow: lubOf(used.filter((one) => isFor(session, path, one)).map(({ flow }) => flow)),
        senders: [path.sender],
      }));
      told.push({ ...about, flows, scope: undefined });
      continue;
    }
    const flow = lubOf(used.map((one) => one.flow));
    if (session.style === 'SE') told.push({ ...about, flows: [{ flow, senders }], scope: undefined });
    else {
      const isScoped = (hops.get(site) ?? 0) > 1 || used.some(({ scope }) => scope !== undefined);
      const scope = isScoped ? new Set(senders.map(({ address }) => address)) : undefined;
      told.push({ ...about, flows: [{ flow, senders: [] }], scope });
    }
  }
  return told;
}

/** What the previous hop makes of it. */
function arrivals(
  session: SessionWish,
  { site, hop, incoming, flows, scope }: ExpectedUpstream,
  refusals: Refusals | undefined,
): readonly ExpectedReservation[] {
  if (refusals?.resv(hop.site, session, hop.index) === true) return [];
  const from = portAt(site, incoming);
  return flows.map(({ flow, senders }) => ({
    ...{ site: hop.site, hop: from, interface: hop.index, flow, senders, scope },
  }));
}

/** Does what is told to one hop come back by others? */
function hasCircle(upstreams: readonly ExpectedUpstream[]): boolean {
  const feeds = (one: ExpectedUpstream, other: ExpectedUpstream): boolean =>
    one.hop.site === other.site &&
    other.used.some(
      (used) => used.hop === portAt(one.site, one.incoming) && used.interface === one.hop.index,
    );
  const state = new Map<ExpectedUpstream, 'open' | 'done'>();
  const visit = (one: ExpectedUpstream): boolean => {
    const known = state.get(one);
    if (known !== undefined) return known === 'open';
    state.set(one, 'open');
    const isClosed = upstreams.some((other) => feeds(one, other) && visit(other));
    state.set(one, 'done');
    return isClosed;
  };
  return upstreams.some(visit);
}

function fingerprint(reservations: readonly ExpectedReservation[]): string {
  return reservations
    .map(({ site, hop, interface: index, flow, senders, scope }) =>
      [
        site.name,
        hop?.site.name,
        index,
        JSON.stringify(flow),
        senders.map(nameOf),
        [...(scope ?? ['*'])],
      ].join(),
    )
    .sort()
    .join('\n');
}

export function portAt(site: Site, index: number): Port {
  const port = site.ports[index - 1];
  if (port === undefined) throw new RangeError(`${site.name} has no interface ${index}`);
  return port;
}
