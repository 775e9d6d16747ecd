import type { ArrivedMessage } from '../exchange/advert.js';
import type { Core } from './core.js';
import { sendPathError } from './path-error.js';
import { readTspec, TRAFFIC_CONTROL_ERROR } from './flow.js';
import { added, freeze, sameList } from './frozen.js';
import type { Parts } from './grammar.js';
import { E_POLICE, isMulticast, LOCAL, senderText, sessionText } from './identity.js';
import type { HopName, SenderName } from './identity.js';
import { removePath } from './path-tear.js';
import { askPath } from './policy-control.js';
import { renewPolicyData } from './policy-data.js';
import { routePath, syncAdverts } from './route.js';
import { Path } from './state.js';
import type { PathContents, Session } from './state.js';
import { updateSession } from './traffic-control.js';
import { pathUpcall } from './upcall.js';

/** PATH MESSAGE ARRIVES (RFC 2209 2, RFC 2205 3.1.3). */

/** Of RSVP System error, code 23: values of ours. */
export const SYSTEM_ERROR = { limit: 1 } as const;

type PathParts = Parts & {
  readonly hop: HopName;
  readonly sender: SenderName;
  readonly refreshPeriod: number;
};

export function pathArrives(core: Core, now: number, arrived: ArrivedMessage, parts: Parts): void {
  if (parts.unknown !== undefined && parts.hop !== undefined) {
    const fault = { ...parts.unknown, text: 'an object that is not known (RFC 2205 3.10)' };
    answer(core, now, arrived, parts, fault);
    return;
  }
  if (!isAcceptable(core, arrived, parts)) return;
  const { packet, message } = arrived;
  const fault = faultOf(core, parts);
  if (fault !== undefined) {
    answer(core, now, arrived, parts, fault);
    return;
  }
  const path =
    findPath(core, parts.session, parts.sender, packet.interface) ?? addPath(core, now, arrived, parts);
  if (path === undefined) return;
  const order = core.exchange.order(arrived, path);
  if (order === 'stale') {
    core.drop(arrived, 'stale', 'overtaken by a later one (RFC 2961 4.5)');
    return;
  }
  const { tspec } = parts;
  const bucket = tspec === undefined ? 0 : readTspec(tspec);
  if (tspec === undefined || typeof bucket === 'number')
    throw new TypeError('a Path whose SENDER_TSPEC was not checked');
  const isUdp = packet.isUdp === true;
  const contents: PathContents = {
    hop: core.text(parts.hop.address),
    handle: parts.hop.handle,
    incoming: packet.interface,
    ttl: packet.ttl,
    // RFC 2205 3.8. UDP encapsulation says nothing of hops.
    isAfterNonRsvpHop: !isUdp && packet.ttl !== message.ttl,
    isEntryPolice: (parts.session.flags & E_POLICE) !== 0,
    bucket,
    tspec: core.text(freeze(tspec)),
    adspec: parts.adspec === undefined ? '' : core.text(freeze(parts.adspec)),
    policy: parts.policy,
    extra: parts.extra,
    refreshPeriod: parts.refreshPeriod,
  };
  core.exchange.bind(arrived, path);
  acceptPath(core, now, path, contents);
}

/** Path state from here on: told by a message, or by an application (then it lives for ever). */
export function acceptPath(core: Core, now: number, path: Path, contents: PathContents): void {
  if (contents.incoming !== LOCAL) {
    path.lifetime = core.lifetime(contents.refreshPeriod);
    path.refreshed(now);
    core.watch(path);
  }
  const known = (path.policy?.pending as PathContents | undefined) ?? path.contents;
  if (known !== undefined && isSame(known, contents)) return;
  if (core.options.policy.has('Path') && contents.incoming !== LOCAL) askPath(core, path, contents);
  else applyPath(core, now, path, contents);
}

/** Puts to use what a Path says: policy has no objection. */
export function applyPath(core: Core, now: number, path: Path, contents: PathContents): void {
  const before = path.contents;
  const { session, sender } = path;
  path.contents = contents;
  path.incoming = contents.incoming;
  routePath(core, path);
  tellWatchers(core, path, before, contents);
  syncAdverts(core, now, path, true);
  const isHopChanged =
    before !== undefined && (before.hop !== contents.hop || before.incoming !== contents.incoming);
  if (isHopChanged)
    core.event({
      kind: 'hop-changed',
      session: session.text,
      sender: senderText(sender),
      from: [before.hop],
      to: [contents.hop],
      text: `${session.text}: previous hop of ${senderText(sender)} is ${contents.hop}, no longer ${before.hop}`,
    });
  // RFC 2205 3.6: a new previous hop is told at once. The old one is not sent a tear: its state is the old route's, and times out.
  const isOther = isHopChanged || (before !== undefined && before.handle !== contents.handle);
  renewPolicyData(core, session);
  if (session.reservations.length > 0) updateSession(core, now, session, isOther ? 'quiet' : 'normal');
}

function tellWatchers(
  core: Core,
  path: Path,
  before: PathContents | undefined,
  contents: PathContents,
): void {
  const { session, sender, outgoing } = path;
  const change = before === undefined ? 'new' : 'changed';
  if (before === undefined) core.counters.paths++;
  const rate = contents.bucket.rate;
  const from =
    contents.hop === '' ? 'an application' : `${contents.hop} by ${core.nameOf(contents.incoming)}`;
  core.event({
    kind: 'path',
    change,
    session: session.text,
    sender: senderText(sender),
    hop: contents.hop,
    interface: contents.incoming,
    outgoing,
    rate,
    isAfterNonRsvpHop: contents.isAfterNonRsvpHop,
    text: `${session.text}: ${change} path of ${senderText(sender)} from ${from}, ${rate} octets/s`,
  });
  pathUpcall(core, path, 'present');
}

/** A PathErr to where the Path came from. */
function answer(core: Core, now: number, { packet }: ArrivedMessage, parts: Parts, fault: Fault): void {
  const { session, sender, tspec, adspec, hop } = parts;
  if (hop === undefined || core.isOwn(hop.address)) return;
  core.counters.refused++;
  const to = { hop: hop.address, interface: packet.interface };
  sendPathError(core, now, { session, sender, tspec, adspec, to, objects: [], ...fault });
}

/** What keeps a Path from being looked at, without an answer. */
function isAcceptable(core: Core, arrived: ArrivedMessage, parts: Parts): parts is PathParts {
  const { packet } = arrived;
  const { hop, sender, session } = parts;
  if (hop === undefined || sender === undefined || parts.refreshPeriod === undefined) {
    core.drop(arrived, 'malformed', 'an object of unknown C-Type stands where a known one must');
    return false;
  }
  if (core.isOwn(hop.address) || core.isOwn(sender.address)) {
    core.drop(arrived, 'own-message', `it names us, \`${hop.address}\`, as hop or sender`);
    return false;
  }
  // An end system forwards nothing.
  if (core.options.isHost && !isMulticast(session.destination) && !core.isOwn(session.destination)) {
    core.drop(arrived, 'not-for-us', `its destination ${session.destination} is none of our addresses`);
    return false;
  }
  // RFC 2205 3.1.3: source and destination are the data's. UDP encapsulation (Appendix C) and Bundles have addresses of their own.
  if (packet.isUdp === true || packet.isBundled === true) return true;
  // Some send with the hop's address instead, for want of the right to take another's; nothing hangs on it.
  if (packet.source !== sender.address && packet.source !== hop.address) {
    const expected = `expected the sender ${sender.address}, or the hop ${hop.address}`;
    core.drop(arrived, 'source-address', `IP source ${packet.source}, ${expected}`);
    return false;
  }
  if (packet.destination !== session.destination) {
    core.drop(arrived, 'not-for-us', `IP destination ${packet.destination}, expected ${session.destination}`);
    return false;
  }
  return true;
}

interface Fault {
  readonly code: number;
  readonly value: number;
  readonly text: string;
}

function faultOf(core: Core, parts: PathParts): Fault | undefined {
  const { session: name, sender } = parts;
  const session = core.session(name);
  // One that is there was asked about when it began.
  if (session === undefined && core.hasPortConflict(name))
    return {
      code: 7,
      value: 0,
      text: `${sessionText(name)}: destination ports both zero and not (RFC 2205 3.2)`,
    };
  if (session?.paths.some((path) => isPortConflict(path.sender, sender)) === true)
    return {
      code: 8,
      value: 0,
      text: `${senderText(sender)}: source ports both zero and not (RFC 2205 3.2)`,
    };
  const bucket = parts.tspec === undefined ? TRAFFIC_CONTROL_ERROR.badTspec : readTspec(parts.tspec);
  if (typeof bucket === 'number') return { code: 21, value: bucket, text: 'SENDER_TSPEC makes no sense' };
  if ((parts.adspec as { readonly body?: unknown } | undefined)?.body !== undefined)
    return { code: 21, value: TRAFFIC_CONTROL_ERROR.badAdspec, text: 'ADSPEC makes no sense' };
  return undefined;
}

/** RFC 2205 3.2 rule 3: a host does not send both with and without a source port. Flow labels are no ports. */
export function isPortConflict(a: SenderName, b: SenderName): boolean {
  return a.address === b.address && a.cType === b.cType && a.cType !== 3 && (a.port === 0) !== (b.port === 0);
}

/** RFC 2205 3.1.3, 3.1.5: multicast path state is told apart by its interface; unicast follows its hop from one to another. */
export function findPath(
  core: Core,
  name: Parts['session'],
  { cType, address, port }: SenderName,
  incoming: number,
): Path | undefined {
  const session = core.session(name);
  return session?.paths.find(
    (path) =>
      path.sender.port === port &&
      path.sender.address === address &&
      path.sender.cType === cType &&
      (path.incoming === incoming || (!session.isMulticast && path.incoming !== LOCAL)),
  );
}

function addPath(core: Core, now: number, arrived: ArrivedMessage, parts: PathParts): Path | undefined {
  const session = core.session(parts.session) ?? core.addSession(parts.session);
  const path =
    session === undefined ? undefined : newPath(core, session, parts.sender, arrived.packet.interface);
  if (path === undefined)
    answer(core, now, arrived, parts, {
      code: 23,
      value: SYSTEM_ERROR.limit,
      text: 'no room for more state',
    });
  return path;
}

export function newPath(
  core: Core,
  session: Session,
  sender: SenderName,
  incoming: number,
): Path | undefined {
  const most = core.options.limits.sendersPerSession;
  if (session.paths.length >= most) {
    core.limit('senders of a session', most, session);
    return;
  }
  const path = new Path(core, session, core.findSender(session, sender) ?? core.newSender(sender), incoming);
  session.paths = added(session.paths, path);
  return path;
}

function isSame(a: PathContents, b: PathContents): boolean {
  return (
    a.hop === b.hop &&
    a.handle === b.handle &&
    a.incoming === b.incoming &&
    a.ttl === b.ttl &&
    a.isAfterNonRsvpHop === b.isAfterNonRsvpHop &&
    a.isEntryPolice === b.isEntryPolice &&
    a.tspec === b.tspec &&
    a.adspec === b.adspec &&
    sameList(a.policy, b.policy) &&
    sameList(a.extra, b.extra)
  );
}

export function pathExpired(core: Core, now: number, path: Path): void {
  removePath(core, now, path, 'timeout');
}
