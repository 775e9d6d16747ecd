import { LOCAL } from './identity.js';
import type { Path, Reservation, Session } from './state.js';

/** Which path state and which reservations belong together (RFC 2209 2). */

/** Does policy let it be used, and does its data leave by this interface, or did it until the route changed? */
export function routesTo(path: Path, index: number): boolean {
  return path.contents !== undefined && (path.outgoing.includes(index) || path.former.includes(index));
}

/** Is it in force and for this sender's data, on an interface that the data leaves by? */
export function isFor(reservation: Reservation, path: Path): boolean {
  const { contents, style, interface: index } = reservation;
  if (contents === undefined || !routesTo(path, index)) return false;
  // RFC 2205 2.3: never back where it came from; but an application may receive what another one here sends.
  if (index === path.incoming && index !== LOCAL) return false;
  if (style !== 'WF') return contents.senders.includes(path.sender);
  return contents.scope === undefined || contents.scope.includes(path.sender.address);
}

/** Path state that a reservation is for. */
export function pathsOf(session: Session, reservation: Reservation): readonly Path[] {
  return session.paths.filter((path) => isFor(reservation, path));
}
