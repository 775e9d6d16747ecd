import type { ArrivedMessage } from '../exchange/advert.js';
import { flowspecOf } from './flow.js';
import type { Flow } from './flow.js';
import type { Core } from './core.js';
import { added, NONE, sameList } from './frozen.js';
import type { FlowParts, Parts } from './grammar.js';
import { filterObject, senderText, sessionText } from './identity.js';
import type { HopName } from './identity.js';
import { routesTo } from './match.js';
import { SYSTEM_ERROR } from './path.js';
import { askResv } from './policy-control.js';
import { priorityOf } from './preemption.js';
import { sendResvError } from './resv-error.js';
import { applyResv, latestOf, unnumber } from './resv-change.js';
import { Reservation } from './state.js';
import type { ResvContents, Sender, Session } from './state.js';
import { styleValue } from './style.js';
import type { StyleName } from './style.js';
import { refreshUpstreams } from './upstream.js';
import type { ConfirmRequest } from './confirm.js';

/** RESV MESSAGE ARRIVES (RFC 2209 2, RFC 2205 3.1.4). */

export function resvArrives(core: Core, now: number, arrived: ArrivedMessage, parts: Parts): void {
  const { hop, style } = parts;
  if (hop === undefined || parts.optionVector === undefined) {
    core.drop(arrived, 'malformed', 'an object of unknown C-Type stands where a known one must');
    return;
  }
  if (core.isOwn(hop.address)) {
    core.drop(arrived, 'own-message', `hop address \`${hop.address}\` is ours`);
    return;
  }
  // RFC 2205 2.9: the handle, not the way it came in by, says where the data leaves.
  if (core.interface(hop.handle)?.isUp !== true) {
    core.drop(arrived, 'bad-handle', `logical interface handle ${hop.handle} is none of ours`);
    return;
  }
  const refuse = (fault: Fault, descriptor = parts.flows[0]): void =>
    refuseFlow(core, now, parts, hop, descriptor, fault);
  const session = core.session(parts.session);
  if (core.options.isShared && session?.paths.some(({ contents }) => contents !== undefined) !== true) {
    core.drop(arrived, 'not-for-us', `no path state of ${sessionText(parts.session)}: another engine's here`);
    return;
  }
  const fault = faultOf(core, session, parts);
  if (fault !== undefined || session === undefined || style === undefined) {
    refuse(fault ?? NO_PATH);
    return;
  }
  const confirms: ConfirmRequest[] = [];
  let isChanged = false;
  const refusedBefore = core.counters.refused;
  const known = parts.flows.map((descriptor) => sendersOf(core, session, hop.handle, style, descriptor));
  const isWhole = parts.flows.every(
    ({ senders }, i) => style === 'WF' || known[i]?.length === senders.length,
  );
  for (const [i, descriptor] of parts.flows.entries()) {
    const senders = known[i];
    if (senders === undefined) {
      if (!core.options.isShared) refuse(NO_SENDER, descriptor);
    } else if (typeof descriptor.flow !== 'object')
      refuse(
        { code: 21, value: descriptor.flow ?? 0, text: 'a FLOWSPEC that cannot be provided' },
        descriptor,
      );
    else {
      const request = { arrived, parts, hop, session, style, senders, flow: descriptor.flow, isWhole };
      if (hasServiceConflict(request)) refuse(SERVICE_CONFLICT, descriptor);
      else isChanged = takeFlow(core, now, request, confirms) || isChanged;
    }
  }
  if (core.counters.refused > refusedBefore)
    unnumber(core, { session, hop: hop.address, interface: hop.handle });
  if (isChanged || confirms.length > 0) refreshUpstreams(core, now, session, 'normal', confirms);
}

/** Of the senders named, those that have path state which routes to the interface; of any sender, none. */
function sendersOf(
  core: Core,
  session: Session,
  index: number,
  style: StyleName,
  { senders: names }: FlowParts,
): readonly Sender[] | undefined {
  const paths = session.paths.filter((path) => routesTo(path, index));
  if (style === 'WF') return paths.length === 0 ? undefined : NONE;
  const found: Sender[] = [];
  for (const name of names) {
    const sender = core.findSender(session, name);
    if (sender !== undefined && !found.includes(sender) && paths.some((path) => path.sender === sender))
      found.push(sender);
  }
  return found.length === 0 ? undefined : found.slice();
}

/** What is wrong with the message as a whole. */
function faultOf(core: Core, session: Session | undefined, parts: Parts): Fault | undefined {
  const { unknown, style } = parts;
  if (unknown !== undefined) return { ...unknown, text: 'an object that is not known (RFC 2205 3.10)' };
  if (session === undefined && core.hasPortConflict(parts.session))
    return { code: 7, value: 0, text: 'destination ports both zero and not (RFC 2205 3.2)' };
  if (session?.paths.some(({ contents }) => contents !== undefined) !== true)
    return { ...NO_PATH, text: `no path state of ${sessionText(parts.session)}` };
  if (style === undefined) return { code: 6, value: 0, text: 'a style that is not known' };
  const other = session.reservations.find((reservation) => reservation.style !== style);
  if (other === undefined) return undefined;
  const text = `style ${style} where ${other.style} is in place (RFC 2205 1.3)`;
  return { code: 5, value: styleValue(other.style), text };
}

const NO_PATH: Fault = { code: 3, value: 0, text: 'no path state' };
const NO_SENDER: Fault = { code: 4, value: 0, text: 'no path state of such a sender by that interface' };
const SERVICE_CONFLICT: Fault = { code: 21, value: 1, text: 'two services for one sender (RFC 2210 2.2)' };

/** All receivers of a sender have to ask for one service; one alone may change to another. */
function hasServiceConflict({ session, senders, flow, hop, style }: FlowRequest): boolean {
  return session.reservations.some(
    (other) =>
      other.contents !== undefined &&
      other.contents.flow.service !== flow.service &&
      !(other.hop === hop.address && other.interface === hop.handle) &&
      (style === 'WF' || other.contents.senders.some((sender) => senders.includes(sender))),
  );
}

export interface FlowRequest {
  readonly arrived: ArrivedMessage;
  readonly parts: Parts;
  readonly hop: HopName;
  readonly session: Session;
  readonly style: StyleName;
  readonly senders: readonly Sender[];
  readonly flow: Flow;
  /**
   * All senders of the message are known. Otherwise it is not to be refreshed by number: refused, its sender says it again, and
   * the others find their path state as soon as it is there (RFC 2961 5.4).
   */
  readonly isWhole: boolean;
}

/** One flow descriptor of the message. True where reservation state has changed. */
function takeFlow(core: Core, now: number, request: FlowRequest, confirms: ConfirmRequest[]): boolean {
  const { arrived, parts, hop, session, style, senders, flow } = request;
  const sender = style === 'FF' ? senders[0] : undefined;
  const known = findReservation(session, hop.address, hop.handle, sender);
  const reservation = known ?? addReservation(core, session, hop, style, sender);
  if (reservation === undefined) {
    const fault = { code: 23, value: SYSTEM_ERROR.limit, text: 'no room for more state' };
    refuseFlow(core, now, parts, hop, { flow, flowspec: flowspecOf(flow), senders }, fault);
    return false;
  }
  if (known !== undefined && core.exchange.order(arrived, known) === 'stale') {
    core.drop(arrived, 'stale', 'overtaken by a later one (RFC 2961 4.5)', session);
    return false;
  }
  if (request.isWhole) core.exchange.bind(arrived, reservation);
  else core.exchange.unbind(reservation);
  const contents: ResvContents = {
    flow,
    senders: style === 'SE' ? union(latestOf(reservation)?.senders ?? NONE, senders) : senders,
    policy: parts.policy,
    extra: parts.extra,
    scope: style === 'WF' ? parts.scope : undefined,
    refreshPeriod: parts.refreshPeriod ?? core.refreshPeriod(hop.handle),
    priority: priorityOf(parts.policy),
  };
  keepAlive(core, now, reservation, contents, senders);
  return acceptResv(core, now, reservation, contents, parts.confirm ?? '', confirms);
}

/** Reservation state from here on: told by a message or an application. */
export function acceptResv(
  core: Core,
  now: number,
  reservation: Reservation,
  contents: ResvContents,
  confirm: string,
  confirms: ConfirmRequest[],
): boolean {
  const { policy } = reservation;
  const pending = policy?.pending as PendingResv | undefined;
  const latest = latestOf(reservation);
  if (latest !== undefined && isSame(latest, contents)) {
    if (confirm === '') return false;
    if (pending === undefined) confirms.push({ reservation, receiver: confirm });
    else pending.confirm = confirm;
    return false;
  }
  if (core.options.policy.has('Resv') && reservation.hop !== '') {
    askResv(core, reservation, { contents, confirm });
    return false;
  }
  if (!applyResv(core, now, reservation, contents)) return false;
  if (confirm !== '') confirms.push({ reservation, receiver: confirm });
  return true;
}

/** A request that waits for policy. */
export interface PendingResv {
  readonly contents: ResvContents;
  confirm: string;
}

/** RFC 2209: the timer of the reservation, or, of an SE list, of each sender that the message names. */
function keepAlive(
  core: Core,
  now: number,
  reservation: Reservation,
  { refreshPeriod, senders: all }: ResvContents,
  named: readonly Sender[],
): void {
  reservation.lifetime = core.lifetime(refreshPeriod);
  const until = now + reservation.lifetime;
  if (reservation.style === 'SE' && all.length > 1) {
    const before = reservation.senderExpiry ?? [];
    reservation.senderExpiry = all.map((sender, i) =>
      // Sooner by a hair, if only: so those that the latest message names can be told from the others.
      named.includes(sender) ? until : Math.min(before[i] ?? reservation.expiresAt, until - 1),
    );
    reservation.expiresAt = Math.min(...reservation.senderExpiry);
  } else reservation.expiresAt = until;
  core.watch(reservation);
}

export function findReservation(
  session: Session,
  hop: string,
  index: number,
  sender: Sender | undefined,
): Reservation | undefined {
  return session.reservations.find(
    (reservation) =>
      reservation.hop === hop && reservation.interface === index && reservation.sender === sender,
  );
}

function addReservation(
  core: Core,
  session: Session,
  hop: HopName,
  style: StyleName,
  sender: Sender | undefined,
): Reservation | undefined {
  return newReservation(core, session, hop.address, hop.handle, style, sender);
}

export function newReservation(
  core: Core,
  session: Session,
  hop: string,
  index: number,
  style: StyleName,
  sender: Sender | undefined,
): Reservation | undefined {
  const most = core.options.limits.reservationsPerSession;
  if (session.reservations.length >= most) {
    core.limit('reservations of a session', most, session);
    return;
  }
  const reservation = new Reservation(core, session, core.text(hop), index, style, sender);
  session.reservations = added(session.reservations, reservation);
  return reservation;
}

function union(list: readonly Sender[], more: readonly Sender[]): readonly Sender[] {
  const extra = more.filter((sender) => !list.includes(sender));
  return extra.length === 0 ? list : [...list, ...extra];
}

function isSame(a: ResvContents, b: ResvContents): boolean {
  return (
    a.flow === b.flow &&
    sameList(a.senders, b.senders) &&
    sameList(a.policy, b.policy) &&
    sameList(a.extra, b.extra) &&
    (a.scope === undefined ? b.scope === undefined : b.scope !== undefined && sameList(a.scope, b.scope))
  );
}

interface Fault {
  readonly code: number;
  readonly value: number;
  readonly text: string;
}

/** The answer to a flow descriptor that cannot be: a copy of it, unicast to the next hop it came from (RFC 2209 2). */
function refuseFlow(
  core: Core,
  now: number,
  parts: Parts,
  hop: HopName,
  descriptor: Pick<FlowParts, 'flow' | 'flowspec' | 'senders'> | undefined,
  fault: Fault,
): void {
  const { flowspec, senders = NONE } = descriptor ?? {};
  core.counters.refused++;
  sendResvError(core, now, {
    session: parts.session,
    to: { hop: hop.address, interface: hop.handle },
    optionVector: parts.optionVector ?? 0,
    flowspec,
    filters: senders.map((sender) => filterObject(sender)),
    scope: parts.scope,
    flags: 0,
    objects: [],
    ...fault,
    text: `${fault.text}${senders.length === 0 ? '' : ` (${senders.map((sender) => senderText(sender)).join(', ')})`}`,
  });
}
