import { CLIENT_TYPE_RSVP, ERROR, REASON } from '../wire/codes.js';
import type { REPORT } from '../wire/codes.js';
import type { ContextDecision, DecisionError } from '../wire/decision.js';
import { MessageView } from '../wire/view.js';
import type { PdpAddress } from '../wire/writer.js';
import { PepConnection } from './connection.js';
import type { ConnectionPhase } from './connection.js';
import { Failover } from './failover.js';
import { PEP_LIMITS } from './options.js';
import type { PdpTarget, PepEffect, PepLimits, PepOptions, PepRequest } from './options.js';
import { PepOutput } from './output.js';
import { PepRequests } from './requests.js';

/**
 * - `idle`: not started, or closed.
 * - `waiting`: every PDP was tried; the next round begins later.
 * - the others are those of the connection.
 */
export type PepPhase = 'idle' | 'waiting' | ConnectionPhase;

/**
 * The PEP's side of one client-type (RFC 2748 2.5, 3, 4): finds a PDP, keeps it, asks it, caches what it decides, and
 * brings the next one up to date. A PEP with several client-types has one of these for each, as RFC 2748 2.3 allows
 * ("over one or more TCP connections"): then one client-type can be redirected without the others.
 *
 * No I/O: octets and time come in, effects go out.
 */
export class Pep {
  readonly limits: PepLimits;
  readonly clientType: number;
  /** The PDP that is talked to, or tried. */
  target: PdpTarget;

  // For the other files of this folder.
  readonly output: PepOutput;
  readonly requests: PepRequests;
  /** The view that every message is read through. */
  readonly view = new MessageView();

  readonly #failover: Failover;
  #connection: PepConnection | undefined;

  constructor(readonly options: PepOptions) {
    const [primary, ...backups] = options.pdps;
    if (primary === undefined) throw new TypeError('options.pdps: expected at least one PDP');
    if (!/^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(options.pepId)) {
      throw new TypeError('options.pepId: expected 1 to 255 printable ASCII characters');
    }
    this.limits = { ...PEP_LIMITS, ...options.limits };
    this.clientType = options.clientType ?? CLIENT_TYPE_RSVP;
    if (this.clientType < 1 || this.clientType > 0xffff)
      throw new RangeError('options.clientType: expected 1 to 65535');
    this.target = primary;
    this.output = new PepOutput(this.clientType);
    this.requests = new PepRequests(options, this.limits, this.output);
    this.#failover = new Failover([primary, ...backups], this.limits, options.random);
  }

  get phase(): PepPhase {
    return this.#connection?.phase ?? (this.#failover.retryAt === undefined ? 'idle' : 'waiting');
  }

  /** Begins with the primary PDP. */
  start(): readonly PepEffect[] {
    if (this.phase === 'idle') this.#connect(this.#failover.first());
    return this.output.collect();
  }

  /** Closes the client-type: the PEP is no longer there. What is pending fails. */
  close(now: number, error: DecisionError = { errorCode: ERROR.shuttingDown }): readonly PepEffect[] {
    const { phase } = this;
    if (phase === 'opening' || phase === 'open') this.output.close(now, this.clientType, error);
    if (this.#connection !== undefined) this.output.effect({ kind: 'disconnect', reason: 'closed' });
    this.#disconnect();
    this.#failover.retryAt = undefined;
    this.requests.close();
    return this.output.collect();
  }

  /** The connection that `connect` asked for is there (with `tls: 'direct'`, so is TLS); `address` is the PDP's. */
  connected(now: number, address: PdpAddress): readonly PepEffect[] {
    this.#connection?.connected(now, address);
    return this.output.collect();
  }

  /** The handshake that `startTls` asked for is done. */
  secured(now: number): readonly PepEffect[] {
    this.#connection?.secured(now);
    return this.output.collect();
  }

  /** The connection is gone, or never came. */
  disconnected(now: number, reason: string): readonly PepEffect[] {
    if (this.#connection !== undefined) this.lost(now, reason);
    return this.output.collect();
  }

  receive(now: number, chunk: Uint8Array): readonly PepEffect[] {
    this.#connection?.receive(now, chunk);
    return this.output.collect();
  }

  /**
   * Asks for a decision; it comes as an effect with this handle. Throws `TypeError` while the answer to an earlier
   * request for the handle is awaited: "the PEP SHOULD NOT issue more than one REQ (for a given handle) before it
   * receives a corresponding DEC" (RFC 2748 3.2).
   */
  request(
    now: number,
    request: PepRequest,
  ): { readonly handle: string; readonly effects: readonly PepEffect[] } {
    const handle = this.requests.request(now, request);
    return { handle, effects: this.output.collect() };
  }

  /** Reports on a decision (RFC 2748 3.3). One that cannot be sent now is sent when the PDP knows the request again. */
  report(
    now: number,
    handle: string,
    type: keyof typeof REPORT,
    details: { readonly solicited?: boolean; readonly clientSi?: Uint8Array } = {},
  ): readonly PepEffect[] {
    this.requests.report(now, handle, type, details);
    return this.output.collect();
  }

  /** Deletes a request (RFC 2748 3.4). A PDP that is away is told when it is back. */
  delete(
    now: number,
    handle: string,
    reasonCode: number = REASON.tear,
    reasonSubCode = 0,
  ): readonly PepEffect[] {
    this.requests.delete(now, handle, reasonCode, reasonSubCode);
    return this.output.collect();
  }

  /** The decisions in force for a handle. */
  decisionsOf(handle: string): readonly ContextDecision[] | undefined {
    return this.requests.states.get(handle)?.decisions;
  }

  get handles(): string[] {
    return Array.from(this.requests.states.all(), (state) => state.handle);
  }

  nextTimeout(): number | undefined {
    let next = this.#connection === undefined ? this.#failover.retryAt : this.#connection.nextTimeout();
    const due = this.requests.nextTimeout();
    if (due !== undefined && (next === undefined || due < next)) next = due;
    return next;
  }

  /** Early and doubled calls do no harm. */
  handleTimeout(now: number): readonly PepEffect[] {
    const { retryAt } = this.#failover;
    if (retryAt !== undefined && retryAt <= now) this.#connect(this.#failover.first());
    else this.#connection?.handleTimeout(now);
    this.requests.handleTimeout(now);
    return this.output.collect();
  }

  // What follows is for the connection.

  /** The client-type is open there. `accounting` is its ACCT Timer in seconds. */
  opened(now: number, accounting: number | undefined): void {
    const connection = this.#connection as PepConnection;
    const keepAlive = connection.keepAlive.seconds;
    this.output.effect({ kind: 'opened', target: connection.target, keepAlive, accounting });
    this.requests.opened(now, connection.address, accounting);
  }

  /** The connection is over: on to the next PDP. */
  lost(now: number, reason: string): void {
    const connection = this.#connection as PepConnection;
    this.output.effect({ kind: 'lost', target: connection.target, reason });
    if (connection.phase === 'open') this.requests.lost(now, false);
    const isStable = connection.isStable(now);
    this.#disconnect();
    const next = this.#failover.next(now, isStable);
    if (next !== undefined) this.#connect(next);
  }

  /** The PDP has named another (RFC 2748 3.8). */
  redirected(now: number, address: PdpAddress, reason: string): void {
    const connection = this.#connection as PepConnection;
    const next = this.#failover.redirect(address, connection.target, connection.isStable(now));
    if (next === undefined) {
      connection.giveUp(now, 'redirected too often');
      return;
    }
    this.output.effect({ kind: 'disconnect', reason });
    this.output.effect({ kind: 'lost', target: connection.target, reason });
    if (connection.phase === 'open') this.requests.lost(now, true);
    this.#disconnect();
    this.#connect(next);
  }

  #connect(target: PdpTarget): void {
    this.target = target;
    this.#connection = new PepConnection(this, target);
    this.output.effect({ kind: 'connect', target });
  }

  #disconnect(): void {
    if (this.#connection !== undefined) this.#connection.phase = 'closed';
    this.#connection = this.output.integrity = undefined;
  }
}
