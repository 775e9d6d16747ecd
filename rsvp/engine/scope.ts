import type { Core } from './core.js';
import type { Group } from './upstream.js';
import { isFor } from './match.js';
import type { Reservation, Session } from './state.js';

/** SCOPE (RFC 2205 3.4): wildcard reservations and their errors name the senders that they are for, so that they cannot loop. */

/**
 * For a Resv to a previous hop; undefined where it needs none. It is put off until there is more than one previous hop, but one
 * that has come is passed on.
 */
export function scopeFor(
  core: Core,
  { paths }: Group,
  used: readonly Reservation[],
  hops: number,
): readonly string[] | undefined {
  if (used[0]?.style !== 'WF') return undefined;
  const isNeeded =
    (hops > 1 && !core.options.hasSharedTrees) || used.some(({ contents }) => contents?.scope !== undefined);
  if (!isNeeded) return undefined;
  // `isFor` minds the scope that came: without one, a reservation is for all senders that route to its interface.
  const senders = paths.filter((path) => used.some((reservation) => isFor(reservation, path)));
  return [...new Set(senders.map(({ sender }) => sender.address))];
}

/** For a ResvErr that goes on by an interface: the senders named that route there; undefined where none are named. */
export function errorScope(
  session: Session,
  scope: readonly string[] | undefined,
  index: number,
): readonly string[] | undefined {
  return scope?.filter((address) =>
    session.paths.some(
      ({ sender, contents, outgoing }) =>
        contents !== undefined && sender.address === address && outgoing.includes(index),
    ),
  );
}
