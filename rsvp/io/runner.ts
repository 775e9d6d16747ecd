import type { EngineEffect } from '../engine/effect.js';
import type { EngineEvent } from '../engine/event.js';
import type { NodeInterface } from '../engine/node.js';
import type { ArrivedPacket, SentPacket } from '../engine/packet.js';
import type { PolicyAnswer, PolicyQuestion } from '../engine/policy.js';
import type { TrafficReservation } from '../engine/traffic.js';
import { POLICY_ERROR } from '../wire/index.js';
import { Alarm } from './alarm.js';
import type { Transport, TransportTrouble } from './transport.js';

/** What an engine is to the runner: `Engine` is one. Each call returns what has to be done, in order. */
export interface RunnableEngine {
  receive(now: number, packet: ArrivedPacket): readonly EngineEffect[];
  handleTimeout(now: number): readonly EngineEffect[];
  nextTimeout(): number | undefined;
  decided(now: number, question: number, answer: PolicyAnswer): readonly EngineEffect[];
  trafficFailed(now: number, reservation: number, reason: string): readonly EngineEffect[];
  interfacesChanged(now: number, interfaces: readonly NodeInterface[]): readonly EngineEffect[];
  routesChanged(now: number): readonly EngineEffect[];
  shutdown(now: number): readonly EngineEffect[];
}

/** What the runner needs of traffic control (`rsvp/traffic`). */
export interface ReservingTraffic {
  reserve(reservation: TrafficReservation): Promise<void>;
  release(reservation: number, networkInterface: number): Promise<void>;
}

/** Who decides. A question with a known id supersedes the earlier one. */
export interface DecidingPolicy {
  ask(question: PolicyQuestion): PolicyAnswer | Promise<PolicyAnswer>;
  report(question: number, success: boolean): void;
  forget(question: number, reason: (EngineEffect & { kind: 'forget' })['reason']): void;
}

export interface RunnerOptions<E extends RunnableEngine> {
  readonly engine: E;
  /** All of them get what is sent: a UDP transport takes what is for its hosts. */
  readonly transports: readonly Transport[];
  readonly traffic: ReservingTraffic;
  /** Undefined: the engine asks nothing. */
  readonly policy?: DecidingPolicy;
  readonly onEvent?: (event: EngineEvent) => void;
  readonly onTrouble?: (trouble: TransportTrouble | Error) => void;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
}

/**
 * An engine in the world: what arrives and what is due is told to it, and what it says is done. All effects of what arrived at
 * once are performed in one go, and their packets sent together.
 */
export class EngineRunner<E extends RunnableEngine> {
  readonly #options: RunnerOptions<E>;
  readonly #alarm: Alarm;
  readonly #queue: EngineEffect[] = [];
  readonly #underWay = new Set<Promise<void>>();
  /** The latest question by id: answers to earlier ones come too late. */
  readonly #asked = new Map<number, PolicyQuestion>();
  #packets: SentPacket[] = [];
  #isPerforming = false;
  #state: 'new' | 'running' | 'closed' = 'new';

  constructor(options: RunnerOptions<E>) {
    this.#options = options;
    this.#alarm = new Alarm(options.now ?? (() => performance.now()), () =>
      this.call((engine, now) => engine.handleTimeout(now)),
    );
  }

  get engine(): E {
    return this.#options.engine;
  }

  /** Throws where a transport cannot be had, with all closed again. */
  start(): void {
    if (this.#state !== 'new') throw new TypeError('the runner has been started');
    this.#state = 'running';
    const { transports, onTrouble } = this.#options;
    try {
      for (const transport of transports) {
        transport.start({
          packets: (packets) => this.#receive(packets),
          trouble: (trouble) => onTrouble?.(trouble),
        });
      }
    } catch (error) {
      void this.#end();
      throw error;
    }
    this.#alarm.set(this.engine.nextTimeout());
  }

  /** Calls the engine with the time that it is, and performs what it returns. */
  call(work: (engine: E, now: number) => readonly EngineEffect[]): void {
    this.#queue.push(...work(this.engine, this.#alarm.now()));
    // Whoever performs already comes to these as well, in their order.
    if (!this.#isPerforming) this.#perform();
  }

  /** Interfaces or routes are not what they were (`KernelNetwork`'s `onChange`). */
  networkChanged(interfaces: readonly NodeInterface[]): void {
    for (const transport of this.#options.transports) transport.setInterfaces?.(interfaces);
    this.call((engine, now) => [...engine.interfacesChanged(now, interfaces), ...engine.routesChanged(now)]);
  }

  /**
   * Ends: what is under way in traffic control is waited for, and what waits to be sent. `tears`: the neighbours are told
   * that our state goes; else it times out with them, or is taken up again by who is started next.
   */
  async close({ tears }: { readonly tears: boolean }): Promise<void> {
    if (this.#state !== 'running') return;
    if (tears) this.call((engine, now) => engine.shutdown(now));
    this.#state = 'closed';
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#state = 'closed';
    this.#alarm.clear();
    await Promise.all(this.#options.transports.map((transport) => transport.close()));
  }

  #receive(packets: readonly ArrivedPacket[]): void {
    if (this.#state !== 'running') return;
    this.call((engine, now) => packets.flatMap((packet) => engine.receive(now, packet)));
  }

  #perform(): void {
    this.#isPerforming = true;
    try {
      // An index, since a long queue that is shifted is slow.
      for (let at = 0; at < this.#queue.length; at++) this.#performOne(this.#queue[at] as EngineEffect);
    } finally {
      this.#queue.length = 0;
      this.#isPerforming = false;
    }
    const packets = this.#packets;
    this.#packets = [];
    if (packets.length > 0) for (const transport of this.#options.transports) transport.send(packets);
    if (this.#state === 'running') this.#alarm.set(this.engine.nextTimeout());
  }

  #performOne(effect: EngineEffect): void {
    const { traffic, policy, onEvent } = this.#options;
    switch (effect.kind) {
      case 'send':
        this.#packets.push(effect.packet);
        return;
      case 'ask':
        this.#ask(effect.question);
        return;
      case 'report':
        policy?.report(effect.question, effect.success);
        return;
      case 'forget':
        this.#asked.delete(effect.question);
        policy?.forget(effect.question, effect.reason);
        return;
      case 'reserve': {
        const { id } = effect.reservation;
        this.#wait(traffic.reserve(effect.reservation), (reason) =>
          this.call((engine, now) => engine.trafficFailed(now, id, reason)),
        );
        return;
      }
      case 'release':
        this.#wait(traffic.release(effect.reservation, effect.interface), () => undefined);
        return;
      case 'event':
        onEvent?.(effect.event);
    }
  }

  #wait(work: Promise<void>, failed: (reason: string) => void): void {
    const waited = work
      .catch((error: unknown) => {
        const trouble = error instanceof Error ? error : new Error(String(error));
        this.#options.onTrouble?.(trouble);
        failed(trouble.message);
      })
      .finally(() => this.#underWay.delete(waited));
    this.#underWay.add(waited);
  }

  #ask(question: PolicyQuestion): void {
    const { policy, onTrouble } = this.#options;
    this.#asked.set(question.id, question);
    const answered = (answer: PolicyAnswer): void => {
      if (this.#state === 'closed' || this.#asked.get(question.id) !== question) return;
      this.#asked.delete(question.id);
      this.call((engine, now) => engine.decided(now, question.id, answer));
    };
    // Who cannot answer has not granted (RFC 2750 Appendix A: ERR_PDP).
    const failed = (error: unknown): void => {
      const trouble = error instanceof Error ? error : new Error(String(error));
      onTrouble?.(trouble);
      answered(unanswered(trouble.message));
    };
    if (policy === undefined) {
      failed(new Error('the engine asks, but there is no policy to answer'));
      return;
    }
    let answer: PolicyAnswer | Promise<PolicyAnswer>;
    try {
      answer = policy.ask(question);
    } catch (error) {
      failed(error);
      return;
    }
    if (answer instanceof Promise) void answer.then(answered, failed);
    else answered(answer);
  }
}

const POLICY_CONTROL_FAILURE = 2;

function unanswered(reason: string): PolicyAnswer {
  const [errorCode, errorValue] = [POLICY_CONTROL_FAILURE, POLICY_ERROR.ERR_PDP];
  return { granted: false, errorCode, errorValue, objects: [], reason };
}
