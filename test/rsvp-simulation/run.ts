import { difference } from './compare.js';
import { checkScarcity } from './scarcity.js';
import { History } from './history.js';
import { expect } from './model.js';
import type { ExpectedSession } from './model.js';
import { REFRESH_PERIOD } from './station.js';
import type { Station } from './station.js';

/** One random history from its first Path to its last timer; throws where the state is not what RFC 2205 says. */
export function runHistory(seed: number, isTelling = false): History {
  const history = new History(seed, isTelling);
  try {
    run(history);
  } catch (error) {
    if (history.story !== undefined) (error as Error).message += `\n${history.story.lines.join('\n')}`;
    throw error;
  }
  return history;
}

function run(history: History): void {
  const { scheduler, lifetime } = history;
  history.trouble();
  history.calm();
  // What is out of date ends with its lifetime, and what was reserved for it with another.
  history.run(2 * lifetime + 2 * REFRESH_PERIOD);
  const sessions = atRest(history);
  if (history.kind === 'scarce') checkScarcity(history, sessions);
  checkQuiet(history);
  if (history.kind === 'ample' && history.refusals === undefined && scheduler.chance(0.5))
    checkConfirmation(history, sessions);
  if (scheduler.chance(0.5)) {
    checkTeardown(history);
    history.run(lifetime + REFRESH_PERIOD);
  } else {
    for (const { site } of history.stations.values()) if (site.isHost) history.stop(site);
    for (const application of [...history.applications]) history.release(application);
    history.run(2 * lifetime + 2 * REFRESH_PERIOD);
  }
  for (const station of history.stations.values()) checkEmpty(station);
}

/** The state is what the model says. */
function atRest(history: History): readonly ExpectedSession[] {
  const { sessions, applications, routes, refusals } = history;
  const expected = sessions.map((session) =>
    expect(
      routes,
      session,
      applications.filter((one) => one.session === session),
      refusals,
    ),
  );
  const wrong = difference(expected, [...history.stations.values()], {
    reservations: history.kind === 'ample',
  });
  if (wrong !== undefined) throw new Error(`state at rest:\n${wrong}`);
  return expected;
}

/** At rest nothing happens but refreshes, and of those no more than RFC 2205 3.7 allows: one in R / 2 for each state told. */
function checkQuiet(history: History): void {
  const { network, stations, kind, refusals } = history;
  const told = (): number => sum(stations.values(), ({ engine }) => engine?.exchangeSizes.adverts ?? 0);
  const spoken = sum(stations.values(), ({ engine }) => engine?.exchangeSizes.neighbours ?? 0);
  for (const station of stations.values()) station.stirs = 0;
  network.sent = 0;
  network.refused = 0;
  network.isWatched = true;
  const periods = 2;
  history.run(periods * REFRESH_PERIOD);
  network.isWatched = false;
  if (kind !== 'ample' || refusals !== undefined) return;
  const most = 2 * (periods + 1) * (told() + spoken);
  if (network.sent > most)
    throw new Error(`${network.sent} messages in ${periods} refresh periods, expected ${most} at most`);
  // RFC 2961 5.4: whoever refuses a number has lost what was behind it.
  if (network.refused > 0) throw new Error(`${network.refused} refreshes by number were refused at rest`);
  for (const { site, stirs } of stations.values())
    if (stirs > 0) throw new Error(`${site.name} is not at rest: ${stirs} effects beside refreshes`);
}

/** RFC 2205 2.6: whoever asks is told, where the reservation reaches a sender and nothing stands in its way. */
function checkConfirmation(history: History, sessions: readonly ExpectedSession[]): void {
  const { applications, scheduler, stations } = history;
  const receivers = applications.filter(({ reserves }) => reserves.length > 0);
  if (receivers.length === 0) return;
  const asking = scheduler.pick(receivers);
  const { session, site } = asking;
  const reaches = sessions.some(
    (expected) =>
      expected.session === session &&
      expected.upstreams.some(
        ({ site: told, used }) => told === site && used.some(({ hop }) => hop === undefined),
      ),
  );
  const station = stations.get(site);
  if (station === undefined || !reaches) return;
  station.confirmed.length = 0;
  history.story?.line(`${site.name} asks for a confirmation of ${session.text}`);
  // What comes on a way that was not used before meets a handshake first, and is lost (RFC 2747 4.3).
  const isSigned = [...stations.values()].some(({ setup }) =>
    setup.exchange.some(({ integrity }) => integrity !== undefined),
  );
  for (let tries = isSigned ? 5 : 1; tries > 0 && !station.confirmed.includes(session.text); tries--) {
    station.reserve(asking, true);
    history.run(3000);
  }
  if (!station.confirmed.includes(session.text))
    throw new Error(`${site.name} has no confirmation of ${session.text}`);
}

/** RFC 2205 2.3: tears go all the way at once. */
function checkTeardown(history: History): void {
  const { stations, applications } = history;
  for (const application of applications) if (application.reserves.length > 0) history.unreserve(application);
  history.run(3000);
  for (const { site, engine } of stations.values()) {
    const { reservations = 0, traffics = 0 } = engine?.stateCount ?? {};
    if (reservations + traffics > 0)
      throw new Error(`${site.name} holds ${reservations} reservations after all were torn down`);
  }
  for (const application of applications)
    for (const sender of [...application.sends.keys()]) history.withdraw(application, sender);
  history.run(3000);
  for (const { site, engine } of stations.values()) {
    const paths = engine?.stateCount.paths ?? 0;
    if (paths > 0) throw new Error(`${site.name} holds ${paths} path states after all were torn down`);
  }
  for (const application of [...applications]) history.release(application);
}

function checkEmpty({ site, engine }: Station): void {
  if (engine === undefined) return;
  const { adverts, bound, unacknowledged } = engine.exchangeSizes;
  const held = { ...engine.stateCount, adverts, bound, unacknowledged };
  const left = Object.entries(held).filter(([, count]) => count > 0);
  const next = engine.nextTimeout();
  if (left.length > 0)
    throw new Error(`${site.name} still holds ${left.map(([what, count]) => `${count} ${what}`).join(', ')}`);
  if (next !== undefined) throw new Error(`${site.name} holds nothing and still waits for ${next} ms`);
}

function sum<Item>(items: Iterable<Item>, of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
