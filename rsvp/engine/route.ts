import type { Core } from './core.js';
import { NONE, sameList } from './frozen.js';
import { LOCAL, senderText } from './identity.js';
import { askPathAdvert } from './policy-control.js';
import { PathAdvert } from './state.js';
import type { Path } from './state.js';

/** Where Paths go on (RFC 2209 2, "routing manipulations"; RFC 2205 3.9). */

/** Asks routing anew. True where the outgoing interfaces have changed. */
export function routePath(core: Core, path: Path): boolean {
  const { session, sender, outgoing } = path;
  const route = core.options.routing.route(session.destination, sender.address);
  const isOffTree =
    session.isMulticast &&
    path.incoming !== LOCAL &&
    route?.incoming !== undefined &&
    route.incoming !== path.incoming;
  // RFC 2205 3.9: state that is off the tree serves applications of this node, by the interface that they joined on.
  path.isLocalOnly = isOffTree;
  path.outgoing = core.list(isOffTree ? localOnly(path) : outgoingOf(core, path, route?.outgoing));
  return !sameList(outgoing, path.outgoing);
}

function outgoingOf(core: Core, path: Path, routed: readonly number[] | undefined): readonly number[] {
  const { session, incoming } = path;
  const isReceiver = session.isMulticast ? session.application !== 0 : core.isOwn(session.destination);
  const local = isReceiver ? [LOCAL] : [];
  if (routed === undefined) return local;
  // RFC 2205 2.3: nothing leaves by the interface that it came in by.
  const onward = routed.filter((index) => index !== incoming && core.interface(index)?.isUp === true);
  // An end system forwards nothing; what its applications send does leave.
  return core.options.isHost && incoming !== LOCAL ? local : [...onward, ...local];
}

function localOnly({ session }: Path): readonly number[] {
  return session.application === 0 ? NONE : [LOCAL];
}

/** Makes what is told downstream agree with the path state; `isChanged`: what is told already has to be told anew. */
export function syncAdverts(core: Core, now: number, path: Path, isChanged: boolean): void {
  const { contents, outgoing } = path;
  if (contents === undefined) return;
  const isSpent = contents.incoming !== LOCAL && contents.ttl <= 1;
  if (isSpent && outgoing.some((index) => index !== LOCAL)) reportSpent(core, path);
  const wanted = isSpent ? [] : outgoing.filter((index) => index !== LOCAL);
  const before = path.adverts;
  for (const advert of before) if (!wanted.includes(advert.interface)) forgetAdvert(core, advert);
  const kept = before.filter((advert) => wanted.includes(advert.interface));
  const made = wanted
    .filter((index) => !before.some((advert) => advert.interface === index))
    .map((index) => new PathAdvert(path, index));
  path.adverts = kept.length + made.length === 0 ? NONE : kept.concat(made);
  const isAskedOut = core.options.policy.has('Path') && contents.incoming !== LOCAL && wanted.length > 1;
  for (const advert of isChanged ? path.adverts : made) {
    if (isAskedOut) askPathAdvert(core, advert);
    else core.exchange.tell(now, advert);
  }
}

export function forgetAdvert(core: Core, advert: PathAdvert): void {
  core.exchange.forget(advert);
  const { policy } = advert;
  if (policy === undefined) return;
  core.asked.delete(policy.id);
  core.effect({ kind: 'forget', question: policy.id, reason: 'route-change' });
}

function reportSpent(core: Core, { session, sender, incoming }: Path): void {
  const text = `${session.text}: Path of ${senderText(sender)} ends here, its TTL is used up`;
  (core.dropped as Record<'ttl', number>).ttl++;
  core.event({
    kind: 'dropped',
    session: session.text,
    cause: 'ttl',
    message: 'Path',
    from: senderText(sender),
    interface: incoming,
    text,
  });
}
