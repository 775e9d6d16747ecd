import type { InterfaceView, ReservationView, SenderView } from '../router/control/views.js';
import { durationText, rateText } from './text.js';

/** What a router knows of one session. */
export interface SessionState {
  readonly session: string;
  readonly senders: readonly SenderView[];
  readonly reservations: readonly ReservationView[];
  readonly interfaces: readonly InterfaceView[];
}

/**
 * `bandex show path`: where a session's messages came from and went, and what is missing, so that whoever looks for the hop
 * that loses them knows which way to go.
 */
export function explainPath({ session, senders, reservations, interfaces }: SessionState): string[] {
  const lines = [session];
  if (senders.length === 0) {
    lines.push(
      '  no Path: none has arrived here, or none was refreshed in time; look upstream, towards the sender',
      ...(reservations.length === 0 ? [] : ['  reservations without a Path are not forwarded']),
    );
  }
  for (const sender of senders) {
    lines.push(...senderLines(sender));
    const theirs = reservations.filter(
      (one) => one.senders.length === 0 || one.senders.includes(sender.sender),
    );
    for (const outgoing of sender.outgoing) {
      const here = theirs.filter((one) => one.outgoing === outgoing);
      if (here.length === 0)
        lines.push(
          `  ${outgoing}: no Resv has come back; look downstream there, or the receiver has not asked`,
        );
      else lines.push(...here.map((one) => `  ${outgoing}: ${reservationLine(one, interfaces)}`));
    }
    if (sender.outgoing.length === 0) {
      const here = theirs.filter((one) => one.outgoing === undefined);
      lines.push(
        ...(here.length === 0
          ? ['  this node is the receiver, and no application here has reserved']
          : here.map((one) => `  here: ${reservationLine(one, interfaces)}`)),
      );
    }
  }
  return lines;
}

function senderLines(sender: SenderView): string[] {
  const { previousHop, incoming, refreshedAgo, expiresIn, rate, outgoing, refused, hasNonRsvpHop } = sender;
  const from = previousHop === undefined ? 'an application here' : `${previousHop} by ${incoming ?? '-'}`;
  const when = refreshedAgo === undefined ? '' : `, last ${durationText(refreshedAgo)} ago`;
  const until = expiresIn === undefined ? '' : `, is forgotten in ${durationText(expiresIn)} without another`;
  const to = outgoing.length === 0 ? 'goes no further' : `goes on by ${outgoing.join(', ')}`;
  return [
    `  Path of ${sender.sender} (${rateText(rate)}) from ${from}${when}${until}; ${to}`,
    ...(refused === undefined ? [] : [`  it was refused, and goes no further: ${refused}`]),
    ...(hasNonRsvpHop ? ['  a hop without RSVP lies before this one: nothing is reserved there'] : []),
  ];
}

function reservationLine(one: ReservationView, interfaces: readonly InterfaceView[]): string {
  const from = one.nextHop === undefined ? 'an application here' : one.nextHop;
  const when = one.refreshedAgo === undefined ? '' : `, last ${durationText(one.refreshedAgo)} ago`;
  const about = `${one.style} ${rateText(one.rate)} ${one.service} of ${from}${when}`;
  const why = one.reason === undefined ? '' : ` (${one.reason})`;
  return one.state === 'in force'
    ? `reserved: ${about}`
    : `refused: ${about}${why}${roomText(one, interfaces)}`;
}

function roomText(one: ReservationView, interfaces: readonly InterfaceView[]): string {
  const at = interfaces.find((each) => each.interface === one.outgoing);
  if (at === undefined) return '';
  return `; ${rateText(Math.max(0, at.reservable - at.reserved))} of ${rateText(at.reservable)} are free there now`;
}
