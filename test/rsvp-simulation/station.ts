import { Engine } from '../../rsvp/engine/index.js';
import type {
  EngineEffect,
  EngineEvent,
  NodeInterface,
  PolicyQuestion,
  SentPacket,
} from '../../rsvp/engine/index.js';
import type { ExchangeInterface } from '../../rsvp/exchange/index.js';
import type { Scheduler } from '../simulation/scheduler.js';
import type { Network } from './network.js';
import type { Routes } from './routes.js';
import type { Port, Site } from './topology.js';
import type { ApplicationWish, SenderName, SessionWish } from './wishes.js';

export const REFRESH_PERIOD = 30_000;
const UDP = 17;

/** How a site is set up. */
export interface Setup {
  readonly lifetimeMultiplier: number;
  readonly blockadeMultiplier: number;
  /** Of the interfaces, by their index from 1 on. */
  readonly exchange: readonly Omit<ExchangeInterface, 'mtu'>[];
  /** Undefined: policy is not asked. */
  readonly policy: ((question: PolicyQuestion) => boolean) | undefined;
}

/** A site at work: its engine, with the kernel, the policy and the applications around it. */
export class Station {
  engine: Engine | undefined;
  /** Effects of interest since somebody set it to zero: whatever is not a packet that is sent. */
  stirs = 0;
  readonly confirmed: string[] = [];
  readonly #applications = new Map<SessionWish, number>();
  #armed = Infinity;

  constructor(
    readonly site: Site,
    readonly scheduler: Scheduler,
    readonly network: Network,
    readonly setup: Setup,
    public routes: Routes,
    readonly told: ((who: string, text: string) => void) | undefined,
  ) {
    this.start();
  }

  /** With nothing but its configuration. */
  start(): void {
    const { site, setup, scheduler } = this;
    const routing = {
      route: (destination: string, source?: string) => this.routes.route(site, destination, source),
    };
    this.engine = new Engine({
      routing,
      interfaces: this.#interfaces(),
      random: scheduler.random,
      refreshPeriod: REFRESH_PERIOD,
      lifetimeMultiplier: setup.lifetimeMultiplier,
      blockadeMultiplier: setup.blockadeMultiplier,
      isHost: site.isHost,
      policy: setup.policy === undefined ? [] : ['Path', 'Resv'],
      exchangeInterface: (index) => setup.exchange[index - 1],
      exchange: {
        firstSequenceNumber: BigInt(Math.ceil(scheduler.now)) * 1000n + 1n,
        secret: Uint8Array.from({ length: 16 }, () => scheduler.random() * 256),
      },
    });
    this.#arm();
  }

  /** Its memory is gone, its applications as well. */
  crash(): void {
    this.engine = undefined;
    this.#applications.clear();
    this.#armed = Infinity;
  }

  arrives(at: Port, from: Port, packet: SentPacket): void {
    const { source, destination, ttl, octets } = packet;
    const family = destination.includes(':') ? 1 : 0;
    const arrived = {
      ...{ interface: at.index, source: source ?? from.addresses[family], destination, ttl, octets },
    };
    this.#do((engine) => engine.receive(this.scheduler.now, arrived));
  }

  hasJoined(group: string): boolean {
    return [...this.#applications.keys()].some(({ destination }) => destination === group);
  }

  routesChanged(routes: Routes, destinations?: readonly string[]): void {
    this.routes = routes;
    this.#do((engine) => engine.routesChanged(this.scheduler.now, destinations));
  }

  interfacesChanged(): void {
    this.#do((engine) => engine.interfacesChanged(this.scheduler.now, this.#interfaces()));
  }

  register(session: SessionWish): void {
    this.#do((engine) => {
      const { destination, port } = session;
      const { application, effects } = engine.session(this.scheduler.now, {
        ...{ destination, protocol: UDP, port },
      });
      this.#applications.set(session, application);
      return effects;
    });
  }

  release(session: SessionWish): void {
    this.#with(session, (engine, application) => engine.release(this.scheduler.now, application));
    this.#applications.delete(session);
  }

  send({ session, sends }: ApplicationWish, sender: SenderName): void {
    const tspec = sends.get(sender);
    if (tspec === undefined) return;
    const { address, port } = sender;
    this.#with(session, (engine, application) =>
      engine.sender(this.scheduler.now, application, { address, port, tspec }),
    );
  }

  withdraw(session: SessionWish, { address, port }: SenderName): void {
    this.#with(session, (engine, application) =>
      engine.withdrawSender(this.scheduler.now, application, { address, port }),
    );
  }

  reserve({ session, reserves }: ApplicationWish, confirm = false): void {
    const { style, family } = session;
    const flows = reserves.map(({ flow, senders }) => ({ flow, senders: style === 'WF' ? [] : senders }));
    const receiverAddress = (this.site.ports[0] as Port).addresses[family];
    this.#with(session, (engine, application) =>
      flows.length === 0
        ? engine.unreserve(this.scheduler.now, application)
        : engine.reserve(this.scheduler.now, application, { style, flows, confirm, receiverAddress }),
    );
  }

  #with(session: SessionWish, work: (engine: Engine, application: number) => readonly EngineEffect[]): void {
    const application = this.#applications.get(session);
    if (application !== undefined) this.#do((engine) => work(engine, application));
  }

  #do(work: (engine: Engine) => readonly EngineEffect[]): void {
    const { engine } = this;
    if (engine === undefined) return;
    for (const effect of work(engine)) this.#perform(engine, effect);
    this.#arm();
  }

  #perform(engine: Engine, effect: EngineEffect): void {
    switch (effect.kind) {
      case 'send':
        this.network.send(this, effect.packet);
        return;
      case 'event':
        this.#note(effect.event);
        return;
      case 'ask':
        this.#ask(engine, effect.question);
        return;
      default:
        this.stirs++;
    }
  }

  #note(event: EngineEvent): void {
    this.told?.(this.site.name, event.text);
    // Off the tree, of no use: it may come late, or not at all (RFC 2961 5.3).
    if (event.kind === 'path' && event.outgoing.length === 0) return;
    if (event.kind === 'upcall' && event.upcall.type === 'RESV_CONFIRM') this.confirmed.push(event.session);
    this.stirs++;
  }

  #ask(engine: Engine, question: PolicyQuestion): void {
    const { policy } = this.setup;
    const isGranted = !question.context.incoming || policy?.(question) === true;
    this.scheduler.later(0, 300, () => {
      if (this.engine !== engine) return;
      this.#do(() =>
        engine.decided(
          this.scheduler.now,
          question.id,
          isGranted
            ? { granted: true }
            : { granted: false, errorCode: 2, errorValue: 0, objects: [], reason: 'refused at random' },
        ),
      );
    });
  }

  /** Steps cannot be taken back: one that comes too soon does nothing. */
  #arm(): void {
    const due = this.engine?.nextTimeout() ?? Infinity;
    if (due >= this.#armed) return;
    this.#armed = due;
    this.scheduler.at(due, () => {
      if (this.#armed !== due) return;
      this.#armed = Infinity;
      this.#do((engine) => engine.handleTimeout(this.scheduler.now));
      this.#arm();
    });
  }

  #interfaces(): readonly NodeInterface[] {
    return this.site.ports.map(({ index, addresses, link, reservable }) => ({
      ...{ name: `eth${index}`, index, addresses, isUp: link.isUp, reservable },
      ...{ mtu: 1500, bandwidth: 1e9 },
    }));
  }
}
