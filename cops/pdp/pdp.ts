import { fromHex } from '../../rsvp/wire/octets.js';
import { CLIENT_TYPE_RSVP, ERROR } from '../wire/codes.js';
import { contextDecisions } from '../wire/decision.js';
import type { ContextDecision, Decision, DecisionError } from '../wire/decision.js';
import { MessageView } from '../wire/view.js';
import { MessageWriter } from '../wire/writer.js';
import type { PdpAddress } from '../wire/writer.js';
import { closeSession, endConnection } from './close.js';
import { PdpConnection } from './connection.js';
import { PDP_LIMITS } from './options.js';
import type { EndOfRequest, PdpLimits, PdpOptions, Peer } from './options.js';
import type { PdpRequest, RequestState } from './request.js';
import { Retention } from './retention.js';
import type { PdpSession } from './session.js';

/** What the adapter of a connection has to do, in this order. */
export type PdpEffect =
  | { readonly kind: 'send'; readonly connection: PdpConnection; readonly octets: Uint8Array }
  /** Call `connection.answer` when the promise is settled. */
  | {
      readonly kind: 'await';
      readonly connection: PdpConnection;
      readonly request: PdpRequest;
      readonly decision: PromiseLike<Decision>;
    }
  /** Stop reading, and go on. */
  | { readonly kind: 'pause' | 'resume'; readonly connection: PdpConnection }
  /** Call `connection.proceed` when what was sent is taken, unless it was `blocked`. */
  | { readonly kind: 'more'; readonly connection: PdpConnection }
  /** Do a TLS handshake, of which `head` are the first octets; then call `connection.secured`. */
  | { readonly kind: 'startTls'; readonly connection: PdpConnection; readonly head: Uint8Array }
  /** End the connection when all is sent. */
  | { readonly kind: 'close'; readonly connection: PdpConnection; readonly reason: string }
  /** End it at once. */
  | { readonly kind: 'drop'; readonly connection: PdpConnection; readonly reason: string };

/** Which sessions: those of a PEP, of a client-type, or all. */
export interface SessionFilter {
  readonly pepId?: string;
  readonly clientType?: number;
}

/**
 * A Policy Decision Point (RFC 2748): holds request state per PEP, client-type and handle, asks `decide`, and answers.
 * It does no I/O: `connect` gives the machine of a connection, which takes octets and time; what must be done is
 * returned as effects. A call made from within a hook returns none: they come with those of the call it is in.
 */
export class Pdp {
  readonly limits: PdpLimits;
  readonly clientTypes: readonly number[];
  readonly keepAlive: number;
  readonly connections = new Set<PdpConnection>();
  /** Octets of all request states, for `limits.stateOctets`. */
  stateOctets = 0;
  /** Request states there ever were. */
  stateCount = 0;
  /** The view that every message is read through, one at a time. */
  readonly view = new MessageView();
  readonly retention = new Retention(this);

  readonly #touched: PdpConnection[] = [];
  readonly #writers: MessageWriter[] = [];
  #depth = 0;
  #connectionCount = 0;

  constructor(readonly options: PdpOptions) {
    this.limits = { ...PDP_LIMITS, ...options.limits };
    this.clientTypes = options.clientTypes ?? [CLIENT_TYPE_RSVP];
    this.keepAlive = options.keepAlive ?? 30;
    if (!Number.isInteger(this.keepAlive) || this.keepAlive < 0 || this.keepAlive > 0xffff) {
      throw new RangeError('options.keepAlive: expected seconds from 0 to 65535');
    }
    if (options.keys !== undefined && options.initialSequenceNumber === undefined) {
      throw new TypeError('options.initialSequenceNumber: needed with `keys`');
    }
  }

  /** A connection was accepted; undefined where there are too many. */
  connect(now: number, peer: Peer): PdpConnection | undefined {
    if (this.connections.size >= this.limits.connections) return undefined;
    const connection = new PdpConnection(this, ++this.#connectionCount, peer, now);
    this.connections.add(connection);
    return connection;
  }

  *sessions(filter: SessionFilter = {}): Iterable<PdpSession> {
    for (const connection of this.connections) {
      for (const session of connection.sessions.values()) {
        if (filter.pepId !== undefined && session.pepId !== filter.pepId) continue;
        if (filter.clientType !== undefined && session.clientType !== filter.clientType) continue;
        yield session;
      }
    }
  }

  /** Installed requests with this handle (hex): one, unless a PEP is connected more than once. */
  find(pepId: string, handle: string, clientType = CLIENT_TYPE_RSVP): PdpRequest[] {
    const octets = fromHex(handle);
    if (octets === undefined) throw new TypeError(`handle: \`${handle}\` is not hex`);
    const key =
      octets.length === 4 ? Buffer.from(octets).readUInt32BE(0) : Buffer.from(octets).toString('latin1');
    const found: PdpRequest[] = [];
    for (const session of this.sessions({ pepId, clientType })) {
      const state = session.states.get(key);
      if (state !== undefined) found.push(state.request);
    }
    return found;
  }

  /**
   * Sends a decision that nobody asked for (RFC 2748 4.4); behind the answer where one is pending. For a request whose
   * PEP is not connected it is noted, and `decide` is asked when the PEP synchronizes.
   */
  revise(
    now: number,
    request: PdpRequest,
    decision: ContextDecision | readonly ContextDecision[],
  ): readonly PdpEffect[] {
    this.enter();
    try {
      const { state } = request;
      state.session.revise(now, state, contextDecisions(decision));
    } finally {
      this.#depth--;
    }
    return this.#collect();
  }

  /** Asks PEPs to send all their requests again (RFC 2748 3.5). */
  synchronize(now: number, filter: SessionFilter = {}): readonly PdpEffect[] {
    this.enter();
    for (const session of this.sessions(filter)) session.synchronize(now);
    return this.leave();
  }

  /** Asks for one request again. */
  synchronizeRequest(now: number, request: PdpRequest): readonly PdpEffect[] {
    this.enter();
    const { session } = request;
    if (session.isOpen) session.synchronize(now, request);
    return this.leave();
  }

  /** Sends PEPs to another PDP (RFC 2748 2.3): a backup to the primary, a primary before it is taken down. */
  redirect(now: number, address: PdpAddress, filter: SessionFilter = {}): readonly PdpEffect[] {
    return this.close(now, { errorCode: ERROR.redirect }, filter, address);
  }

  /** Closes client-types. */
  close(
    now: number,
    error: DecisionError,
    filter: SessionFilter = {},
    redirect?: PdpAddress,
  ): readonly PdpEffect[] {
    this.enter();
    for (const session of Array.from(this.sessions(filter))) {
      closeSession(now, session, error, redirect);
    }
    return this.leave();
  }

  /** "When the PDP is shutting down, it SHOULD also explicitly send a Client-Close" (RFC 2748 4.7). */
  shutDown(now: number, redirect?: PdpAddress): readonly PdpEffect[] {
    this.enter();
    this.close(now, { errorCode: ERROR.shuttingDown }, {}, redirect);
    for (const connection of Array.from(this.connections)) endConnection(connection, now, 'shutting down');
    return this.leave();
  }

  /** When kept request states of lost connections end. Connections have timeouts of their own. */
  nextTimeout(): number | undefined {
    return this.retention.nextTimeout();
  }

  handleTimeout(now: number): readonly PdpEffect[] {
    this.enter();
    this.retention.handleTimeout(now);
    return this.leave();
  }

  // What follows is for the other files of this folder.

  enter(): void {
    this.#depth++;
  }

  leave(): readonly PdpEffect[] {
    this.#depth--;
    return this.#collect();
  }

  /** A writer for a connection that has something to send. */
  writer(connection: PdpConnection): MessageWriter {
    this.touch(connection);
    return this.#writers.pop() ?? new MessageWriter();
  }

  /** The connection has effects to collect. */
  touch(connection: PdpConnection): void {
    if (connection.out === undefined && connection.effects.length === 0) this.#touched.push(connection);
  }

  /** Runs the embedding's code; its mistakes are not ours. */
  hook(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.failed(error);
    }
  }

  failed(error: unknown): void {
    this.options.failed?.(error);
  }

  /** Takes `size` octets from the budget of request states; kept ones of lost PEPs go first. */
  makeRoom(size: number): boolean {
    while (this.stateOctets + size > this.limits.stateOctets) {
      if (!this.retention.endOldest()) return false;
    }
    this.stateOctets += size;
    return true;
  }

  forget(connection: PdpConnection): void {
    this.connections.delete(connection);
  }

  /** Forgets requests that wait for the decision before theirs. */
  dropWaiting(state: RequestState): void {
    for (const request of state.waiting ?? []) this.stateOctets -= request.text.length;
    state.waiting = undefined;
  }

  endSession(session: PdpSession, end: EndOfRequest): void {
    for (const state of session.states.values()) this.endState(state, end);
    session.states.clear();
  }

  /** A state is no longer installed; the embedding is told when no decision of it is pending. */
  endState(state: RequestState, end: EndOfRequest): void {
    const finish = (): void => {
      this.stateOctets -= state.request.text.length;
      this.dropWaiting(state);
      this.hook(() => this.options.ended?.(state.request, end));
    };
    if (state.pending) state.ended = finish;
    else finish();
  }

  #collect(): readonly PdpEffect[] {
    if (this.#depth > 0 || this.#touched.length === 0) return NO_EFFECTS;
    const effects: PdpEffect[] = [];
    for (const connection of this.#touched) {
      const { out } = connection;
      if (out !== undefined) {
        if (out.size > 0) effects.push({ kind: 'send', connection, octets: out.take() });
        connection.out = undefined;
        if (this.#writers.length < MAX_SPARE_WRITERS && out.capacity <= MAX_SPARE_SIZE)
          this.#writers.push(out);
      }
      effects.push(...connection.effects);
      connection.effects.length = 0;
    }
    this.#touched.length = 0;
    return effects;
  }
}

const NO_EFFECTS: readonly PdpEffect[] = [];
const MAX_SPARE_WRITERS = 16;
/** A writer that has grown beyond this is not kept. */
const MAX_SPARE_SIZE = 512 * 1024;
