import { rateInForce } from './flows.js';
import type { History } from './history.js';
import { LOCAL } from './model.js';
import type { ExpectedPath, ExpectedSession } from './model.js';
import { nameOf } from './wishes.js';

/**
 * Where there is little room the outcome may depend on who came first. What holds in any case: no interface is overbooked, and
 * whoever asks for what fits all the way gets it, however much others ask for in vain (RFC 2205 2.5's killer reservations).
 */
export function checkScarcity(history: History, sessions: readonly ExpectedSession[]): void {
  for (const { site, engine } of history.stations.values())
    for (const { name, reserved, reservable } of engine?.interfaces() ?? [])
      if (reserved > reservable)
        throw new Error(`${site.name} has reserved ${reserved} of ${reservable} octets/s on ${name}`);
  const [only, ...others] = sessions;
  if (only === undefined || others.length > 0 || only.session.senders.length > 1) return;
  for (const path of only.paths) checkReceiver(history, only, path);
}

function checkReceiver(history: History, expected: ExpectedSession, end: ExpectedPath): void {
  const { session, paths, reservations } = expected;
  if (!end.outgoing.includes(LOCAL) || end.hop === undefined) return;
  const own = reservations.find(({ site, interface: index }) => site === end.site && index === LOCAL);
  if (own === undefined) return;
  const asked = rateInForce(own.flow, end.rate);
  const way: NonNullable<ExpectedPath['hop']>[] = [];
  for (let at: ExpectedPath | undefined = end; at?.hop !== undefined;) {
    const { hop }: ExpectedPath = at;
    way.push(hop);
    at = paths.find((path) => path.site === hop.site && path.outgoing.includes(hop.index));
  }
  if (way.some(({ reservable }) => reservable < asked)) return;
  for (const { site, index } of way) {
    const all = [...(history.stations.get(site)?.engine?.traffics() ?? [])];
    const rate = all.find((traffic) => traffic.interface === index)?.rate ?? 0;
    if (rate < asked)
      throw new Error(
        `${end.site.name} asks for ${asked} octets/s of ${session.text} from ${nameOf(end.sender)}, which fits all the way; ${site.name} has ${rate} in force on ${index}`,
      );
  }
}
