import type { ArrivedMessage } from '../exchange/advert.js';
import { ErrorSpecIpv4, ErrorSpecIpv6, unknownClassAction } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import type { Core } from './core.js';
import { compareFlows } from './flow.js';
import type { Parts } from './grammar.js';
import { familyOf, LOCAL, senderText, sessionObject, sessionText } from './identity.js';
import { isFor, pathsOf } from './match.js';
import { isBlockaded } from './merge.js';
import { confirmObject, descriptorObjects } from './resv-message.js';
import type { Reservation, Session } from './state.js';
import { styleObject } from './style.js';
import type { Group } from './upstream.js';

/** Confirmations (RFC 2205 2.6, 3.1.9): the node that has no need to ask further confirms. */

const RESV_CONF = 7;

/** A receiver wants to know. */
export interface ConfirmRequest {
  readonly reservation: Reservation;
  readonly receiver: string;
}

/**
 * Which previous hops the requests go on to: to those for whom the reservation is larger than all others it is merged with.
 * Whatever is in place already, or has reached its sender, is confirmed from here; of a blockaded one nothing is heard.
 */
export function settleConfirms(
  core: Core,
  now: number,
  session: Session,
  groups: readonly Group[],
  requests: readonly ConfirmRequest[],
): ReadonlyMap<Group, string> {
  const onward = new Map<Group, string>();
  for (const { reservation, receiver } of requests) {
    let isConfirmed = pathsOf(session, reservation).some(({ incoming }) => incoming === LOCAL);
    for (const group of groups) {
      const verdict = verdictOf(session, group, reservation);
      isConfirmed ||= verdict === 'confirm';
      if (verdict !== 'forward') continue;
      onward.set(group, receiver);
      core.event({
        kind: 'confirm',
        session: session.text,
        direction: 'passed-upstream',
        receiver,
        text: `${session.text}: confirmation for ${receiver} asked of ${group.hop}`,
      });
    }
    if (isConfirmed) confirm(core, now, reservation, receiver);
  }
  return onward;
}

function verdictOf(session: Session, group: Group, reservation: Reservation): 'forward' | 'confirm' | 'none' {
  const own = reservation.contents?.flow;
  const paths = group.paths.filter((path) => isFor(reservation, path));
  if (own === undefined || paths.length === 0) return 'none';
  const { style } = reservation;
  const blockading = style === 'WF' ? [undefined] : paths;
  if (blockading.every((path) => isBlockaded(session, group.hop, path, own))) return 'none';
  const others = session.reservations.filter(
    (other) => other !== reservation && paths.some((path) => isFor(other, path)),
  );
  const isLargest = others.every(({ contents }) => {
    if (contents === undefined) return true;
    if (blockading.every((path) => isBlockaded(session, group.hop, path, contents.flow))) return true;
    return compareFlows(own, contents.flow) === 'greater';
  });
  return isLargest ? 'forward' : 'confirm';
}

/** Confirms from here. */
function confirm(core: Core, now: number, reservation: Reservation, receiver: string): void {
  const { session, style, contents, hop, interface: index } = reservation;
  if (contents === undefined) return;
  const text = `${session.text}: reservation confirmed to ${receiver}`;
  if (hop === '') {
    const node = receiver;
    core.event({
      kind: 'upcall',
      session: session.text,
      application: session.application,
      upcall: {
        type: 'RESV_CONFIRM',
        node,
        style,
        flow: contents.flow,
        senders: contents.senders.map(senderText),
      },
      text,
    });
    return;
  }
  core.event({ kind: 'confirm', session: session.text, direction: 'sent', receiver, text });
  const out = core.options.routing.route(receiver)?.outgoing[0] ?? index;
  core.send(now, {
    interface: out,
    destination: receiver,
    routerAlert: true,
    ttl: core.options.ttl,
    message: {
      msgType: RESV_CONF,
      objects: [
        sessionObject(session),
        confirmation(core.addressOf(index, session)),
        confirmObject(receiver),
        styleObject(style),
        ...descriptorObjects(style, [contents]),
      ],
    },
  });
}

function confirmation(errorNodeAddress: string): WireObject {
  const type = familyOf(errorNodeAddress) === 6 ? ErrorSpecIpv6 : ErrorSpecIpv4;
  return type.make({ errorNodeAddress, flags: 0, errorCode: 0, errorValue: 0 });
}

/** RESV CONFIRM ARRIVES (RFC 2209 2): for an application here, or on its way to the receiver, hop by hop. */
export function resvConfArrives(core: Core, now: number, arrived: ArrivedMessage, parts: Parts): void {
  const { confirm: receiver, error } = parts;
  const { packet, message } = arrived;
  if (receiver === undefined || error === undefined) return;
  const name = sessionText(parts.session);
  // RFC 2205 Appendix B: its destination is the receiver.
  if (packet.destination !== receiver && packet.isUdp !== true) {
    core.drop(
      arrived,
      'malformed',
      `IP destination ${packet.destination}, expected the receiver ${receiver}`,
    );
    return;
  }
  const session = core.session(parts.session);
  if (core.isOwn(receiver)) {
    core.event({
      kind: 'confirm',
      session: name,
      direction: 'received',
      receiver,
      text: `${name}: reservation confirmed by ${error.node}`,
    });
    if (session === undefined || session.application === 0 || parts.style === undefined) return;
    for (const { flow, senders } of parts.flows)
      core.event({
        kind: 'upcall',
        session: name,
        application: session.application,
        upcall: {
          type: 'RESV_CONFIRM',
          node: error.node,
          style: parts.style,
          flow: typeof flow === 'object' ? flow : undefined,
          senders: senders.map(senderText),
        },
        text: `${name}: reservation confirmed by ${error.node}`,
      });
    return;
  }
  const out = core.options.routing.route(receiver)?.outgoing[0];
  if (out === undefined || core.options.isHost) {
    core.drop(arrived, 'no-route', `no route to the receiver ${receiver}`, session);
    return;
  }
  if (packet.ttl <= 1) {
    core.drop(arrived, 'ttl', 'its TTL is used up', session);
    return;
  }
  core.event({
    kind: 'confirm',
    session: name,
    direction: 'forwarded',
    receiver,
    text: `${name}: confirmation forwarded to ${receiver} by ${core.nameOf(out)}`,
  });
  // From an address of ours: it goes hop by hop for the sake of INTEGRITY (RFC 2205 3.1.9), whose receiver finds the key by the IP
  // source of whoever sent it last (RFC 2747 4).
  core.send(now, {
    interface: out,
    destination: receiver,
    routerAlert: true,
    ttl: packet.ttl - 1,
    // RFC 2205 3.10: what is of an unknown class 10bbbbbb does not go on.
    message: {
      msgType: RESV_CONF,
      objects: message.objects.filter(({ classNum }) => unknownClassAction(classNum) !== 'ignore'),
    },
  });
}
