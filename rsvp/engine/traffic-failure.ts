import type { Core } from './core.js';
import { NONE } from './frozen.js';
import { report } from './policy-control.js';
import { refuseAll } from './resv-error.js';
import { removeReservation } from './resv-change.js';
import { refreshUpstreams } from './upstream.js';

/** Error code of Traffic Control System error (RFC 2205 Appendix B). */
const SYSTEM_ERROR = 22;

/** Nobody knows what the kernel has now: the reservation goes, and whoever asked for it is told. */
export function trafficFailed(core: Core, now: number, id: number, reason: string): void {
  const traffic = core.traffics.get(id);
  if (traffic === undefined) return;
  const { session, interface: index, sender } = traffic;
  const merged = session.reservations.filter(
    (other) => other.contents !== undefined && other.interface === index && other.sender === sender,
  );
  const text = `traffic control on ${core.nameOf(index)} failed: ${reason}`;
  for (const { policy } of merged) if (policy !== undefined) report(core, policy, false);
  refuseAll(core, now, merged, { code: SYSTEM_ERROR, value: 0, flags: 0, objects: NONE, text });
  for (const reservation of merged) removeReservation(core, now, reservation, 'error');
  refreshUpstreams(core, now, session, 'normal');
  core.tidy(session);
}
