import type { Core } from './core.js';
import type { EndCause } from './event.js';
import { flowText } from './flow.js';
import { NONE, without } from './frozen.js';
import { senderText } from './identity.js';
import { routesTo } from './match.js';
import { askAgain, askResv, forgetQuestion, report } from './policy-control.js';
import type { PendingResv } from './resv.js';
import { refuseReservation } from './resv-error.js';
import type { Path, Reservation, ResvContents, Sender } from './state.js';
import { updateTraffic } from './traffic-control.js';
import { refreshUpstreams } from './upstream.js';

/** Reservation state that comes into force, changes and ends. */

/** Puts a request to use: admission control has no objection. False where it has; then all is as it was before. */
export function applyResv(
  core: Core,
  now: number,
  reservation: Reservation,
  contents: ResvContents,
): boolean {
  const { session, policy } = reservation;
  const before = reservation.contents;
  reservation.contents = contents;
  const refusal = updateTraffic(core, now, reservation);
  if (refusal !== undefined) {
    reservation.contents = before;
    core.counters.refused++;
    if (policy !== undefined) report(core, policy, false);
    refuseReservation(core, now, reservation, contents, refusal);
    unnumber(core, reservation);
    // RFC 2205 2.5: what was in place stays; policy is told that it is that again (RFC 2749 3.3).
    if (before === undefined) discard(core, reservation, 'error');
    else if (policy !== undefined) askAgain(core, reservation, before);
    core.tidy(session);
    return false;
  }
  if (policy !== undefined) report(core, policy, true);
  if (before === undefined) core.counters.reservations++;
  const { style, hop, interface: index } = reservation;
  const change = before === undefined ? 'new' : 'changed';
  core.event({
    kind: 'resv',
    change,
    session: session.text,
    style,
    senders: contents.senders.map(senderText),
    hop,
    interface: index,
    flow: contents.flow,
    text: `${session.text}: ${change} ${describe(reservation, contents)}, ${flowText(contents.flow)}`,
  });
  supersede(core, now, reservation);
  return true;
}

/** `FF reservation of 10.0.0.1:5004 from 10.1.0.2 by eth1`. */
function describe(reservation: Reservation, contents: ResvContents): string {
  const { core, style, hop, interface: index } = reservation;
  const whose = contents.senders.length === 0 ? 'any sender' : contents.senders.map(senderText).join(', ');
  return `${style} reservation for ${whose} from ${hop === '' ? 'an application' : `${hop} by ${core.nameOf(index)}`}`;
}

/** What is reserved on the new route takes the place of what was on the old one (RFC 2205 3.6). */
function supersede(core: Core, now: number, reservation: Reservation): void {
  const { session } = reservation;
  for (const path of session.paths) {
    if (path.former.length === 0 || !path.outgoing.includes(reservation.interface)) continue;
    const { former } = path;
    path.former = NONE;
    for (const old of session.reservations)
      if (former.includes(old.interface) && !session.paths.some((other) => routesTo(other, old.interface)))
        removeReservation(core, now, old, 'route-change');
  }
}

/** Ends a reservation, here alone: whoever calls sees to what goes upstream. */
export function removeReservation(core: Core, now: number, reservation: Reservation, cause: EndCause): void {
  const { session, contents, style, hop, interface: index } = reservation;
  if (!session.reservations.includes(reservation)) return;
  discard(core, reservation, cause);
  if (contents === undefined) return;
  const silence =
    reservation.lifetime === 0 ? 0 : Math.max(0, now - (reservation.expiresAt - reservation.lifetime));
  core.event({
    kind: 'resv-gone',
    session: session.text,
    style,
    senders: contents.senders.map(senderText),
    hop,
    interface: index,
    cause,
    silence,
    text: `${session.text}: ${describe(reservation, contents)} is gone: ${cause}${
      cause === 'timeout' ? `, not refreshed for ${Math.round(silence / 100) / 10} s` : ''
    }`,
  });
  updateTraffic(core, now, reservation, cause);
}

function discard(core: Core, reservation: Reservation, cause: EndCause): void {
  const { session, policy } = reservation;
  session.reservations = without(session.reservations, reservation);
  reservation.contents = undefined;
  core.timers.delete(reservation);
  core.exchange.unbind(reservation);
  if (policy !== undefined) forgetQuestion(core, policy, cause);
}

/** What a reservation is to be: what policy is asked about, or else what is in force. */
export function latestOf({ policy, contents }: Reservation): ResvContents | undefined {
  return (policy?.pending as PendingResv | undefined)?.contents ?? contents;
}

/** Takes senders out of a reservation, and out of what policy is asked about; the last one takes it along. */
export function removeSenders(
  core: Core,
  now: number,
  reservation: Reservation,
  gone: readonly Sender[],
  cause: EndCause,
): void {
  const { contents, policy, senderExpiry: expiry } = reservation;
  const latest = latestOf(reservation);
  if (latest === undefined) return;
  const isLeft = (sender: Sender | undefined): boolean => sender === undefined || !gone.includes(sender);
  const left = latest.senders.filter(isLeft);
  if (left.length === latest.senders.length) return;
  if (left.length === 0) {
    removeReservation(core, now, reservation, cause);
    return;
  }
  if (expiry !== undefined) reservation.senderExpiry = expiry.filter((_, i) => isLeft(latest.senders[i]));
  const senders = contents?.senders.filter(isLeft) ?? NONE;
  if (contents !== undefined && senders.length < contents.senders.length) {
    reservation.contents = senders.length === 0 ? undefined : { ...contents, senders };
    updateTraffic(core, now, reservation);
  }
  const pending = policy?.pending as PendingResv | undefined;
  if (pending !== undefined)
    askResv(core, reservation, { ...pending, contents: { ...latest, senders: left } });
  else if (policy !== undefined && reservation.contents !== undefined)
    askAgain(core, reservation, reservation.contents);
}

/** Path state has gone: what is reserved for that sender alone goes as well (RFC 2205 3.1.5). */
export function withdrawSender(core: Core, now: number, path: Path, cause: EndCause): void {
  const { session, sender } = path;
  for (const reservation of session.reservations) {
    const { interface: index, style, hop } = reservation;
    if (hop === '') continue;
    const others = session.paths.filter((other) => routesTo(other, index));
    if (style === 'WF') {
      if (others.length === 0) removeReservation(core, now, reservation, cause);
    } else if (!others.some((other) => other.sender === sender)) {
      if (latestOf(reservation)?.senders.includes(sender) === true) unnumber(core, reservation);
      removeSenders(core, now, reservation, [sender], cause);
    }
  }
}

/**
 * Not all that the next hop asks for is in place: it was refused, or lost with its path state. So that it is asked for again, as
 * a Resv every R does by itself, its Resv has to come whole: refreshes by number are refused from now on (RFC 2961 5.4),
 * of all that came in the same message.
 */
export function unnumber(
  core: Core,
  { session, hop, interface: index }: Pick<Reservation, 'session' | 'hop' | 'interface'>,
): void {
  for (const other of session.reservations)
    if (other.hop === hop && other.interface === index) core.exchange.unbind(other);
}

export function reservationExpired(core: Core, now: number, reservation: Reservation): void {
  const { session, contents, senderExpiry } = reservation;
  if (senderExpiry === undefined || contents === undefined || contents.senders.length < 2)
    removeReservation(core, now, reservation, 'timeout');
  else {
    const gone = contents.senders.filter((_, i) => (senderExpiry[i] ?? 0) <= now);
    removeSenders(core, now, reservation, gone, 'timeout');
    if (reservation.senderExpiry !== undefined && reservation.contents !== undefined) {
      reservation.expiresAt = Math.min(...reservation.senderExpiry);
      core.watch(reservation);
    }
  }
  refreshUpstreams(core, now, session, 'normal');
  core.tidy(session);
}
