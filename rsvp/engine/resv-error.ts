import type { ArrivedMessage } from '../exchange/advert.js';
import { Style } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import type { Refusal } from './admission.js';
import { blockade, isSpared } from './blockade.js';
import type { Core } from './core.js';
import { ADMISSION_FAILURE, errorSpec, errorText, IN_PLACE, NOT_GUILTY } from './error-spec.js';
import { compareFlows, flowspecOf } from './flow.js';
import { NONE, thawAll } from './frozen.js';
import type { Parts } from './grammar.js';
import { filterObject, hopObject, senderText, sessionObject, sessionText } from './identity.js';
import type { SessionName } from './identity.js';
import { sendError } from './policy-control.js';
import { scopeObjects } from './resv-message.js';
import { errorScope } from './scope.js';
import type { Reservation, ResvContents, Sender, Session } from './state.js';
import { styleObject } from './style.js';

/** ResvErr (RFC 2205 3.1.8): downstream, hop by hop, to whoever may have caused it. */

const RESV_ERR = 4;

export interface ResvErrorToSend {
  readonly session: SessionName;
  readonly to: { readonly hop: string; readonly interface: number };
  readonly optionVector: number;
  readonly flowspec: WireObject | undefined;
  readonly filters: readonly WireObject[];
  readonly scope: readonly string[] | undefined;
  readonly flags: number;
  readonly code: number;
  readonly value: number;
  /** POLICY_DATA and what else goes with it. */
  readonly objects: readonly WireObject[];
  readonly text: string;
  /** Who found the error, where it is not us. */
  readonly node?: string;
}

export function sendResvError(core: Core, now: number, error: ResvErrorToSend): void {
  const { session, to, code, value, flags, flowspec } = error;
  const name = sessionText(session);
  const address = core.addressOf(to.interface, session);
  const node = error.node ?? address;
  core.event({
    kind: 'resv-error',
    direction: error.node === undefined ? 'sent' : 'forwarded',
    session: name,
    code,
    value,
    node,
    hop: to.hop,
    interface: to.interface,
    text: `${name}: ResvErr to ${to.hop}, ${errorText(code, value)}: ${error.text}`,
  });
  const withScope = core.session(session);
  sendError(core, now, 'ResvErr', {
    interface: to.interface,
    destination: to.hop,
    routerAlert: false,
    ttl: core.options.ttl,
    neighbour: to.hop,
    isReliable: true,
    message: {
      msgType: RESV_ERR,
      objects: [
        sessionObject(session),
        hopObject(address, to.interface),
        errorSpec(node, flags, code, value),
        ...(withScope === undefined ? [] : scopeObjects(withScope, error.scope)),
        ...error.objects,
        Style.make({ flags: 0, optionVector: error.optionVector }),
        ...(flowspec === undefined ? [] : [flowspec]),
        ...error.filters,
      ],
    },
  });
}

export interface ErrorToTell {
  readonly code: number;
  readonly value: number;
  readonly flags: number;
  readonly objects: readonly WireObject[];
  readonly text: string;
}

/** Tells whoever made these reservations, next hops and applications. */
export function refuseAll(
  core: Core,
  now: number,
  reservations: readonly Reservation[],
  error: ErrorToTell,
): void {
  for (const reservation of reservations)
    if (reservation.contents !== undefined) tellHolder(core, now, reservation, reservation.contents, error);
}

/** Tells whoever asked for what admission control refuses. */
export function refuseReservation(
  core: Core,
  now: number,
  reservation: Reservation,
  contents: ResvContents,
  refusal: Refusal,
): void {
  const { session, hop, interface: index } = reservation;
  const { code, value, capacity, asked, free, isInPlace, text } = refusal;
  core.event({
    kind: 'admission-refused',
    session: session.text,
    interface: index,
    hop,
    code,
    value,
    capacity,
    asked,
    free,
    isInPlace,
    text: `${session.text}: refused to ${hop === '' ? 'an application' : hop}: ${text}${isInPlace ? ', what was in place stays' : ''}`,
  });
  tellHolder(core, now, reservation, contents, {
    code,
    value,
    flags: isInPlace ? IN_PLACE : 0,
    objects: NONE,
    text,
  });
}

export function tellHolder(
  core: Core,
  now: number,
  reservation: Reservation,
  contents: ResvContents,
  { code, value, flags, objects, text }: ErrorToTell,
): void {
  const { session, style, hop, interface: index } = reservation;
  if (hop === '') {
    const node = core.addressOf(index, session);
    upcall(core, session, { code, value, node, flags }, contents.senders, contents, objects);
    return;
  }
  const vector = styleObject(style) as unknown as { readonly optionVector: number };
  sendResvError(core, now, {
    session,
    to: { hop, interface: index },
    optionVector: vector.optionVector,
    flowspec: flowspecOf(contents.flow),
    filters: contents.senders.map((sender) => filterObject(sender)),
    scope: contents.scope,
    flags,
    code,
    value,
    objects,
    text,
  });
}

function upcall(
  core: Core,
  session: Session,
  error: { readonly code: number; readonly value: number; readonly node: string; readonly flags: number },
  senders: readonly Sender[],
  contents: ResvContents,
  policyData: readonly WireObject[],
): void {
  const { code, value, node, flags } = error;
  core.event({
    kind: 'upcall',
    session: session.text,
    application: session.application,
    upcall: {
      type: 'RESV_ERROR',
      code,
      value,
      node,
      isInPlace: (flags & IN_PLACE) !== 0,
      isNotGuilty: (flags & NOT_GUILTY) !== 0,
      senders: senders.map(senderText),
      flow: contents.flow,
      policyData,
    },
    text: `${session.text}: ${errorText(code, value)} from ${node}`,
  });
}

/** RERR MESSAGE ARRIVES (RFC 2209 2). */
export function resvErrArrives(core: Core, now: number, arrived: ArrivedMessage, parts: Parts): void {
  const { error, hop, style } = parts;
  const session = core.session(parts.session);
  const { interface: index } = arrived.packet;
  const isFromUpstream = session?.paths.some(
    ({ contents }) => contents?.hop === hop?.address && contents?.incoming === index,
  );
  if (session === undefined || isFromUpstream !== true || hop === undefined || error === undefined) {
    core.drop(arrived, 'no-state', 'no path state from there');
    return;
  }
  for (const upstream of session.upstreams)
    if (upstream.hop === hop.address && upstream.interface === index) core.exchange.answered(upstream);
  const [descriptor] = parts.flows;
  if (style === undefined) {
    core.drop(arrived, 'malformed', 'a style that is not known', session);
    return;
  }
  const named = descriptor?.senders.map((name) => core.findSender(session, name)) ?? [];
  const senders = named.filter((sender) => sender !== undefined);
  const flow = typeof descriptor?.flow === 'object' ? descriptor.flow : undefined;
  const { code, value, node } = error;
  core.event({
    kind: 'resv-error',
    direction: 'received',
    session: session.text,
    code,
    value,
    node,
    hop: hop.address,
    interface: index,
    text: `${session.text}: ResvErr from ${hop.address}, ${errorText(code, value)}, found by ${node}`,
  });
  const isAdmission = code === ADMISSION_FAILURE && flow !== undefined;
  if (isAdmission) blockade(core, now, session, { style, hop: hop.address, senders, flow });
  for (const reservation of session.reservations) {
    const { contents } = reservation;
    if (contents === undefined || reservation.interface === index || reservation.style !== style) continue;
    const common = contents.senders.filter((sender) => senders.includes(sender));
    if (style !== 'WF' && common.length === 0) continue;
    const isInPlace = (error.flags & IN_PLACE) !== 0;
    if (isAdmission && isInPlace && isSpared(contents.flow, flow)) continue;
    const from = { hop: hop.address, interface: index };
    forward(core, now, { reservation, contents, parts, from, senders: common });
  }
}

interface ErrorToForward {
  readonly reservation: Reservation;
  readonly contents: ResvContents;
  readonly parts: Parts;
  /** The previous hop that it came from. */
  readonly from: { readonly hop: string; readonly interface: number };
  /** Of those named, the ones that the reservation is for. */
  readonly senders: readonly Sender[];
}

function forward(
  core: Core,
  now: number,
  { reservation, contents, parts, from, senders }: ErrorToForward,
): void {
  const { session, style, hop, interface: index } = reservation;
  const { error, flows } = parts;
  if (error === undefined) return;
  const [descriptor] = flows;
  const { code, value, node, flags } = error;
  const policyData = thawAll(parts.policy, core.options.codec);
  if (hop === '') {
    const flow = typeof descriptor?.flow === 'object' ? descriptor.flow : undefined;
    // RFC 2205 3.11.1: less was asked for here than what failed.
    const isNotGuilty = flow !== undefined && compareFlows(flow, contents.flow) === 'greater';
    const own = { code, value, node, flags: isNotGuilty ? flags | NOT_GUILTY : flags };
    upcall(core, session, own, senders, contents, policyData);
    return;
  }
  const scope = style === 'WF' ? errorScope(session, parts.scope, from, index) : undefined;
  if (scope?.length === 0) return;
  sendResvError(core, now, {
    session,
    to: { hop, interface: index },
    optionVector: parts.optionVector ?? 0,
    flowspec: descriptor?.flowspec,
    filters: senders.map((sender) => filterObject(sender)),
    scope,
    flags,
    code,
    value,
    objects: [...policyData, ...thawAll(parts.extra)],
    text: `found by ${node}`,
    node,
  });
}
