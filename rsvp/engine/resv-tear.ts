import type { ArrivedMessage } from '../exchange/advert.js';
import type { Core } from './core.js';
import { NONE } from './frozen.js';
import type { Parts } from './grammar.js';
import { removeReservation, removeSenders } from './resv-change.js';
import { refreshUpstreams } from './upstream.js';

/** RTEAR MESSAGE ARRIVES (RFC 2209 2, RFC 2205 3.1.6): FLOWSPEC and SCOPE are ignored. */
export function resvTearArrives(core: Core, now: number, arrived: ArrivedMessage, parts: Parts): void {
  const { hop, style } = parts;
  const session = core.session(parts.session);
  if (session === undefined || hop === undefined || style === undefined) {
    core.drop(arrived, 'no-state', 'no such reservation state');
    return;
  }
  let isFound = false;
  for (const { senders: names } of parts.flows) {
    const gone = names.map((name) => core.findSender(session, name)).filter((sender) => sender !== undefined);
    for (const reservation of session.reservations) {
      const { style: own, hop: from, interface: index, sender } = reservation;
      if (own !== style || from !== hop.address || index !== hop.handle) continue;
      if (own === 'FF' && (sender === undefined || !gone.includes(sender))) continue;
      isFound = true;
      if (core.exchange.order(arrived, reservation) === 'stale') {
        core.drop(arrived, 'stale', 'overtaken by a later one (RFC 2961 4.5)', session);
        continue;
      }
      if (own === 'SE') removeSenders(core, now, reservation, gone, 'tear');
      else removeReservation(core, now, reservation, 'tear');
    }
  }
  if (!isFound) {
    core.drop(arrived, 'no-state', 'no such reservation state', session);
    return;
  }
  refreshUpstreams(core, now, session, 'normal', NONE, parts.extra);
  core.tidy(session);
}
