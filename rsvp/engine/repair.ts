import type { Core } from './core.js';
import { NONE, sameList } from './frozen.js';
import { LOCAL, senderText } from './identity.js';
import { preempt, fewest } from './preemption.js';
import { removeReservation } from './resv-change.js';
import { forgetAdvert, routePath, syncAdverts } from './route.js';
import { Repair } from './state.js';
import type { Path, Session } from './state.js';
import { updateSession } from './traffic-control.js';
import { refreshUpstreams } from './upstream.js';
import { free } from './admission.js';
import type { NodeInterface } from './node.js';

/** Local repair (RFC 2205 3.6): routing says that routes have changed. */

/** All routes may have changed, or those to these destinations. */
export function routesChanged(core: Core, now: number, destinations?: ReadonlySet<string>): void {
  for (const session of core.sessions.values()) {
    if (destinations !== undefined && !destinations.has(session.destination)) continue;
    for (const path of session.paths) if (path.contents !== undefined) reroute(core, now, path);
  }
}

/** The path state is updated at once; Paths on the new route follow when routing has settled. */
function reroute(core: Core, now: number, path: Path): void {
  const before = path.outgoing;
  const wasOffTree = path.isLocalOnly;
  if (!routePath(core, path)) return;
  const { session, sender, outgoing } = path;
  core.event({
    kind: 'route-changed',
    session: session.text,
    sender: senderText(sender),
    from: before,
    to: outgoing,
    text: `${session.text}: data of ${senderText(sender)} leaves by ${namesOf(core, outgoing)}, no longer by ${namesOf(core, before)}`,
  });
  const left = before.filter((index) => index !== LOCAL && !outgoing.includes(index));
  for (const advert of path.adverts) if (left.includes(advert.interface)) forgetAdvert(core, advert);
  path.adverts = path.adverts.filter((advert) => !left.includes(advert.interface));
  // What is reserved on the old route counts until there is something on the new one, or it times out.
  if (!session.isMulticast || wasOffTree) path.former = left.length === 0 ? path.former : left;
  const repair = new Repair(path);
  repair.expiresAt = now + core.options.repairDelay;
  core.watch(repair);
}

function namesOf(core: Core, indices: readonly number[]): string {
  return indices.length === 0 ? 'no interface' : indices.map((index) => core.nameOf(index)).join(', ');
}

/** PATH LOCAL REPAIR (RFC 2209 2): W is over. */
export function repairDue(core: Core, now: number, path: Path): void {
  if (!path.session.paths.includes(path)) return;
  syncAdverts(core, now, path, false);
  if (path.session.isMulticast) updateSession(core, now, path.session, 'normal');
}

/** Interfaces have come, gone or changed; the routes are looked at as well. */
export function interfacesChanged(core: Core, now: number, interfaces: readonly NodeInterface[]): void {
  const before = new Map([...core.interfaces()].map((link) => [link.index, link]));
  core.setInterfaces(interfaces);
  const changed = new Set<number>();
  for (const index of new Set([...before.keys(), ...interfaces.map((link) => link.index)]))
    if (before.get(index) !== core.interface(index)) changed.add(index);
  const down = new Set([...changed].filter((index) => core.interface(index)?.isUp !== true));
  if (down.size > 0) for (const session of core.sessions.values()) dropReservations(core, now, session, down);
  routesChanged(core, now);
  for (const index of changed) if (!down.has(index)) fit(core, now, index);
  for (const session of core.sessions.values())
    for (const path of session.paths)
      for (const advert of path.adverts)
        // What an ADSPEC says of the link is not what it was.
        if (isOther(before.get(advert.interface), core.interface(advert.interface)))
          core.exchange.tell(now, advert);
}

function isOther(a: NodeInterface | undefined, b: NodeInterface | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return false;
  return (
    a.mtu !== b.mtu ||
    a.bandwidth !== b.bandwidth ||
    a.latency !== b.latency ||
    a.isBroken !== b.isBroken ||
    !sameList(a.addresses, b.addresses)
  );
}

function dropReservations(core: Core, now: number, session: Session, down: ReadonlySet<number>): void {
  let isChanged = false;
  for (const reservation of session.reservations) {
    if (!down.has(reservation.interface)) continue;
    removeReservation(core, now, reservation, 'interface-down');
    isChanged = true;
  }
  if (!isChanged) return;
  for (const path of session.paths) path.former = NONE;
  refreshUpstreams(core, now, session, 'normal');
}

/** Less may be reserved than is: the least important go. */
function fit(core: Core, now: number, index: number): void {
  const lacking = -free(core, index);
  if (lacking <= 0) return;
  const all = [...core.traffics.values()].filter((traffic) => traffic.interface === index);
  const claim = { preemptionPriority: 0, defendingPriority: 0 };
  for (const traffic of fewest(all, lacking) ?? all) preempt(core, now, traffic, '', claim);
}
