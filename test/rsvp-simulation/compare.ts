import type { Flow } from '../../rsvp/engine/index.js';
import { rateInForce, textOf } from './flows.js';
import { LOCAL } from './model.js';
import type { ExpectedReservation, ExpectedSession } from './model.js';
import type { Station } from './station.js';
import type { Port, Site } from './topology.js';
import { nameOf } from './wishes.js';
import type { SessionWish } from './wishes.js';

/** State as lines of text, what is expected and what is there, and their difference. */

/** With the least rate; 0: it may be missing. */
type Lines = Map<string, number>;

/** Undefined: the state is what the model says. */
export function difference(
  sessions: readonly ExpectedSession[],
  stations: readonly Station[],
  what: { readonly reservations: boolean },
): string | undefined {
  const expected: Lines = new Map();
  const actual: Lines = new Map();
  const selfFeeding = new Set(
    sessions.filter(({ isSelfFeeding }) => isSelfFeeding).map(({ session }) => session.text),
  );
  for (const one of sessions) expectPaths(one, expected);
  for (const station of stations) notePaths(station, actual);
  if (what.reservations) {
    for (const one of sessions) expectReservations(one, expected);
    for (const station of stations) noteReservations(station, actual, selfFeeding);
  }
  const problems: string[] = [];
  for (const [line, least] of expected) {
    const rate = actual.get(line);
    if (rate === undefined) {
      if (least > 0) problems.push(`missing: ${line}`);
    } else if (rate < least) problems.push(`only ${rate} octets/s, expected ${least}: ${line}`);
  }
  for (const line of actual.keys()) if (!expected.has(line)) problems.push(`not expected: ${line}`);
  return problems.length === 0 ? undefined : problems.sort().join('\n');
}

function expectPaths({ session, paths }: ExpectedSession, lines: Lines): void {
  for (const { site, sender, rate, hop, incoming, outgoing, isOffTree } of paths)
    lines.set(
      pathLine(site, session.text, nameOf(sender), hopOf(hop, session), incoming, outgoing, rate),
      isOffTree ? 0 : rate,
    );
}

function notePaths({ site, engine }: Station, lines: Lines): void {
  for (const { session, sender, hop, incoming, outgoing, tspec } of engine?.senders() ?? [])
    lines.set(pathLine(site, session, sender, hop, incoming, outgoing, tspec.rate), tspec.rate);
}

function pathLine(
  site: Site,
  session: string,
  sender: string,
  hop: string,
  incoming: number,
  outgoing: readonly number[],
  rate: number,
): string {
  const onward = [...outgoing].sort().join(',');
  return `${site.name}: ${session} path of ${sender} at ${rate}, from ${hop || 'application'} by ${incoming} to [${onward}]`;
}

function expectReservations(expected: ExpectedSession, lines: Lines): void {
  const { session, reservations, upstreams, isSelfFeeding } = expected;
  for (const { site, hop, interface: index, flow, senders, scope } of reservations) {
    const what = resvText(session.style, flow, senders.map(nameOf), scope, isSelfFeeding);
    lines.set(
      `${site.name}: ${session.text} reserved by ${hopOf(hop, session) || 'application'} on ${index}: ${what}`,
      rateOf(flow),
    );
  }
  for (const { site, hop, incoming, flows, scope } of upstreams)
    for (const { flow, senders } of flows) {
      const what = resvText(session.style, flow, senders.map(nameOf), scope, isSelfFeeding);
      lines.set(
        `${site.name}: ${session.text} tells ${hopOf(hop, session)} by ${incoming}: ${what}`,
        rateOf(flow),
      );
    }
  expectTraffic(expected, lines);
}

/** RFC 2205 2.2: one reservation an interface, of FF one a sender as well. */
function expectTraffic({ session, paths, reservations, isSelfFeeding }: ExpectedSession, lines: Lines): void {
  const merged = new Map<string, ExpectedReservation[]>();
  for (const one of reservations) {
    if (one.interface === LOCAL) continue;
    const sender = session.style === 'FF' ? one.senders.map(nameOf).join() : '';
    const key = `${one.site.name} ${one.interface} ${sender}`;
    merged.set(key, [...(merged.get(key) ?? []), one]);
  }
  for (const all of merged.values()) {
    const [first] = all as [ExpectedReservation];
    const { site, interface: index } = first;
    const senders = new Set(all.flatMap((one) => one.senders));
    const sending = paths.filter(
      (path) =>
        path.site === site &&
        path.outgoing.includes(index) &&
        (session.style === 'WF'
          ? all.some(({ scope }) => scope === undefined || scope.has(path.sender.address))
          : senders.has(path.sender)),
    );
    const sent = sending.reduce((sum, { rate }) => sum + rate, 0);
    const rates = all.map(({ flow }) => flow);
    const rate = Math.max(...rates.map((flow) => rateInForce(flow, sent)));
    lines.set(trafficLine(site, session.text, index, [...senders].map(nameOf), rate, isSelfFeeding), rate);
  }
}

function noteReservations({ site, engine }: Station, lines: Lines, selfFeeding: ReadonlySet<string>): void {
  if (engine === undefined) return;
  for (const { session, style, senders, hop, interface: index, flow, scope } of engine.reservations()) {
    const what = resvText(style, flow, senders, scope, selfFeeding.has(session));
    lines.set(
      `${site.name}: ${session} reserved by ${hop || 'application'} on ${index}: ${what}`,
      rateOf(flow),
    );
  }
  for (const { session, hop, interface: index, style, flows, scope } of engine.upstreams())
    for (const { flow, senders } of flows) {
      const what = resvText(style, flow, senders, scope, selfFeeding.has(session));
      lines.set(`${site.name}: ${session} tells ${hop} by ${index}: ${what}`, rateOf(flow));
    }
  for (const { session, interface: index, senders, rate } of engine.traffics())
    lines.set(trafficLine(site, session, index, senders, rate, selfFeeding.has(session)), rate);
}

function resvText(
  style: string,
  flow: Flow,
  senders: readonly string[],
  scope: Iterable<string> | undefined,
  isAtLeast: boolean,
): string {
  const whose = senders.length === 0 ? 'any' : [...senders].sort().join(' ');
  const scopes = scope === undefined ? '' : ` SCOPE [${[...scope].sort().join(' ')}]`;
  return `${style} ${whose}${scopes}, ${isAtLeast ? 'at least what is asked for' : textOf(flow)}`;
}

function trafficLine(
  site: Site,
  session: string,
  index: number,
  senders: readonly string[],
  rate: number,
  isAtLeast: boolean,
): string {
  const whose = senders.length === 0 ? 'any' : [...senders].sort().join(' ');
  return `${site.name}: ${session} in force on ${index} for ${whose}: ${isAtLeast ? 'at least what is asked for' : rate}`;
}

function hopOf(hop: Port | undefined, { family }: SessionWish): string {
  return hop === undefined ? '' : hop.addresses[family];
}

function rateOf(flow: Flow): number {
  return flow.service === 'guaranteed' ? flow.reservedRate : flow.rate;
}
