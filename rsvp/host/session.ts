import type { ReserveRequest, SenderRequest } from '../engine/api.js';
import type { EngineEffect } from '../engine/effect.js';
import type { Engine } from '../engine/engine.js';
import type { EngineEvent, Upcall } from '../engine/event.js';
import type { SessionName } from '../engine/identity.js';

/** What a session needs of the node that it is on; `EngineRunner` with its events is one. */
export interface HostNode {
  /** Calls the engine with the time that it is, and performs what it returns. */
  call(work: (engine: Engine, now: number) => readonly EngineEffect[]): void;
  /** All events of the engine from now on; returns how to end it. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}

/** The upcalls of RFC 2205 3.11.1, as they come. */
export type HostEvent = Upcall['upcall'] & {
  /** One line for people. */
  readonly text: string;
};

/**
 * A session of an application on this node (RFC 2205 3.11.1): it may send, reserve, or both. POLICY_DATA, where credentials
 * are, is given as it is, or by a function that is called whenever it is to be made anew.
 *
 *     const session = new HostSession(node, { destination: '192.0.2.7', protocol: 17, port: 5004 }, (event) => ...);
 *     session.reserve({ style: 'FF', flows: [{ flow, senders: [{ address: '198.51.100.9', port: 5004 }] }], confirm: true });
 *
 * A caller's mistake is a `RangeError`.
 */
export class HostSession {
  #application = 0;
  #unsubscribe: () => void;

  constructor(
    private readonly node: HostNode,
    readonly name: SessionName,
    happened: (event: HostEvent) => void,
  ) {
    this.#unsubscribe = node.subscribe((event) => {
      if (event.kind === 'upcall' && event.application === this.#application)
        happened({ ...event.upcall, text: event.text });
    });
    try {
      node.call((engine, now) => {
        const { application, effects } = engine.session(now, name);
        // Path state that is there already is told at once, among the effects.
        this.#application = application;
        return effects;
      });
    } catch (error) {
      this.#unsubscribe();
      throw error;
    }
  }

  /** SENDER: announces a sender, or changes what was announced. */
  send(request: SenderRequest): void {
    this.#call((engine, now) => engine.sender(now, this.#application, request));
  }

  /** Ends one sender. */
  withdraw(sender: { readonly address: string; readonly port: number }): void {
    this.#call((engine, now) => engine.withdrawSender(now, this.#application, sender));
  }

  /** RESERVE: makes a reservation; a later one takes the place of an earlier one. */
  reserve(request: ReserveRequest): void {
    this.#call((engine, now) => engine.reserve(now, this.#application, request));
  }

  /** Ends the reservation, and keeps the session. */
  unreserve(): void {
    this.#call((engine, now) => engine.unreserve(now, this.#application));
  }

  /** RELEASE: tears down all that is this session's. */
  close(): void {
    if (this.#application === 0) return;
    this.node.call((engine, now) => engine.release(now, this.#application));
    this.#application = 0;
    this.#unsubscribe();
  }

  #call(work: (engine: Engine, now: number) => readonly EngineEffect[]): void {
    if (this.#application === 0) throw new RangeError('session: it is closed');
    this.node.call(work);
  }
}
