import { CLIENT_TYPE_RSVP, C_NUM, ERROR, OP, REPORT_NAMES, SOLICITED } from '../wire/codes.js';
import { contextDecisions, isDecisionError, mergeDecisions, writeDecisions } from '../wire/decision.js';
import type { ContextDecision, Decision, DecisionError } from '../wire/decision.js';
import { fault } from '../wire/fault.js';
import { checkRsvpContext } from '../wire/rsvp-context.js';
import type { MessageView } from '../wire/view.js';
import type { MessageWriter } from '../wire/writer.js';
import type { PdpConnection } from './connection.js';
import type { EndOfRequest, Peer } from './options.js';
import { refuseHandle } from './refuse.js';
import { PdpRequest, RequestState } from './request.js';
import type { HandleKey } from './request.js';

/** One client-type that a PEP has open on a connection: its request states, and the messages about them. */
export class PdpSession {
  /** Request states by handle. */
  readonly states = new Map<HandleKey, RequestState>();
  /** Counts full synchronizations: a state confirmed in an older one was not asked for again. */
  generation = 0;
  /** Was the PEP asked for all its state, and has not said that it is done? */
  isSynchronizing = false;

  constructor(
    readonly connection: PdpConnection,
    readonly pepId: string,
    readonly clientType: number,
    /** The ClientSI of the last Client-Open that had one. */
    public clientSi: Uint8Array | undefined,
  ) {}

  get peer(): Peer {
    return this.connection.peer;
  }

  get isOpen(): boolean {
    return this.connection.sessions.get(this.clientType) === this;
  }

  get requests(): PdpRequest[] {
    return Array.from(this.states.values(), (state) => state.request);
  }

  // What follows is for the other files of this folder.

  /** A checked REQ (RFC 2748 3.1). */
  request(now: number, view: MessageView): void {
    const { connection } = this;
    const { pdp } = connection;
    const key = handleKey(view);
    if (key === '') {
      const problem = fault(ERROR.badHandle, 'a handle without octets (RFC 2748 2.2.1)');
      refuseHandle(connection, now, view, problem);
      return;
    }
    if (this.clientType === CLIENT_TYPE_RSVP) {
      const problem = checkRsvpContext(view.high(1), view.low(1));
      if (problem !== undefined) {
        refuseHandle(connection, now, view, problem);
        return;
      }
    }
    if (!pdp.makeRoom(view.end - view.start)) {
      refuseHandle(connection, now, view, fault(ERROR.unableToProcess, 'too many octets of request state'));
      return;
    }
    let state = this.states.get(key);
    if (state === undefined) {
      const { handles } = connection;
      if (handles >= pdp.limits.handles) {
        refuseHandle(connection, now, view, fault(ERROR.unableToProcess, `more than ${handles} handles`));
        return;
      }
      connection.handles++;
      state = new RequestState(this, key, view.text(), view.high(1), view.low(1));
      this.states.set(key, state);
      this.#decide(now, state);
      return;
    }
    const request = new PdpRequest(state, view.text(), view.high(1), view.low(1), true);
    state.generation = this.generation;
    if (state.pending) {
      connection.pendingDecisions++;
      (state.waiting ??= []).push(request);
      return;
    }
    this.#replace(state, request);
    this.#decide(now, state);
  }

  /** A checked RPT (RFC 2748 3.3). */
  report(now: number, view: MessageView): void {
    const { connection } = this;
    const state = this.states.get(handleKey(view));
    if (state === undefined) {
      const problem = 'a report on a handle that is not installed';
      refuseHandle(connection, now, view, fault(ERROR.invalidHandleReference, problem));
      return;
    }
    const { reported } = connection.pdp.options;
    if (reported === undefined) return;
    const type = (REPORT_NAMES[view.high(1)] ?? '').toLowerCase() as 'success' | 'failure' | 'accounting';
    const clientSi: Uint8Array[] = [];
    for (let i = 2; i < view.count; i++)
      if ((view.keys[i] as number) >> 8 === C_NUM.CLIENT_SI) clientSi.push(view.body(i).slice());
    const report = { type, solicited: (view.flags & SOLICITED) !== 0, clientSi };
    connection.pdp.hook(() => reported(state.request, report));
    state.request.release();
  }

  /**
   * A checked DRQ (RFC 2748 3.4). An unknown handle is no mistake: a PEP deletes on a new connection what it told the
   * old one (RFC 2748 2.5).
   */
  delete(view: MessageView): void {
    const state = this.states.get(handleKey(view));
    if (state === undefined) return;
    this.#remove(state, { kind: 'deleted', reasonCode: view.high(1), reasonSubCode: view.low(1) });
  }

  /** A checked SSC (RFC 2748 3.10). */
  synchronized(view: MessageView): void {
    const { pdp } = this.connection;
    const { synchronized } = pdp.options;
    if (view.find(C_NUM.HANDLE) !== -1) {
      const state = this.states.get(handleKey(view));
      if (state !== undefined) pdp.hook(() => synchronized?.(this, state.request));
      return;
    }
    if (this.isSynchronizing) {
      this.isSynchronizing = false;
      for (const state of Array.from(this.states.values())) {
        if (state.generation !== this.generation) this.#remove(state, { kind: 'resynchronized' });
      }
    }
    pdp.hook(() => synchronized?.(this, undefined));
  }

  /** Asks for the state of one handle or of all (RFC 2748 3.5). */
  synchronize(now: number, request?: PdpRequest): void {
    if (request === undefined) {
      if (this.isSynchronizing) return;
      this.isSynchronizing = true;
      this.generation++;
      // The PEP awaits their answers: what it asks is current, and it asks once (RFC 2748 3.2).
      for (const state of this.states.values()) if (state.pending) state.generation = this.generation;
    }
    const writer = this.connection.begin(OP.SSQ, this.clientType);
    if (request !== undefined) writeHandle(writer, request);
    this.connection.end(now);
  }

  /**
   * Sends a decision that nobody asked for (RFC 2748 3.2), once no request waits for one; throws what `writeDecisions`
   * throws. Where the PEP is not connected the decision is noted.
   */
  revise(now: number, state: RequestState, decisions: readonly ContextDecision[]): void {
    if (state.pending) {
      state.revision = mergeDecisions(state.revision, decisions, state.request);
      return;
    }
    if (this.isOpen) this.#writeDecision(now, state.request, 0, decisions);
    state.decisions = mergeDecisions(state.decisions, decisions, state.request);
    state.isRevised = true;
  }

  /** Takes request states over that outlived an earlier connection. */
  adopt(states: Iterable<RequestState>): void {
    for (const state of states) {
      state.session = this;
      state.generation = this.generation;
      this.states.set(state.key, state);
      this.connection.handles++;
    }
  }

  send(now: number, state: RequestState, request: PdpRequest, decision: Decision): void {
    request.release();
    if (isDecisionError(decision)) {
      this.#writeError(now, request, decision);
      return;
    }
    try {
      const decisions = contextDecisions(decision);
      this.#writeDecision(now, request, SOLICITED, decisions);
      state.decisions = decisions;
      state.isRevised = false;
    } catch (error) {
      // The decision itself is wrong: a caller's mistake, and no grant.
      this.connection.pdp.failed(error);
      this.#writeError(now, request, UNABLE);
    }
  }

  /** Goes on with a state whose decision is no longer pending: the requests that came meanwhile, then the revision. */
  settle(now: number, state: RequestState): void {
    this.#decideNext(now, state);
    const { revision } = state;
    if (state.pending || revision === undefined) return;
    state.revision = undefined;
    try {
      this.revise(now, state, revision);
    } catch (error) {
      this.connection.pdp.failed(error);
    }
  }

  /** The requests that came while one for the same handle was pending, up to the next that is. */
  #decideNext(now: number, state: RequestState): void {
    let next: PdpRequest | undefined;
    while (!state.pending && (next = state.waiting?.shift()) !== undefined) {
      this.connection.pendingDecisions--;
      this.#replace(state, next);
      if (this.isOpen) this.#decide(now, state);
    }
  }

  #decide(now: number, state: RequestState): void {
    const { connection } = this;
    const { request } = state;
    let decision: Decision | PromiseLike<Decision>;
    try {
      decision = connection.pdp.options.decide(request);
    } catch (error) {
      connection.pdp.failed(error);
      decision = UNABLE;
    }
    if ('then' in decision) {
      state.pending = true;
      connection.pendingDecisions++;
      connection.effect({ kind: 'await', connection, request, decision });
    } else this.send(now, state, request, decision);
  }

  #replace(state: RequestState, request: PdpRequest): void {
    const before = state.request;
    this.connection.pdp.stateOctets -= before.text.length;
    // What was decided for the context of the request before is not about another.
    if (before.rType !== request.rType || before.mType !== request.mType)
      state.decisions = state.decisions?.map((each) => ({ context: before.context, ...each }));
    state.request = request;
  }

  #remove(state: RequestState, end: EndOfRequest): void {
    this.states.delete(state.key);
    this.connection.handles--;
    this.connection.pdp.endState(state, end);
  }

  #writeDecision(
    now: number,
    request: PdpRequest,
    flags: number,
    decisions: readonly ContextDecision[],
  ): void {
    if (this.clientType === CLIENT_TYPE_RSVP && hasNull(decisions))
      throw new TypeError('decision: RSVP has no NULL Decision, only Install and Remove (RFC 2749 2.4)');
    const writer = this.connection.begin(OP.DEC, this.clientType, flags);
    try {
      writeHandle(writer, request);
      writeDecisions(writer, decisions, request);
    } catch (error) {
      writer.abandon();
      throw error;
    }
    this.connection.end(now);
  }

  /** A Decision that holds an error: the protocol's, not the policy's (RFC 2748 3.2). */
  #writeError(now: number, request: PdpRequest, error: DecisionError): void {
    const writer = this.connection.begin(OP.DEC, this.clientType, SOLICITED);
    writeHandle(writer, request);
    writer.pair(C_NUM.ERROR, 1, error.errorCode, error.errorSubCode ?? 0);
    this.connection.end(now);
  }
}

export const UNABLE: DecisionError = { errorCode: ERROR.unableToProcess };

function handleKey(view: MessageView): HandleKey {
  const at = (view.at[0] as number) + 4;
  const length = view.length(0);
  if (length !== 8) return view.text(at, at + length - 4);
  const { octets } = view;
  return (
    (((octets[at] as number) << 24) |
      ((octets[at + 1] as number) << 16) |
      ((octets[at + 2] as number) << 8) |
      (octets[at + 3] as number)) >>>
    0
  );
}

function hasNull(decisions: readonly ContextDecision[]): boolean {
  for (const { command } of decisions) if (command === 'null') return true;
  return false;
}

/** The Handle object of a request, which is its first, padding included. */
function writeHandle(writer: MessageWriter, { text }: PdpRequest): void {
  const length = (text.charCodeAt(8) << 8) | text.charCodeAt(9);
  writer.latin1(text, 8, 8 + ((length + 3) & ~3));
}
