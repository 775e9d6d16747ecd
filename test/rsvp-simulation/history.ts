import { Scheduler } from '../simulation/scheduler.js';
import { randomBucket, randomFlow, randomOrderedFlow } from './flows.js';
import { NO_TROUBLES, Network } from './network.js';
import type { Troubles } from './network.js';
import type { Refusals } from './model.js';
import { Routes } from './routes.js';
import { randomRefusals, randomSessions, randomSetups } from './setting.js';
import { REFRESH_PERIOD, Station } from './station.js';
import { Story } from './story.js';
import { Topology } from './topology.js';
import type { Link, Site } from './topology.js';
import type { ApplicationWish, ReservationWish, SenderName, SessionWish } from './wishes.js';

const HARSH: Troubles = { lost: 0.15, duplicated: 0.05, jitter: 200 };
const MILD: Troubles = { lost: 0.02, duplicated: 0.01, jitter: 30 };

/** Links that have room for anything, or (then the outcome may depend on who comes first) for little. */
export type Kind = 'ample' | 'scarce';

/** A random network, its applications, and what befalls them. */
export class History {
  readonly scheduler: Scheduler;
  readonly story: Story | undefined;
  readonly topology: Topology;
  readonly sessions: readonly SessionWish[];
  readonly refusals: Refusals | undefined;
  readonly network: Network;
  readonly stations: ReadonlyMap<Site, Station>;
  readonly applications: ApplicationWish[] = [];
  readonly lifetime: number;
  readonly kind: Kind;
  routes: Routes;
  #version = 0;

  constructor(seed: number, isTelling: boolean) {
    const scheduler = (this.scheduler = new Scheduler(seed));
    this.story = isTelling ? new Story(scheduler) : undefined;
    this.kind = scheduler.chance(0.85) ? 'ample' : 'scarce';
    const ample = this.kind === 'ample';
    this.topology = Topology.random(scheduler, (random) =>
      ample ? 1e9 : 1000 * random.pick([3, 5, 8, 12, 30]),
    );
    const sessions = randomSessions(scheduler, this.topology);
    this.sessions = ample || scheduler.chance(0.3) ? sessions : sessions.slice(0, 1).map(ofOneSender);
    this.refusals = ample && scheduler.chance(0.15) ? randomRefusals(scheduler) : undefined;
    this.routes = new Routes(this.topology, new Map(), this.#version);
    this.network = new Network(scheduler, this.story?.packets);
    const setups = randomSetups(scheduler, this.topology, this.sessions, this.refusals);
    const stations = new Map<Site, Station>();
    for (const [site, setup] of setups) {
      const station = new Station(site, scheduler, this.network, setup, this.routes, this.story?.events);
      stations.set(site, station);
      this.network.stations.set(site, station);
    }
    this.stations = stations;
    const [setup] = [...setups.values()];
    this.lifetime = ((setup?.lifetimeMultiplier ?? 3) + 0.5) * 1.5 * REFRESH_PERIOD;
    this.story?.opening(this);
  }

  /** Everything comes up, and trouble with it. */
  trouble(): void {
    const { scheduler, network } = this;
    network.troubles = scheduler.pick([HARSH, MILD, NO_TROUBLES]);
    for (const session of this.sessions) {
      for (const sender of session.senders)
        if (scheduler.chance(0.85)) this.#within(REFRESH_PERIOD, () => this.#send(session, sender));
      for (const site of session.receivers)
        if (scheduler.chance(0.7)) this.#within(REFRESH_PERIOD, () => this.#reserve(session, site));
    }
    const span = REFRESH_PERIOD * scheduler.between(1.5, 4.5);
    for (let n = scheduler.pick([0, 2, 4, 6, 9]); n > 0; n--)
      scheduler.at(scheduler.between(REFRESH_PERIOD / 2, span), () => this.#act());
    this.run(span);
    this.run(REFRESH_PERIOD * 0.3);
  }

  /** Packets arrive again, in order; sites are all up, links most of them. */
  calm(): void {
    this.network.troubles = NO_TROUBLES;
    for (const station of this.stations.values()) if (station.engine === undefined) station.start();
    if (this.scheduler.chance(0.8)) for (const link of this.topology.links) this.setLink(link, true);
    this.story?.line('calm');
  }

  run(milliseconds: number): void {
    this.scheduler.run(this.scheduler.now + milliseconds);
  }

  #within(milliseconds: number, run: () => void): void {
    this.scheduler.later(0, milliseconds, run);
  }

  #act(): void {
    const { scheduler } = this;
    const chance = scheduler.random();
    const session = scheduler.pick(this.sessions);
    if (chance < 0.25) this.#changeSender(session, scheduler.pick(session.senders));
    else if (chance < 0.6) this.#changeReceiver(session, scheduler.pick(session.receivers));
    else if (chance < 0.67) {
      const application = scheduler.pick(this.applications) as ApplicationWish | undefined;
      if (application !== undefined) this.release(application);
    } else if (chance < 0.82) this.#crash(scheduler.pick(this.topology.sites));
    else {
      const link = scheduler.pick(this.topology.links);
      this.setLink(link, !link.isUp);
      if (scheduler.chance(0.7)) scheduler.later(100, 2 * REFRESH_PERIOD, () => this.setLink(link, true));
    }
  }

  #changeSender(session: SessionWish, sender: SenderName): void {
    const application = this.#find(session, sender.site);
    if (application?.sends.has(sender) === true && this.scheduler.chance(0.5))
      this.withdraw(application, sender);
    else this.#send(session, sender);
  }

  #changeReceiver(session: SessionWish, site: Site): void {
    const application = this.#find(session, site);
    if (application !== undefined && application.reserves.length > 0 && this.scheduler.chance(0.4))
      this.unreserve(application);
    else this.#reserve(session, site);
  }

  #send(session: SessionWish, sender: SenderName): void {
    const application = this.#application(session, sender.site);
    if (application === undefined) return;
    application.sends.set(sender, randomBucket(this.scheduler));
    this.story?.line(`${sender.site.name} sends to ${session.text} from port ${sender.port}`);
    this.stations.get(sender.site)?.send(application, sender);
  }

  #reserve(session: SessionWish, site: Site): void {
    const application = this.#application(session, site);
    if (application === undefined) return;
    application.reserves = this.#randomReservation(session);
    this.story?.line(`${site.name} reserves for ${session.text}`);
    this.stations.get(site)?.reserve(application);
  }

  #randomReservation({ style, service, senders }: SessionWish): readonly ReservationWish[] {
    const { scheduler } = this;
    const flow = () => (this.kind === 'ample' ? randomFlow : randomOrderedFlow)(scheduler, service);
    if (style === 'WF') return [{ flow: flow(), senders: [] }];
    const some = senders.filter(() => scheduler.chance(0.7));
    const chosen = some.length === 0 ? [scheduler.pick(senders)] : some;
    if (style === 'SE') return [{ flow: flow(), senders: chosen }];
    return chosen.map((sender) => ({ flow: flow(), senders: [sender] }));
  }

  withdraw(application: ApplicationWish, sender: SenderName): void {
    application.sends.delete(sender);
    this.story?.line(`${sender.site.name} sends no more from port ${sender.port}`);
    this.stations.get(sender.site)?.withdraw(application.session, sender);
  }

  unreserve(application: ApplicationWish): void {
    application.reserves = [];
    this.story?.line(`${application.site.name} reserves no more for ${application.session.text}`);
    this.stations.get(application.site)?.reserve(application);
  }

  release(application: ApplicationWish): void {
    const { site, session } = application;
    this.#drop([application]);
    this.story?.line(`${site.name} releases ${session.text}`);
    this.stations.get(site)?.release(session);
    this.#spread(session);
  }

  #find(session: SessionWish, site: Site): ApplicationWish | undefined {
    return this.applications.find((one) => one.site === site && one.session === session);
  }

  /** Undefined: the site is down. */
  #application(session: SessionWish, site: Site): ApplicationWish | undefined {
    const known = this.#find(session, site);
    const station = this.stations.get(site);
    if (known !== undefined || station?.engine === undefined) return known;
    const made: ApplicationWish = { site, session, sends: new Map(), reserves: [] };
    this.applications.push(made);
    station.register(session);
    this.#spread(session);
    return made;
  }

  #drop(gone: readonly ApplicationWish[]): void {
    for (const one of gone) this.applications.splice(this.applications.indexOf(one), 1);
  }

  /** A site forgets everything, and is up again sooner or later. */
  #crash(site: Site): void {
    this.stop(site);
    this.scheduler.later(50, this.scheduler.chance(0.7) ? 3000 : 2 * REFRESH_PERIOD, () => {
      const station = this.stations.get(site);
      if (station?.engine !== undefined) return;
      this.story?.line(`${site.name} starts`);
      station?.start();
    });
  }

  stop(site: Site): void {
    this.story?.line(`${site.name} crashes`);
    this.stations.get(site)?.crash();
    const gone = this.applications.filter((one) => one.site === site);
    this.#drop(gone);
    if (gone.length > 0) this.#spread();
  }

  setLink(link: Link, isUp: boolean): void {
    if (link.isUp === isUp) return;
    link.isUp = isUp;
    this.story?.line(`${link.name} is ${isUp ? 'up' : 'down'}`);
    for (const { site } of link.ports) this.#within(300, () => this.stations.get(site)?.interfacesChanged());
    this.#spread();
  }

  /** Routes are others now; sites learn of it one after the other. */
  #spread(session?: SessionWish): void {
    const members = new Map<string, Set<Site>>();
    for (const {
      site,
      session: { destination },
    } of this.applications) {
      const known = members.get(destination);
      if (known === undefined) members.set(destination, new Set([site]));
      else known.add(site);
    }
    const routes = (this.routes = new Routes(this.topology, members, ++this.#version));
    const destinations = session === undefined ? undefined : [session.destination];
    for (const station of this.stations.values())
      this.#within(1000, () => {
        const { version } = station.routes;
        // Who has missed a change looks at everything.
        if (version < routes.version)
          station.routesChanged(routes, version === routes.version - 1 ? destinations : undefined);
      });
  }
}

function ofOneSender(session: SessionWish): SessionWish {
  return { ...session, senders: session.senders.slice(0, 1) };
}
