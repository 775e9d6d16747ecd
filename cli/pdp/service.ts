import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { CLIENT_TYPE_RSVP, TRIGGER_ERROR } from '../../cops/index.js';
import type { Decision, PdpRequest } from '../../cops/index.js';
import { PdpServer } from '../../cops/io/server.js';
import { formatExplanation } from '../../policy/keynote/index.js';
import type { Cashier, Verdict } from '../../policy/payment/index.js';
import type { StoredBooks } from '../../policy/stores/io/books.js';
import { senderTexts, sessionText, styleText } from '../flow.js';
import { Adjudicator, holderOf } from './adjudicate.js';
import type { Adjudication } from './adjudicate.js';
import type { Clock } from './clock.js';
import { checkPolicy, PaymentDesk } from './desk.js';
import { LinkTable } from './links.js';
import { loadConfig } from './load.js';
import type { LoadedConfig } from './load.js';
import type { Logger } from './log.js';
import { PdpMetrics } from './metrics.js';
import { quarantineMetrics } from './quarantine-metrics.js';
import { keyRings, mayOpen, pdpLimits, tlsOptions } from './setup.js';
import { HealthServer } from './web.js';

const COPS_PORT = 3288;
const COPS_TLS_PORT = 3183;

/** An address that the PDP listens on. */
export interface Listening {
  readonly service: 'cops' | 'cops-tls' | 'http';
  readonly address: string;
  readonly port: number;
}

/** One decision, for whoever watches. */
export interface Decided extends Adjudication {
  readonly id: string;
  readonly request: PdpRequest;
  readonly micros: number;
}

export interface PdpServiceOptions {
  readonly log: Logger;
  /** The time that credentials are judged by. */
  readonly clock: Clock;
  readonly decided?: (decided: Decided) => void;
}

/** Finds everything that is wrong with a configuration, and with the files it names, without starting anything. */
export function checkConfig(config: LoadedConfig): void {
  tlsOptions(config);
  keyRings(config);
  checkPolicy(config);
}

/** A PDP as configured: COPS, policy, log, metrics. */
export class PdpService {
  readonly metrics: PdpMetrics;
  readonly server: PdpServer;
  readonly #desk: PaymentDesk;
  /** Request states that hold something, by their holder. */
  readonly #holders = new Map<string, PdpRequest>();
  readonly #health: HealthServer;
  /** Decision ids are unique over restarts: when we started, and a count. */
  readonly #idPrefix = Date.now().toString(36);
  #adjudicator: Adjudicator;
  #decisions = 0;
  #isReady = false;

  constructor(
    private config: LoadedConfig,
    private readonly options: PdpServiceOptions,
  ) {
    const { log } = options;
    this.#desk = new PaymentDesk(config, {
      log,
      clock: options.clock,
      removed: (holder, verdict) => this.#remove(holder, verdict),
    });
    this.#adjudicator = this.#newAdjudicator(config);
    const tls = tlsOptions(config);
    const keys = keyRings(config);
    this.server = new PdpServer({
      decide: (request) => this.#decide(request),
      clientTypes: [CLIENT_TYPE_RSVP],
      keepAlive: config.keepAlive / 1000,
      limits: pdpLimits(config),
      authorize: mayOpen(config),
      startTls: config.tls?.startTls ?? 'none',
      ...(tls === undefined ? {} : { tls }),
      ...(keys === undefined ? {} : { keys, integrityRequired: config.integrity?.required ?? true }),
      opened: ({ pepId, peer, connection }) =>
        log.info({ pep: pepId, ...peer, connection: connection.id }, 'opened'),
      closed: ({ pepId }, error, by) => log.info({ pep: pepId, error: error.errorCode, by }, 'closed'),
      lost: ({ pepId }, reason) => log.warn({ pep: pepId, reason }, 'lost'),
      refused: (peer, problem) => {
        this.metrics.malformed(problem);
        log.warn({ ...peer, problem }, 'refused');
      },
      reported: (request, report) => {
        log.info({ pep: request.pepId, handle: request.handle, report: report.type }, 'report');
        if (report.type === 'accounting') return;
        this.#cashier.report(holderOf(request), report.type === 'success', options.clock());
      },
      ended: (request, end) => {
        log.info({ pep: request.pepId, handle: request.handle, ...end }, 'ended');
        const holder = holderOf(request);
        this.#cashier.forget(holder, options.clock());
        this.#adjudicator.forget(holder);
        this.#holders.delete(holder);
      },
      failed: (error) => log.error({ err: error }, 'failed'),
    });
    const { pdp } = this.server;
    this.metrics = new PdpMetrics({
      connections: () => this.server.connectionCount,
      handles: () => {
        let handles = 0;
        for (const session of pdp.sessions()) handles += session.states.size;
        return handles;
      },
      stateOctets: () => pdp.stateOctets,
      cache: () => this.#desk.cache,
    });
    quarantineMetrics(this.metrics.registry, this.#desk.guard);
    this.#health = new HealthServer(this.metrics.registry, () => this.#isReady);
  }

  /** Throws what keeps it from starting, with all closed again: a PDP that does not listen must not count as alive. */
  async start(): Promise<Listening[]> {
    try {
      return await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #start(): Promise<Listening[]> {
    const { config, options } = this;
    await this.#desk.open();
    const listening: Listening[] = [];
    for (const { address, port, tls } of config.listen) {
      const at = await this.server.listen({
        port: port ?? (tls ? COPS_TLS_PORT : COPS_PORT),
        tls,
        ...(address === undefined ? {} : { host: address }),
      });
      listening.push({ service: tls ? 'cops-tls' : 'cops', ...addressOf(at) });
    }
    if (config.metrics !== undefined) {
      const { address, port } = config.metrics;
      listening.push({ service: 'http', ...addressOf(await this.#health.listen(address, port)) });
    }
    this.#isReady = true;
    for (const at of listening) options.log.info(at, 'listening');
    return listening;
  }

  /** Reads the configuration again; with an error in it all stays as it is. */
  reload(): void {
    const { log } = this.options;
    try {
      const config = loadConfig(this.config.file);
      keyRings(config);
      tlsOptions(config);
      this.#desk.configure(config);
      this.config = config;
      this.#adjudicator = this.#newAdjudicator(config);
      this.metrics.reloaded('ok');
      log.info({ file: config.file }, 'reloaded');
    } catch (error) {
      this.metrics.reloaded('failed');
      log.error({ problem: (error as Error).message }, 'not reloaded: the configuration in force is kept');
    }
  }

  /** Tells every PEP, and waits until they are gone. */
  async stop(): Promise<void> {
    this.#isReady = false;
    this.options.log.info('stopping');
    this.#desk.freeze();
    await this.server.close();
    await this.#desk.close();
    await this.#health.close();
    this.options.log.info({ decisions: this.#decisions }, 'stopped');
  }

  /** The books, once it was started. */
  get books(): StoredBooks {
    return this.#desk.books;
  }

  get #cashier(): Cashier {
    return this.#desk.cashier;
  }

  #newAdjudicator(config: LoadedConfig): Adjudicator {
    return new Adjudicator((request, now) => this.#cashier.decide(request, now), new LinkTable(config.links));
  }

  /** Whatever goes wrong in here, nothing is granted by it. */
  #decide(request: PdpRequest): Decision | Promise<Decision> {
    const started = performance.now();
    const id = this.#newId();
    const tell = (adjudication: Adjudication): Decision => {
      if (adjudication.verdict?.payment !== undefined) this.#holders.set(holderOf(request), request);
      this.#tell({ ...adjudication, id, request, micros: elapsedMicros(started) });
      return adjudication.decision;
    };
    const failed = (error: unknown): Decision => {
      this.metrics.decided('remove', 'internal-error', elapsedMicros(started) / 1e6);
      this.options.log.error(
        { id, pep: request.pepId, handle: request.handle, err: error },
        'decision failed: removed',
      );
      return { command: 'remove', flags: TRIGGER_ERROR };
    };
    try {
      const adjudication = this.#adjudicator.adjudicate(request, this.options.clock());
      return 'then' in adjudication ? adjudication.then(tell).catch(failed) : tell(adjudication);
    } catch (error) {
      return failed(error);
    }
  }

  #newId(): string {
    return `${this.#idPrefix}-${(++this.#decisions).toString(36)}`;
  }

  /** What was granted holds no more: the PEP is told without having asked (RFC 2748 3.2). */
  #remove(holder: string, verdict: Verdict): void {
    const request = this.#holders.get(holder);
    if (request === undefined) return;
    this.#holders.delete(holder);
    const { decision, cause, reason } = this.#adjudicator.remove(request, verdict);
    this.metrics.removed(cause);
    this.options.log.info(
      { id: this.#newId(), pep: request.pepId, handle: request.handle, cause, reason },
      'removed',
    );
    if (!('errorCode' in decision)) this.server.reviseRequest(request, decision);
    request.release();
  }

  #tell(decided: Decided): void {
    const { log } = this.options;
    this.metrics.decided(decided.outcome, decided.cause, decided.micros / 1e6);
    this.#desk.decided(decided);
    this.options.decided?.(decided);
    if (!log.isLevelEnabled('info')) return;
    const { id, request, outcome, cause, reason, message, objects, linkName, verdict, micros } = decided;
    log.info(
      {
        id,
        pep: request.pepId,
        handle: request.handle,
        message,
        session: sessionText(objects),
        ...(styleText(objects) === undefined ? {} : { style: styleText(objects) }),
        senders: senderTexts(objects).join(' '),
        ...(linkName === undefined ? {} : { link: linkName }),
        decision: outcome,
        cause,
        reason,
        ...paymentFields(verdict),
        micros,
        ...(log.isLevelEnabled('debug') && verdict?.answer !== undefined
          ? { explanation: formatExplanation(verdict.answer.explanation) }
          : {}),
      },
      'decision',
    );
  }
}

function paymentFields(verdict: Verdict | undefined): object {
  if (verdict?.payment === undefined) return {};
  const { amount, currency, nonce, payers } = verdict.payment;
  return {
    amount,
    currency,
    nonce,
    payers: payers.map(({ fingerprint }) => fingerprint),
    again: verdict.again,
  };
}

function addressOf({ address, port }: AddressInfo): { address: string; port: number } {
  return { address, port };
}

function elapsedMicros(started: number): number {
  return Math.round((performance.now() - started) * 1000);
}
