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

/**
 * For a ResvErr that goes on by an interface: of the senders named those that route there; undefined where none need be named. One
 * without SCOPE is for the senders of the previous hop that it came from: wherever there are others as well they are named
 * from here on, or it would go round in circles, as fast as it can.
 */
export function errorScope(
  session: Session,
  scope: readonly string[] | undefined,
  from: { readonly hop: string; readonly interface: number },
  index: number,
): readonly string[] | undefined {
  const onward = session.paths.filter(
    ({ contents, outgoing }) => contents !== undefined && outgoing.includes(index),
  );
  const named = onward.filter(({ sender, contents }) =>
    scope === undefined
      ? contents?.hop === from.hop && contents.incoming === from.interface
      : scope.includes(sender.address),
  );
  if (scope === undefined && named.length === onward.length && onward.length > 0) return undefined;
  return [...new Set(named.map(({ sender }) => sender.address))];
}
