import type { Engine } from '../../rsvp/engine/engine.js';
import { rateOf } from '../../rsvp/engine/flow.js';
import type { NodeInterface } from '../../rsvp/engine/node.js';
import type {
  CounterView,
  InterfaceView,
  NeighbourView,
  PolicyView,
  ReservationView,
  SenderView,
  SessionView,
  Views,
} from './control/views.js';
import type { PacketCounts } from './node.js';
import type { RefusalNotes } from './refusals.js';

/** Where the views of a node come from. */
export interface StateSource {
  readonly engine: Engine;
  /** The kernel's, with what is configured. */
  readonly interfaces: () => readonly NodeInterface[];
  readonly counts: ReadonlyMap<number, PacketCounts>;
  readonly refusals: RefusalNotes;
  readonly policy: () => PolicyView;
  /** Of the transports. */
  readonly statistics: () => object;
  /** How RSVP is spoken there. */
  readonly spoken: (name: string) => { readonly refreshReduction: boolean; readonly integrity: boolean };
  /** The engine's clock. */
  readonly now: () => number;
}

/** All that `bandex show` can ask for. */
export function stateViews(source: StateSource): { [Name in keyof Views]: () => Iterable<Views[Name]> } {
  const names = (): Map<number, string> =>
    new Map(source.interfaces().map(({ index, name }) => [index, name]));
  return {
    sessions: () => sessions(source),
    senders: () => senders(source, names()),
    reservations: () => reservations(source, names()),
    interfaces: () => interfaces(source),
    neighbours: () => neighbours(source, names()),
    policy: () => [source.policy()],
    counters: () => counters(source),
  };
}

function* sessions({ engine }: StateSource): Generator<SessionView> {
  const reserved = new Map<string, number>();
  for (const { session, rate } of engine.traffics())
    reserved.set(session, (reserved.get(session) ?? 0) + rate);
  for (const { session, senders: count, reservations: asked } of engine.sessions())
    yield { session, senders: count, reservations: asked, reserved: reserved.get(session) ?? 0 };
}

function* senders({ engine, refusals, now }: StateSource, names: Names): Generator<SenderView> {
  for (const { session, sender, hop, incoming, outgoing, tspec, expiresAt, ...one } of engine.senders()) {
    yield {
      session,
      sender,
      ...(hop === '' ? {} : { previousHop: hop, incoming: nameOf(names, incoming) }),
      // The application of this node is no way out.
      outgoing: outgoing.filter((index) => index !== LOCAL).map((index) => nameOf(names, index)),
      rate: tspec.rate,
      bucket: tspec.bucket,
      hasNonRsvpHop: one.isAfterNonRsvpHop,
      hasPolicyData: one.hasPolicyData,
      ...until(expiresAt, one.lifetime, now()),
    };
  }
  for (const { session, kind, hop, reason, at } of refusals.all()) {
    if (kind !== 'path') continue;
    yield {
      session,
      sender: '-',
      ...(hop === '' ? {} : { previousHop: hop }),
      outgoing: [],
      rate: 0,
      bucket: 0,
      hasNonRsvpHop: false,
      hasPolicyData: false,
      refused: reason,
      refreshedAgo: refusals.now() - at,
    };
  }
}

function* reservations({ engine, refusals, now }: StateSource, names: Names): Generator<ReservationView> {
  const priorities = new Map<string, number>();
  for (const { session, interface: index, preemptionPriority } of engine.traffics())
    priorities.set(`${session} ${index}`, preemptionPriority);
  for (const one of engine.reservations()) {
    const { session, style, hop, interface: index, flow, expiresAt } = one;
    const priority = priorities.get(`${session} ${index}`);
    yield {
      session,
      style,
      senders: one.senders,
      ...(hop === '' ? {} : { nextHop: hop, outgoing: nameOf(names, index) }),
      service: flow.service,
      rate: rateOf(flow),
      bucket: flow.bucket,
      state: 'in force',
      ...(priority === undefined ? {} : { priority }),
      ...until(expiresAt, one.lifetime, now()),
    };
  }
  for (const { session, kind, hop, reason, at, rate = 0, interface: index } of refusals.all()) {
    if (kind !== 'resv') continue;
    yield {
      session,
      style: '-',
      senders: [],
      ...(hop === '' ? {} : { nextHop: hop }),
      ...(index === undefined ? {} : { outgoing: nameOf(names, index) }),
      service: '-',
      rate,
      bucket: 0,
      state: 'refused',
      reason,
      refreshedAgo: refusals.now() - at,
    };
  }
}

function* interfaces({ engine, interfaces: all, counts, spoken }: StateSource): Generator<InterfaceView> {
  const inForce = new Map(engine.interfaces().map((one) => [one.index, one]));
  for (const { name, index, addresses, isUp, mtu, bandwidth, reservable } of all()) {
    const { received, sent } = counts.get(index) ?? { received: 0, sent: 0 };
    const { reserved = 0, reservations: count = 0 } = inForce.get(index) ?? {};
    yield {
      interface: name,
      index,
      addresses,
      isUp,
      mtu,
      bandwidth,
      reservable,
      reserved,
      reservations: count,
      ...spoken(name),
      received,
      sent,
    };
  }
}

function* neighbours({ engine }: StateSource, names: Names): Generator<NeighbourView> {
  const found = new Map<string, { -readonly [K in keyof NeighbourView]: NeighbourView[K] }>();
  const at = (hop: string, index: number) => {
    const key = `${hop} ${index}`;
    let one = found.get(key);
    if (one === undefined) {
      one = { neighbour: hop, interface: nameOf(names, index), senders: 0, reservations: 0, asked: 0 };
      found.set(key, one);
    }
    return one;
  };
  for (const { hop, incoming } of engine.senders()) if (hop !== '') at(hop, incoming).senders++;
  for (const { hop, interface: index } of engine.reservations())
    if (hop !== '') at(hop, index).reservations++;
  for (const { hop, interface: index } of engine.upstreams()) if (hop !== '') at(hop, index).asked++;
  yield* found.values();
}

/** Names by their path: `dropped.malformed`. */
function counters({ engine, statistics }: StateSource): CounterView[] {
  const { dropped, ...counts } = engine.counters;
  return flat({ engine: counts, state: engine.stateCount, dropped, transport: statistics() });
}

function flat(value: object, before = ''): CounterView[] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    if (typeof inner === 'number') return [{ counter: `${before}${name}`, value: inner }];
    return typeof inner === 'object' && inner !== null ? flat(inner, `${before}${name}.`) : [];
  });
}

type Names = ReadonlyMap<number, string>;
const LOCAL = 0;

function nameOf(names: Names, index: number): string {
  return index === LOCAL ? 'here' : (names.get(index) ?? String(index));
}

/** What an application has made has no end. */
function until(
  expiresAt: number,
  lifetime: number,
  now: number,
): { refreshedAgo?: number; expiresIn?: number } {
  if (!Number.isFinite(expiresAt)) return {};
  const left = Math.round(expiresAt - now);
  return { refreshedAgo: Math.max(0, Math.round(lifetime) - left), expiresIn: Math.max(0, left) };
}
