import { C_NUM, ERROR, OP, REPORT_NAMES, SOLICITED } from '../wire/codes.js';
import { contextDecisions, isDecisionError, mergeDecisions, writeDecisions } from '../wire/decision.js';
import type { ContextDecision, Decision, DecisionError } from '../wire/decision.js';
import { fault } from '../wire/fault.js';
import type { Fault } from '../wire/fault.js';
import { Framer } from '../wire/framer.js';
import { check } from '../wire/grammar.js';
import type { Integrity } from '../wire/integrity.js';
import type { MessageView } from '../wire/view.js';
import { authenticationRequired, writeClose } from '../wire/writer.js';
import type { MessageWriter, PdpAddress } from '../wire/writer.js';
import { openConnection } from './open.js';
import type { EndOfRequest, Peer } from './options.js';
import type { Pdp, PdpEffect } from './pdp.js';
import { PdpRequest, RequestState } from './request.js';
import type { HandleKey, PdpSession } from './request.js';

/**
 * - `opening`: no client-type is open yet.
 * - `tlsOffered`: a Client-Accept has asked for TLS; the next octets must be its handshake (RFC 4261 5).
 * - `tlsHandshake`: they were; the adapter is at it.
 * - `open`: client-types are open, or were.
 * - `closed`: whatever comes is ignored.
 */
export type Phase = 'opening' | 'tlsOffered' | 'tlsHandshake' | 'open' | 'closed';

/** A TLS record that holds a handshake begins with this octet; a COPS message of version 1 without odd flags never does. */
const TLS_HANDSHAKE = 0x16;

/**
 * The PDP's side of one connection (RFC 2748 3, 4). Octets and time come in; effects go out, by way of the `Pdp` it
 * belongs to. Made by `Pdp.connect`.
 */
export class PdpConnection {
  readonly sessions = new Map<number, PdpSession>();
  phase: Phase = 'opening';
  /** Set by the first Client-Open. */
  pepId: string | undefined;
  integrity: Integrity | undefined;
  /** What this input has to send; undefined where it is nothing so far. */
  out: MessageWriter | undefined;
  /** Effects of this input besides sending. */
  readonly effects: PdpEffect[] = [];

  #framer: Framer;
  #pendingDecisions = 0;
  #paused = false;
  #handles = 0;

  /** When a client-type must be open. */
  #openBy: number | undefined;
  /** When a message from the PEP must have come (RFC 2748 3.9). */
  #heardBy: number | undefined;
  /** When the message that has begun must be whole. */
  #wholeBy: number | undefined;
  /** When the peer must have taken something of what it was sent. */
  #takenBy: number | undefined;

  constructor(
    readonly pdp: Pdp,
    readonly id: number,
    public peer: Peer,
    now: number,
  ) {
    this.#framer = new Framer(pdp.limits.messageLength);
    this.#openBy = now + pdp.limits.openTimeout;
  }

  /** Octets from the peer, as many or as few as came. */
  receive(now: number, chunk: Uint8Array): readonly PdpEffect[] {
    this.pdp.enter();
    if (this.phase === 'tlsOffered') this.#receiveHandshake(now, chunk);
    else if (this.phase !== 'closed') {
      this.#framer.feed(chunk);
      this.#readMessages(now);
    }
    return this.pdp.leave();
  }

  /** The decision of a pending request is there; undefined where there is none to be had. */
  answer(now: number, request: PdpRequest, decision: Decision | undefined): readonly PdpEffect[] {
    this.pdp.enter();
    const { state } = request;
    if (state.pending && state.request === request) {
      this.#pendingDecisions--;
      state.pending = false;
      if (state.ended !== undefined) state.ended();
      else {
        // The PEP may have moved to another connection meanwhile, and has asked anew there.
        const owner = state.session.connection;
        if (owner === this && state.session.isOpen) this.#send(now, state, request, decision ?? UNABLE);
        owner.#decideNext(now, state);
        owner.#resume(now);
      }
      this.#resume(now);
    }
    return this.pdp.leave();
  }

  /** The TLS handshake that `startTls` asked for is done. */
  secured(now: number, tls: NonNullable<Peer['tls']>): readonly PdpEffect[] {
    this.peer = { ...this.peer, tls };
    this.phase = 'opening';
    this.#openBy = now + this.pdp.limits.openTimeout;
    this.#framer = new Framer(this.pdp.limits.messageLength);
    return NO_EFFECTS;
  }

  /** The transport took nothing of the last octets and holds them: `unsent` of them. */
  blocked(now: number, unsent: number): readonly PdpEffect[] {
    this.pdp.enter();
    if (unsent > this.pdp.limits.unsentOctets)
      this.#drop(now, `${unsent} octets unsent: the peer does not read`);
    else this.#takenBy ??= now + this.pdp.limits.stallTimeout;
    return this.pdp.leave();
  }

  /** The transport has taken them. */
  drained(now: number): readonly PdpEffect[] {
    this.pdp.enter();
    this.#takenBy = undefined;
    // While we did not read we could not hear the peer either.
    this.#heard(now);
    this.#resume(now);
    return this.pdp.leave();
  }

  /** What `more` asked for: the last answers are on their way, so the next requests can be read. */
  proceed(now: number): readonly PdpEffect[] {
    this.pdp.enter();
    this.#resume(now);
    return this.pdp.leave();
  }

  /** The transport is gone. */
  disconnected(now: number, reason: string): readonly PdpEffect[] {
    this.pdp.enter();
    this.#lose(now, reason);
    return this.pdp.leave();
  }

  nextTimeout(): number | undefined {
    let next = this.#takenBy ?? (this.#paused ? undefined : this.#heardBy);
    if (this.#openBy !== undefined && (next === undefined || this.#openBy < next)) next = this.#openBy;
    if (this.#wholeBy !== undefined && (next === undefined || this.#wholeBy < next)) next = this.#wholeBy;
    return next;
  }

  /** Early and doubled calls do no harm. */
  handleTimeout(now: number): readonly PdpEffect[] {
    this.pdp.enter();
    if (this.phase !== 'closed') {
      if (isDue(this.#takenBy, now)) this.#drop(now, 'the peer does not read');
      else if (isDue(this.#openBy, now)) this.#drop(now, 'no client-type was opened in time');
      else if (isDue(this.#wholeBy, now)) this.#drop(now, 'a message was not completed in time');
      else if (this.#takenBy === undefined && !this.#paused && isDue(this.#heardBy, now)) {
        this.#closeAll(now, { errorCode: ERROR.communicationFailure });
        this.#lose(now, 'nothing was heard within the keep-alive interval (RFC 2748 3.9)');
        this.effect({ kind: 'close', connection: this, reason: 'keep-alive' });
      }
    }
    return this.pdp.leave();
  }

  // What follows is for the other files of this folder.

  effect(effect: PdpEffect): void {
    this.pdp.touch(this);
    this.effects.push(effect);
  }

  begin(opCode: number, clientType: number, flags = 0): MessageWriter {
    this.out ??= this.pdp.writer(this);
    return this.out.begin(opCode, clientType, flags);
  }

  /** Ends what `begin` began. */
  end(now: number): void {
    this.out?.end(this.integrity, now);
  }

  close(now: number, clientType: number, error: DecisionError, redirect?: PdpAddress): void {
    this.out ??= this.pdp.writer(this);
    writeClose(this.out, clientType, error, redirect);
    this.end(now);
  }

  /** Client-Close for client-type 0, and the end of the connection (RFC 2748 4.1). */
  refuseConnection(now: number, problem: string, error: DecisionError): void {
    this.refused(problem);
    this.close(now, 0, error);
    this.#endConnection(now, problem);
  }

  refused(problem: string): void {
    this.pdp.hook(() => this.pdp.options.refused?.(this.peer, problem));
  }

  opened(now: number): void {
    this.phase = 'open';
    this.#openBy = undefined;
    this.#heard(now);
  }

  /** Ends one client-type, told by the PDP; its requests end too, or wait for the PEP to come back. */
  closeSession(
    now: number,
    session: PdpSession,
    error: DecisionError,
    redirect?: PdpAddress,
    park = false,
  ): void {
    this.close(now, session.clientType, error, redirect);
    this.#endSession(now, session, error, 'pdp', park);
  }

  /** Ends the connection after what is to be sent. */
  shutDown(now: number, reason: string): void {
    this.#endConnection(now, reason);
  }

  /** Sends a decision that nobody asked for (RFC 2748 3.2); throws what `writeDecisions` throws. */
  revise(now: number, state: RequestState, decisions: readonly ContextDecision[]): void {
    this.#writeDecision(now, state.request, 0, decisions);
    state.decisions = mergeDecisions(state.decisions, decisions, state.request);
  }

  /** Asks for the state of one handle or of all (RFC 2748 3.5). */
  synchronize(now: number, session: PdpSession, request?: PdpRequest): void {
    if (request === undefined) {
      if (session.synchronizing) return;
      session.synchronizing = true;
      session.generation++;
    }
    const writer = this.begin(OP.SSQ, session.clientType);
    if (request !== undefined) writeHandle(writer, request);
    this.end(now);
  }

  /** Takes request states over that outlived an earlier connection. */
  adopt(session: PdpSession, states: Iterable<RequestState>): void {
    for (const state of states) {
      state.session = session;
      session.states.set(state.key, state);
      this.#handles++;
    }
  }

  #heard(now: number): void {
    const { keepAlive } = this.pdp;
    this.#heardBy = keepAlive === 0 || this.phase !== 'open' ? undefined : now + keepAlive * 1000;
  }

  #receiveHandshake(now: number, chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (chunk[0] === TLS_HANDSHAKE) {
      this.phase = 'tlsHandshake';
      this.effect({ kind: 'startTls', connection: this, head: chunk });
      return;
    }
    // "Upon receiving any message from the PEP before the TLS handshake starts, the PDP MUST issue a Client-Close
    // message with an error code 15= Authentication Required" (RFC 4261 5.2).
    this.refuseConnection(
      now,
      'a message where a TLS handshake was due (RFC 4261 5.2)',
      authenticationRequired(2),
    );
  }

  #readMessages(now: number): void {
    const framer = this.#framer;
    let heard = false;
    while (this.phase === 'opening' || this.phase === 'open') {
      if (this.#pendingDecisions >= this.pdp.limits.pending) {
        this.#paused = true;
        this.effect({ kind: 'pause', connection: this });
        break;
      }
      if (this.out !== undefined && this.out.size > BURST) {
        this.#paused = true;
        this.effect({ kind: 'pause', connection: this });
        this.effect({ kind: 'more', connection: this });
        break;
      }
      if (!framer.next()) break;
      this.#readMessage(now, framer.octets, framer.start, framer.end);
      heard = true;
    }
    if (framer.fault !== undefined) this.#loseFraming(now, framer.fault);
    else if (this.phase === 'tlsOffered' && framer.left > 0) {
      this.refuseConnection(
        now,
        'octets behind the message that asked for TLS (RFC 4261 5.2)',
        authenticationRequired(2),
      );
    } else if (heard) {
      this.#heard(now);
      this.#wholeBy = undefined;
    }
    if (framer.waiting && this.phase !== 'closed') this.#wholeBy ??= now + this.pdp.limits.messageTimeout;
  }

  #readMessage(now: number, octets: Uint8Array, start: number, end: number): void {
    const { view } = this.pdp;
    let problem = view.scan(octets, start, end);
    if (this.integrity !== undefined) {
      const unverified = this.integrity.verify(octets, start, end, now);
      if (unverified !== undefined) {
        this.refuseConnection(now, unverified.problem, unverified);
        return;
      }
    }
    problem ??= check(view);
    if (view.opCode === OP.OPN || this.phase === 'opening') {
      // A Client-Open that offers an Integrity object we do not know fails in its own way.
      openConnection(this, now, view, problem);
      return;
    }
    if (problem !== undefined) {
      this.#refuseMessage(now, view, problem);
      return;
    }
    if (this.integrity === undefined && (view.keys[view.count - 1] as number) >> 8 === C_NUM.INTEGRITY) {
      this.refuseConnection(now, 'an Integrity object that was not negotiated (RFC 2748 4.1)', {
        errorCode: ERROR.authenticationFailure,
      });
      return;
    }
    if (view.opCode === OP.KA) {
      this.begin(OP.KA, 0);
      this.end(now);
      return;
    }
    const session = this.sessions.get(view.clientType);
    if (session === undefined) {
      this.#refuseUnopened(now, view);
      return;
    }
    switch (view.opCode) {
      case OP.REQ:
        this.#request(now, session, view);
        return;
      case OP.RPT:
        this.#report(now, session, view);
        return;
      case OP.DRQ:
        this.#delete(session, view);
        return;
      case OP.SSC:
        this.#synchronized(session, view);
        return;
      case OP.CC: {
        const error = { errorCode: view.high(0), errorSubCode: view.low(0) };
        // A PEP that lost us comes back and says what it still holds; one that closes for another reason has let go.
        this.#endSession(now, session, error, 'pep', error.errorCode === ERROR.communicationFailure);
        return;
      }
      default:
        this.#refuseMessage(
          now,
          view,
          fault(ERROR.badMessageFormat, `operation ${view.opCode} is not for a PDP (RFC 2748 3)`),
        );
    }
  }

  #request(now: number, session: PdpSession, view: MessageView): void {
    const key = handleKey(view);
    if (key === '') {
      this.#refuseHandle(now, view, fault(ERROR.badHandle, 'a handle without octets (RFC 2748 2.2.1)'));
      return;
    }
    if (!this.pdp.makeRoom(view.end - view.start)) {
      this.#refuseHandle(now, view, fault(ERROR.unableToProcess, 'too many octets of request state'));
      return;
    }
    let state = session.states.get(key);
    if (state === undefined) {
      if (this.#handles >= this.pdp.limits.handles) {
        this.#refuseHandle(now, view, fault(ERROR.unableToProcess, `more than ${this.#handles} handles`));
        return;
      }
      this.#handles++;
      state = new RequestState(session, key, view.text(), view.high(1), view.low(1));
      session.states.set(key, state);
      this.#decide(now, state);
      return;
    }
    const request = new PdpRequest(state, view.text(), view.high(1), view.low(1), true);
    state.generation = session.generation;
    if (state.pending) {
      this.#pendingDecisions++;
      (state.waiting ??= []).push(request);
      return;
    }
    this.#replace(state, request);
    this.#decide(now, state);
  }

  #replace(state: RequestState, request: PdpRequest): void {
    this.pdp.stateOctets -= state.request.text.length;
    state.request = request;
  }

  #decide(now: number, state: RequestState): void {
    const { request } = state;
    let decision: Decision | PromiseLike<Decision>;
    try {
      decision = this.pdp.options.decide(request);
    } catch (error) {
      this.pdp.failed(error);
      decision = UNABLE;
    }
    if ('then' in decision) {
      state.pending = true;
      this.#pendingDecisions++;
      this.effect({ kind: 'await', connection: this, request, decision });
    } else this.#send(now, state, request, decision);
  }

  /** The requests that came while one for the same handle was pending, up to the next that is. */
  #decideNext(now: number, state: RequestState): void {
    let next: PdpRequest | undefined;
    while (!state.pending && (next = state.waiting?.shift()) !== undefined) {
      this.#pendingDecisions--;
      this.#replace(state, next);
      if (state.session.isOpen) this.#decide(now, state);
    }
  }

  /** Goes on reading where too many decisions were pending, or too much was to be sent. */
  #resume(now: number): void {
    if (!this.#paused || this.phase === 'closed' || this.#takenBy !== undefined) return;
    if (this.#pendingDecisions > this.pdp.limits.pending / 2) return;
    this.#paused = false;
    this.#heard(now);
    this.effect({ kind: 'resume', connection: this });
    this.#readMessages(now);
  }

  #send(now: number, state: RequestState, request: PdpRequest, decision: Decision): void {
    request.release();
    if (isDecisionError(decision)) {
      this.#writeError(now, request, decision);
      return;
    }
    try {
      const decisions = contextDecisions(decision);
      this.#writeDecision(now, request, SOLICITED, decisions);
      state.decisions = decisions;
    } catch (error) {
      // The decision itself is wrong: a caller's mistake, and no grant.
      this.pdp.failed(error);
      this.#writeError(now, request, UNABLE);
    }
  }

  #writeDecision(
    now: number,
    request: PdpRequest,
    flags: number,
    decisions: readonly ContextDecision[],
  ): void {
    const writer = this.begin(OP.DEC, request.session.clientType, flags);
    try {
      writeHandle(writer, request);
      writeDecisions(writer, decisions, request);
    } catch (error) {
      writer.abandon();
      throw error;
    }
    this.end(now);
  }

  /** A Decision that holds an error: the protocol's, not the policy's (RFC 2748 3.2). */
  #writeError(now: number, request: PdpRequest, error: DecisionError): void {
    const writer = this.begin(OP.DEC, request.session.clientType, SOLICITED);
    writeHandle(writer, request);
    writer.pair(C_NUM.ERROR, 1, error.errorCode, error.errorSubCode ?? 0);
    this.end(now);
  }

  #report(now: number, session: PdpSession, view: MessageView): void {
    const state = session.states.get(handleKey(view));
    if (state === undefined) {
      this.#refuseHandle(
        now,
        view,
        fault(ERROR.invalidHandleReference, 'a report on a handle that is not installed'),
      );
      return;
    }
    const { reported } = this.pdp.options;
    if (reported === undefined) return;
    const type = (REPORT_NAMES[view.high(1)] ?? '').toLowerCase() as 'success' | 'failure' | 'accounting';
    const clientSi: Uint8Array[] = [];
    for (let i = 2; i < view.count; i++)
      if ((view.keys[i] as number) >> 8 === C_NUM.CLIENT_SI) clientSi.push(view.body(i).slice());
    const report = { type, solicited: (view.flags & SOLICITED) !== 0, clientSi };
    this.pdp.hook(() => reported(state.request, report));
    state.request.release();
  }

  /** An unknown handle is no mistake: a PEP deletes on a new connection what it told the old one (RFC 2748 2.5). */
  #delete(session: PdpSession, view: MessageView): void {
    const state = session.states.get(handleKey(view));
    if (state === undefined) return;
    const end: EndOfRequest = { kind: 'deleted', reasonCode: view.high(1), reasonSubCode: view.low(1) };
    this.#remove(session, state, end);
  }

  #remove(session: PdpSession, state: RequestState, end: EndOfRequest): void {
    session.states.delete(state.key);
    this.#handles--;
    this.pdp.endState(state, end);
  }

  #synchronized(session: PdpSession, view: MessageView): void {
    const { synchronized } = this.pdp.options;
    if (view.find(C_NUM.HANDLE) !== -1) {
      const state = session.states.get(handleKey(view));
      if (state !== undefined) this.pdp.hook(() => synchronized?.(session, state.request));
      return;
    }
    if (session.synchronizing) {
      session.synchronizing = false;
      for (const state of Array.from(session.states.values())) {
        if (state.generation !== session.generation) this.#remove(session, state, { kind: 'resynchronized' });
      }
    }
    this.pdp.hook(() => synchronized?.(session, undefined));
  }

  /**
   * A malformed message. "Malformed Request messages MUST result in the PDP specifying a Decision message with the
   * appropriate error code" (RFC 2748 3.1). We say it the same way of other messages that name a handle, so that
   * one bad report does not cost a router all its reservations; where no handle can be read, the client-type ends.
   */
  #refuseMessage(now: number, view: MessageView, problem: Fault): void {
    const session = this.sessions.get(view.clientType);
    const isAboutHandle = view.opCode === OP.REQ || view.opCode === OP.RPT || view.opCode === OP.DRQ;
    if (session !== undefined && isAboutHandle && handleIndex(view) !== -1) {
      this.#refuseHandle(now, view, problem);
      return;
    }
    if (session === undefined && isAboutHandle && view.clientType !== 0) {
      this.#refuseUnopened(now, view);
      return;
    }
    this.refused(problem.problem);
    if (session === undefined) this.close(now, view.clientType, problem);
    else this.closeSession(now, session, problem, undefined, true);
    if (this.sessions.size === 0 || view.clientType === 0) this.#endConnection(now, problem.problem);
  }

  #refuseHandle(now: number, view: MessageView, problem: Fault): void {
    this.refused(problem.problem);
    const index = handleIndex(view);
    const at = view.at[index] as number;
    this.begin(OP.DEC, view.clientType, view.opCode === OP.REQ ? SOLICITED : 0)
      .copy(view.octets, at, at + ((view.length(index) + 3) & ~3))
      .pair(C_NUM.ERROR, 1, problem.errorCode, problem.errorSubCode);
    this.end(now);
  }

  #refuseUnopened(now: number, view: MessageView): void {
    // A client-type that was just closed may still have messages under way to us.
    if (view.opCode === OP.CC || view.opCode === OP.SSC) return;
    this.refused(`client-type ${view.clientType} is not open`);
    this.close(now, view.clientType, { errorCode: ERROR.unsupportedClientType });
  }

  /** The boundaries of messages are lost, and with them the connection. */
  #loseFraming(now: number, problem: Fault): void {
    if (this.phase === 'closed') return;
    this.refused(problem.problem);
    const { octets, start } = this.#framer;
    const clientType = ((octets[start + 2] as number) << 8) | (octets[start + 3] as number);
    if (!this.sessions.has(clientType)) this.close(now, clientType, problem);
    this.#closeAll(now, problem);
    this.#endConnection(now, problem.problem);
  }

  #closeAll(now: number, error: DecisionError): void {
    for (const session of this.sessions.values()) this.close(now, session.clientType, error);
  }

  #endConnection(now: number, reason: string): void {
    this.#lose(now, reason);
    this.effect({ kind: 'close', connection: this, reason });
  }

  /** Cuts the connection without a word: nobody would hear it. */
  #drop(now: number, reason: string): void {
    this.refused(reason);
    this.#lose(now, reason);
    this.effect({ kind: 'drop', connection: this, reason });
  }

  #lose(now: number, reason: string): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.#openBy = this.#heardBy = this.#wholeBy = this.#takenBy = undefined;
    for (const session of this.sessions.values()) {
      this.pdp.park(now, session);
      this.pdp.hook(() => this.pdp.options.lost?.(session, reason));
    }
    this.sessions.clear();
    this.pdp.forget(this);
  }

  #endSession(
    now: number,
    session: PdpSession,
    error: DecisionError,
    by: 'pep' | 'pdp',
    park: boolean,
  ): void {
    this.sessions.delete(session.clientType);
    this.#handles -= session.states.size;
    if (this.sessions.size === 0) this.#openBy = now + this.pdp.limits.openTimeout;
    if (park) this.pdp.park(now, session);
    else this.pdp.endSession(session, { kind: 'closed', errorCode: error.errorCode });
    this.pdp.hook(() => this.pdp.options.closed?.(session, error, by));
  }
}

/** Octets of answers after which they are sent before more requests are read. */
const BURST = 256 * 1024;
const UNABLE: DecisionError = { errorCode: ERROR.unableToProcess };
const NO_EFFECTS: readonly PdpEffect[] = [];

function isDue(deadline: number | undefined, now: number): boolean {
  return deadline !== undefined && deadline <= now;
}

/** Index of the first usable handle, also in a message that is otherwise broken. */
function handleIndex(view: MessageView): number {
  for (let i = 0; i < view.count; i++) if (view.keys[i] === ((C_NUM.HANDLE << 8) | 1)) return i;
  return -1;
}

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

/** The Handle object of a request, which is its first, padding included. */
function writeHandle(writer: MessageWriter, { text }: PdpRequest): void {
  const length = (text.charCodeAt(8) << 8) | text.charCodeAt(9);
  writer.latin1(text, 8, 8 + ((length + 3) & ~3));
}
