import type { PolicyQuestion } from '../../rsvp/engine/index.js';
import { KeyRing } from '../../rsvp/exchange/index.js';
import type { ExchangeInterface, InterfaceIntegrity } from '../../rsvp/exchange/index.js';
import {
  find,
  SenderTemplateIpv4,
  SenderTemplateIpv6,
  SessionIpv4,
  SessionIpv6,
} from '../../rsvp/wire/index.js';
import type { Scheduler } from '../simulation/scheduler.js';
import type { Refusals } from './model.js';
import type { Setup } from './station.js';
import type { Link, Site, Topology } from './topology.js';
import type { SenderName, SessionWish } from './wishes.js';

/** What does not change during a run: sessions, how links are spoken on, what policy refuses. */

export function randomSessions(scheduler: Scheduler, topology: Topology): readonly SessionWish[] {
  return Array.from({ length: scheduler.pick([1, 1, 2, 2, 3]) }, (_, n) =>
    randomSession(scheduler, topology, n),
  );
}

function randomSession(scheduler: Scheduler, topology: Topology, n: number): SessionWish {
  const { sites } = topology;
  const family = scheduler.pick([0, 0, 1] as const);
  const isMulticast = scheduler.chance(0.6);
  const port = 5000 + n;
  const hosts = sites.filter(({ isHost }) => isHost);
  const receiver = scheduler.pick(scheduler.chance(0.85) ? hosts : sites);
  const destination = isMulticast
    ? ([`224.1.1.${n + 1}`, `ff0e::${n + 1}`] as const)[family]
    : (receiver.ports[0]?.addresses[family] ?? '');
  const places = isMulticast ? hosts : sites.filter((site) => site !== receiver);
  const senders: SenderName[] = [];
  for (let count = scheduler.pick([1, 1, 2, 3]); count > 0; count--) {
    const site = scheduler.pick(places);
    const address = site.ports[0]?.addresses[family] ?? '';
    senders.push({ site, address, port: 7000 + senders.length });
  }
  return {
    text: `${destination}/udp/${port}`,
    ...{ destination, port, family, isMulticast, senders },
    style: scheduler.pick(['FF', 'SE', 'WF'] as const),
    service: scheduler.chance(0.7) ? 'controlled-load' : 'guaranteed',
    receivers: isMulticast ? hosts : [receiver],
  };
}

export function randomSetups(
  scheduler: Scheduler,
  topology: Topology,
  sessions: readonly SessionWish[],
  refusals: Refusals | undefined,
): ReadonlyMap<Site, Setup> {
  const links = new Map(topology.links.map((link) => [link, randomLink(scheduler, link)]));
  const lifetimeMultiplier = scheduler.pick([1, 1, 1, 1, 1, 2, 2, 3]);
  return new Map(
    topology.sites.map((site) => [
      site,
      {
        ...{ lifetimeMultiplier, blockadeMultiplier: 4 },
        exchange: site.ports.map(({ link }) => links.get(link)?.(site) ?? {}),
        policy:
          refusals === undefined || site.isHost
            ? undefined
            : (question) => isGranted(site, sessions, refusals, question),
      },
    ]),
  );
}

/** How RSVP is spoken there; sites may differ in refresh reduction, not in keys. */
function randomLink(scheduler: Scheduler, { ports }: Link): (site: Site) => Omit<ExchangeInterface, 'mtu'> {
  const reductions = scheduler.pick([
    ['off'],
    ['off'],
    ['learned'],
    ['learned'],
    ['assumed'],
    ['off', 'learned'],
  ] as const);
  const isPointToPoint = ports.length === 2 && scheduler.chance(0.5);
  const integrity = scheduler.chance(0.12) ? randomIntegrity(scheduler) : undefined;
  const chosen = new Map(ports.map(({ site }) => [site, scheduler.pick(reductions)]));
  return (site) => ({
    refreshReduction: chosen.get(site) ?? 'off',
    isPointToPoint,
    ...(integrity === undefined ? {} : { integrity }),
  });
}

function randomIntegrity(scheduler: Scheduler): InterfaceIntegrity {
  const secret = Uint8Array.from({ length: 16 }, () => scheduler.random() * 256);
  const ring = new KeyRing([{ id: '0000000000a1', secret, algorithm: 'hmac-md5' }]);
  return { send: ring, receive: ring, handshake: scheduler.pick(['off', 'on', 'required'] as const) };
}

/** Some sites refuse some senders and some reservations, always. */
export function randomRefusals(scheduler: Scheduler): Refusals {
  const answers = new Map<string, boolean>();
  const refuses = (key: string): boolean => {
    let answer = answers.get(key);
    if (answer === undefined) answers.set(key, (answer = scheduler.chance(0.15)));
    return answer;
  };
  return {
    path: (site, session, { address, port }) =>
      !site.isHost && refuses(`${site.name} path ${session.text} ${address} ${port}`),
    resv: (site, session, outgoing) =>
      !site.isHost && refuses(`${site.name} resv ${session.text} ${outgoing}`),
  };
}

function isGranted(
  site: Site,
  sessions: readonly SessionWish[],
  refusals: Refusals,
  { message, objects, incoming }: PolicyQuestion,
): boolean {
  const name = find({ objects }, SessionIpv4, SessionIpv6);
  const session = sessions.find(
    ({ destination, port }) => destination === name?.destAddress && port === name.dstPort,
  );
  if (session === undefined) throw new Error(`${site.name} asks about a session that nobody has`);
  if (message === 'Resv') return !refusals.resv(site, session, incoming ?? 0);
  const template = find({ objects }, SenderTemplateIpv4, SenderTemplateIpv6);
  const sender = session.senders.find(
    ({ address, port }) => address === template?.srcAddress && port === template.srcPort,
  );
  if (sender === undefined) throw new Error(`${site.name} asks about a sender that nobody is`);
  return !refusals.path(site, session, sender);
}
