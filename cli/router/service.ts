import type { EngineEvent } from '../../rsvp/engine/event.js';
import type { NodeInterface } from '../../rsvp/engine/node.js';
import type { PolicyQuestion } from '../../rsvp/engine/policy.js';
import type { Clock } from '../pdp/clock.js';
import type { Logger } from '../pdp/log.js';
import { HealthServer } from '../pdp/web.js';
import { ControlServer } from './control/server.js';
import type { PolicyView } from './control/views.js';
import { linkNameOf, loadRouterConfig, paymentConfig, routerName } from './load.js';
import type { LoadedRouterConfig } from './load.js';
import { routerMetrics } from './metrics.js';
import { RsvpNode } from './node.js';
import type { NodeSettings } from './node.js';
import { CopsPolicy } from './policy/cops.js';
import { LocalPolicy } from './policy/local.js';
import type { PolicyModule, Revised } from './policy/module.js';
import { noPolicy } from './policy/none.js';
import { RefusalNotes } from './refusals.js';
import { checkRouterConfig, copsTls, nodeSettings, pdpTargets, trafficControl } from './setup.js';
import { stateViews } from './state.js';

export interface RouterServiceOptions {
  readonly log: Logger;
  /** The time that credentials are judged by. */
  readonly clock: Clock;
}

/** What is asked about: without policy nothing, by itself what it judges, a PDP all that COPS knows (RFC 2749 2.2). */
const ASKS: Readonly<Record<LoadedRouterConfig['policy'], readonly PolicyQuestion['message'][]>> = {
  none: [],
  local: ['Path', 'Resv'],
  cops: ['Path', 'Resv', 'PathErr', 'ResvErr'],
};

/** A router as configured: RSVP, policy, traffic control, control socket, log, metrics. */
export class RouterService {
  readonly refusals: RefusalNotes;
  /** How often each kind of event was. */
  readonly events = new Map<string, number>();
  #node: RsvpNode | undefined;
  #control: ControlServer | undefined;
  #health: HealthServer | undefined;
  #isReady = false;
  #settings: ReadonlyMap<string, NodeSettings>;
  /** Where the router judges by itself. */
  #local: LocalPolicy | undefined;

  constructor(
    private config: LoadedRouterConfig,
    private readonly options: RouterServiceOptions,
  ) {
    this.#settings = nodeSettings(config);
    // RFC 2205 3.7, with K = 3: what is refused would have been state for so long.
    this.refusals = new RefusalNotes(3.5 * 1.5 * config.refresh, Date.now);
  }

  /** Throws what keeps it from starting, with all closed again. Returns where it listens. */
  async start(): Promise<string[]> {
    try {
      return await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Tears down what it has, tells everybody, and ends. */
  async stop(): Promise<void> {
    this.#isReady = false;
    await this.#node?.close();
    await this.#control?.close();
    await this.#health?.close();
  }

  /**
   * Reads the configuration again: the own policy, INTEGRITY keys, refresh reduction and what may be reserved. With an error in
   * it all stays as it is.
   */
  reload(): void {
    const { log } = this.options;
    try {
      const config = loadRouterConfig(this.config.file);
      checkRouterConfig(config);
      const payment = paymentConfig(config);
      if (payment !== undefined) this.#local?.desk.configure(payment);
      this.#settings = nodeSettings(config);
      this.config = config;
      this.#node?.network.settingsChanged();
      log.info({ file: config.file }, 'reloaded');
    } catch (error) {
      log.error({ problem: (error as Error).message }, 'not reloaded: the configuration in force is kept');
    }
  }

  /** Set by `start`. */
  get node(): RsvpNode {
    if (this.#node === undefined) throw new Error('the router was not started');
    return this.#node;
  }

  async #start(): Promise<string[]> {
    const { config, options } = this;
    const { log } = options;
    const { sessions, senders, reservations, questions, neighbours } = config.limits;
    const node = (this.#node = await RsvpNode.start({
      isHost: false,
      settings: (name) => this.#settings.get(name),
      engine: {
        refreshPeriod: config.refresh,
        policy: ASKS[config.policy],
        limits: { sessions, sendersPerSession: senders, reservationsPerSession: reservations, questions },
      },
      neighbours,
      traffic: trafficControl(config),
      policy: (find, revised) => this.#policy(find, revised),
      event: (event) => this.#happened(event),
      log,
    }));
    const missing = [...this.#settings.keys()].filter(
      (name) => !node.network.interfaces.some((one) => one.name === name),
    );
    if (missing.length > 0) log.warn({ interfaces: missing }, 'interfaces are not there (yet)');
    const views = stateViews({
      engine: node.engine,
      interfaces: () => node.network.interfaces,
      counts: node.counts,
      refusals: this.refusals,
      policy: () => this.#policyView(),
      statistics: () => node.statistics,
      spoken: (name) => {
        const exchange = this.#settings.get(name)?.exchange;
        return {
          refreshReduction: exchange !== undefined && exchange.refreshReduction !== 'off',
          integrity: exchange?.integrity !== undefined,
        };
      },
      now: () => node.now(),
    });
    const { socket, clients } = config.control;
    this.#control = new ControlServer({
      path: config.path(socket),
      clients,
      sources: views,
      failed: (error) => log.error({ err: error }, 'control socket failed'),
    });
    await this.#control.listen();
    const listening = [config.path(socket)];
    if (config.metrics !== undefined) {
      const registry = routerMetrics({ ...views, policy: () => this.#policyView(), events: this.events });
      this.#health = new HealthServer(registry, () => this.#isReady && this.#policyView().isReady);
      const { address, port } = await this.#health.listen(config.metrics.address, config.metrics.port);
      listening.push(`http://${address.includes(':') ? `[${address}]` : address}:${port}`);
    }
    this.#isReady = true;
    const running = node.network.interfaces
      .map(({ name }) => name)
      .filter((name) => this.#settings.has(name));
    log.info({ router: routerName(config), interfaces: running, policy: config.policy }, 'running');
    return listening;
  }

  async #policy(find: (index: number) => NodeInterface | undefined, revised: Revised): Promise<PolicyModule> {
    const { config, options } = this;
    const { log, clock } = options;
    const local = async (): Promise<LocalPolicy> => {
      const payment = paymentConfig(config);
      if (payment === undefined) throw new Error('the configuration has no section `local`');
      const name = routerName(config);
      const linkName = (at: NodeInterface): string => linkNameOf(config, at.name);
      return (this.#local = await LocalPolicy.open(payment, { name, clock, log, find, linkName, revised }));
    };
    if (config.policy === 'none') return noPolicy();
    if (config.policy === 'local' || config.cops === undefined) return local();
    const { pepId, timeout, cacheTime, fallback } = config.cops;
    return CopsPolicy.open({
      pdps: pdpTargets(config),
      tls: copsTls(config),
      pepId: pepId ?? routerName(config),
      timeout,
      cacheTime,
      fallback: fallback === 'local' ? await local() : fallback,
      log,
      find,
      revised,
    });
  }

  #policyView(): PolicyView {
    const { module, granted, refused, pendingCount } = this.node.policy;
    return { ...module.status(), pending: pendingCount, granted, refused };
  }

  #happened(event: EngineEvent): void {
    this.events.set(event.kind, (this.events.get(event.kind) ?? 0) + 1);
    this.refusals.take(event);
    const { log } = this.options;
    const level = LOUD.has(event.kind) ? 'info' : 'debug';
    if (log.isLevelEnabled(level)) {
      const { kind, session, text } = event;
      log[level]({ event: kind, ...(session === undefined ? {} : { session }), text }, 'event');
    }
    if (this.#control?.isWatched === true) this.#control.publish({ at: Date.now(), ...event });
  }
}

/** What an operator wants in the log; the rest is for `bandex debug`, or `log.level: debug`. */
const LOUD = new Set<string>([
  'reserved',
  'released',
  'admission-refused',
  'policy-refused',
  'preempted',
  'route-changed',
  'last-key-expired',
  'no-key',
  'limit',
]);
