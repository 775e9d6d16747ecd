import type { WireObject } from '../wire/index.js';
import { defaultAdspec } from './adspec.js';
import type { Core } from './core.js';
import { flowOf, readTspec, tspecOf } from './flow.js';
import type { Flow, TokenBucket } from './flow.js';
import { freeze, NONE } from './frozen.js';
import { familyOf, LOCAL, sessionText } from './identity.js';
import type { SenderName, SessionName } from './identity.js';
import { acceptPath, isPortConflict, newPath } from './path.js';
import { removePath } from './path-tear.js';
import { policyOf } from './policy-data.js';
import type { PolicyDataSource } from './policy-data.js';
import { priorityOf } from './preemption.js';
import { acceptResv, findReservation, newReservation } from './resv.js';
import { removeReservation, removeSenders } from './resv-change.js';
import { routePath, syncAdverts } from './route.js';
import type { Path, Reservation, ResvContents, Sender, Session } from './state.js';
import type { StyleName } from './style.js';
import { pathUpcall } from './upcall.js';
import { refreshUpstreams } from './upstream.js';
import type { ConfirmRequest } from './confirm.js';

/** The application's side (RFC 2205 3.11.1). */

/** An application that has registered a session. */
export interface Application {
  readonly id: number;
  readonly session: Session;
  reservePolicy: PolicyDataSource;
}

export interface SenderRequest {
  /** Ours, of the interface that the data leaves by. */
  readonly address: string;
  /** Source port, or Security Parameter Index of a session of IPsec flows. */
  readonly port: number;
  /** What will be sent; a SENDER_TSPEC where it says more than a token bucket. */
  readonly tspec: TokenBucket | WireObject;
  /** Where the computation of the path's properties begins; false: no ADSPEC. */
  readonly adspec?: WireObject | false;
  readonly policyData?: PolicyDataSource;
  /** TTL of the data's packets: Paths go no further. */
  readonly ttl?: number;
}

export interface ReserveRequest {
  readonly style: StyleName;
  /** FF: one or more with one sender each; SE: one with its senders; WF: one without any. */
  readonly flows: readonly {
    readonly flow: Flow;
    readonly senders: readonly { readonly address: string; readonly port: number }[];
  }[];
  readonly policyData?: PolicyDataSource;
  /** Is a confirmation asked for (RFC 2205 2.6)? */
  readonly confirm?: boolean;
  /** Where it is to go; ours. */
  readonly receiverAddress?: string;
}

/** Default TTL of data. */
const DATA_TTL = 64;

/** SESSION: one application a session. Path state that is there already is told at once. */
export function registerSession(core: Core, now: number, name: SessionName): Application {
  const text = sessionText(name);
  if (core.hasPortConflict(name))
    throw new RangeError(`session: \`${text}\` where ports are both zero and not (RFC 2205 3.2)`);
  const session = core.session(name) ?? core.addSession(name);
  if (session === undefined) throw new RangeError('session: there are too many');
  if (session.application !== 0) throw new RangeError(`session: \`${text}\` has been registered already`);
  const application: Application = { id: core.newId(), session, reservePolicy: NONE };
  core.applications.set(application.id, application);
  session.application = application.id;
  reroute(core, now, session);
  for (const path of session.paths) pathUpcall(core, path, 'present');
  return application;
}

/** A multicast session has a receiver on this node, or none any more. */
function reroute(core: Core, now: number, session: Session): void {
  for (const path of session.paths) {
    if (path.contents === undefined || !routePath(core, path)) continue;
    syncAdverts(core, now, path, false);
  }
}

/** SENDER: defines a sender, or changes its definition. */
export function defineSender(
  core: Core,
  now: number,
  application: Application,
  request: SenderRequest,
): void {
  const { session } = application;
  const sender = senderName(session, request);
  if (session.port === 0 && !session.isGpi && sender.port !== 0)
    throw new RangeError('sender: a source port without a destination port (RFC 2205 3.2)');
  if (session.paths.some((path) => isPortConflict(path.sender, sender)))
    throw new RangeError('sender: source ports both zero and not (RFC 2205 3.2)');
  const tspec = 'classNum' in request.tspec ? request.tspec : tspecOf(request.tspec);
  const bucket = readTspec(tspec);
  if (typeof bucket === 'number') throw new RangeError('sender: `tspec` makes no sense (RFC 2215 3.6)');
  const path = findSenderPath(core, session, sender) ?? newPath(core, session, sender, LOCAL);
  if (path === undefined) throw new RangeError('sender: there are too many');
  const { adspec = defaultAdspec() } = request;
  acceptPath(core, now, path, {
    hop: '',
    handle: 0,
    incoming: LOCAL,
    ttl: request.ttl ?? DATA_TTL,
    isAfterNonRsvpHop: false,
    isEntryPolice: true,
    bucket,
    tspec: core.text(freeze(tspec)),
    adspec: adspec === false ? '' : core.text(freeze(adspec)),
    policy: policyOf(request.policyData),
    extra: NONE,
    refreshPeriod: core.options.refreshPeriod,
  });
}

function findSenderPath(core: Core, session: Session, name: SenderName): Path | undefined {
  const sender = core.findSender(session, name);
  return session.paths.find((path) => path.sender === sender && path.incoming === LOCAL);
}

/** Ends one sender. */
export function withdrawLocalSender(
  core: Core,
  now: number,
  application: Application,
  request: { readonly address: string; readonly port: number },
): void {
  const path = findSenderPath(core, application.session, senderName(application.session, request));
  if (path !== undefined) removePath(core, now, path, 'tear');
}

function senderName(
  session: Session,
  { address, port }: { readonly address: string; readonly port: number },
): SenderName {
  const isIpv6 = familyOf(session.destination) === 6;
  if ((familyOf(address) === 6) !== isIpv6)
    throw new RangeError(`sender: \`${address}\` is of another IP version than the session`);
  const cType = session.isGpi ? (isIpv6 ? 5 : 4) : isIpv6 ? 2 : 1;
  return { cType, address, port };
}

/** RESERVE: makes a reservation, or puts another one into its place. */
export function makeReservation(
  core: Core,
  now: number,
  application: Application,
  request: ReserveRequest,
): void {
  const { session } = application;
  const { style, flows, confirm = false, policyData = NONE } = request;
  checkFlows(request);
  const other = session.reservations.find(
    (reservation) => reservation.hop !== '' && reservation.style !== style,
  );
  if (other !== undefined)
    throw new RangeError(`reserve: style ${style} where ${other.style} is in place (RFC 2205 1.3)`);
  application.reservePolicy = policyData;
  const policy = policyOf(policyData);
  const kept = new Set<Reservation>();
  const confirms: ConfirmRequest[] = [];
  for (const old of localOf(session)) if (old.style !== style) removeReservation(core, now, old, 'tear');
  for (const { flow, senders: names } of flows) {
    const senders = names.map((name) => senderOf(core, session, name));
    const sender = style === 'FF' ? senders[0] : undefined;
    const reservation =
      findReservation(session, '', LOCAL, sender) ?? newReservation(core, session, '', LOCAL, style, sender);
    if (reservation === undefined) throw new RangeError('reserve: there are too many');
    kept.add(reservation);
    const contents: ResvContents = {
      flow: flowOf(flow),
      senders,
      policy,
      extra: NONE,
      scope: undefined,
      refreshPeriod: core.options.refreshPeriod,
      priority: priorityOf(policy),
    };
    if (reservation.contents !== undefined && style === 'SE') {
      const gone = reservation.contents.senders.filter((known) => !senders.includes(known));
      if (gone.length < reservation.contents.senders.length)
        removeSenders(core, now, reservation, gone, 'tear');
    }
    const receiver = confirm ? (request.receiverAddress ?? receiverOf(core, session)) : '';
    acceptResv(core, now, reservation, contents, receiver, confirms);
  }
  for (const old of localOf(session)) if (!kept.has(old)) removeReservation(core, now, old, 'tear');
  refreshUpstreams(core, now, session, 'normal', confirms);
}

/** Ends what an application has reserved, and keeps the session. */
export function endReservation(core: Core, now: number, { session }: Application): void {
  for (const old of localOf(session)) removeReservation(core, now, old, 'tear');
  refreshUpstreams(core, now, session, 'normal');
}

/** RELEASE: removes all that is the application's, and tells so. */
export function releaseSession(core: Core, now: number, application: Application): void {
  const { session, id } = application;
  endReservation(core, now, application);
  for (const path of session.paths) if (path.incoming === LOCAL) removePath(core, now, path, 'tear');
  session.application = 0;
  core.applications.delete(id);
  reroute(core, now, session);
  core.tidy(session);
}

function localOf(session: Session): readonly Reservation[] {
  return session.reservations.filter(({ hop }) => hop === '');
}

function senderOf(
  core: Core,
  session: Session,
  name: { readonly address: string; readonly port: number },
): Sender {
  const full = senderName(session, name);
  return core.findSender(session, full) ?? core.newSender(full);
}

/** RFC 2205 2.6: our address, of the interface that the data comes in by. */
function receiverOf(core: Core, session: Session): string {
  if (!session.isMulticast) return session.destination;
  const path = session.paths.find(({ outgoing }) => outgoing.includes(LOCAL));
  if (path === undefined)
    throw new RangeError('reserve: `receiverAddress` is needed before there is a sender');
  return core.addressOf(path.incoming, session);
}

function checkFlows({ style, flows }: ReserveRequest): void {
  const [first] = flows;
  if (first === undefined) throw new RangeError('reserve: `flows` is empty');
  if (style !== 'FF' && flows.length > 1) throw new RangeError(`reserve: ${style} has one flow`);
  for (const { senders, flow } of flows) {
    if (style === 'WF' ? senders.length > 0 : senders.length === 0 || (style === 'FF' && senders.length > 1))
      throw new RangeError(`reserve: ${senders.length} senders for ${style} (RFC 2205 3.1.4)`);
    if (!(flow.rate >= 0) || !(flow.bucket >= 0) || flow.minimumPolicedUnit < 1)
      throw new RangeError('reserve: `flow` makes no sense (RFC 2215 3.6)');
    if (flow.minimumPolicedUnit > flow.maximumPacketSize)
      throw new RangeError('reserve: `minimumPolicedUnit` is above `maximumPacketSize`');
    if (flow.service === 'guaranteed' && flow.reservedRate < flow.rate)
      throw new RangeError('reserve: `reservedRate` is below `rate` (RFC 2212)');
  }
}
