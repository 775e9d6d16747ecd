import { C_NUM, ERROR, OP } from '../wire/codes.js';
import type { Decision, DecisionError } from '../wire/decision.js';
import { fault } from '../wire/fault.js';
import type { Fault } from '../wire/fault.js';
import { Framer } from '../wire/framer.js';
import { check } from '../wire/grammar.js';
import type { Integrity } from '../wire/integrity.js';
import { authenticationRequired, writeClose } from '../wire/writer.js';
import type { MessageWriter, PdpAddress } from '../wire/writer.js';
import { closeConnection, drop, lose, refuseConnection, sessionClosed } from './close.js';
import { Deadlines } from './deadlines.js';
import { openConnection, receiveHandshake } from './open.js';
import type { Peer } from './options.js';
import type { Pdp, PdpEffect } from './pdp.js';
import { refuseFraming, refuseMessage, refuseUnopened } from './refuse.js';
import type { PdpRequest } from './request.js';
import { UNABLE } from './session.js';
import type { PdpSession } from './session.js';

/**
 * - `opening`: no client-type is open yet.
 * - `tlsOffered`: a Client-Accept has asked for TLS; the next octets must be its handshake (RFC 4261 5).
 * - `tlsHandshake`: they were; the adapter is at it.
 * - `open`: client-types are open, or were.
 * - `closed`: whatever comes is ignored.
 */
export type Phase = 'opening' | 'tlsOffered' | 'tlsHandshake' | 'open' | 'closed';

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
  pendingDecisions = 0;
  /** Request states of all sessions. */
  handles = 0;
  readonly deadlines = new Deadlines();

  #framer: Framer;
  #paused = false;

  constructor(
    readonly pdp: Pdp,
    readonly id: number,
    public peer: Peer,
    now: number,
  ) {
    this.#framer = new Framer(pdp.limits.messageLength);
    this.deadlines.openBy = now + pdp.limits.openTimeout;
  }

  /** Octets from the peer, as many or as few as came. */
  receive(now: number, chunk: Uint8Array): readonly PdpEffect[] {
    this.pdp.enter();
    if (this.phase === 'tlsOffered') receiveHandshake(this, now, chunk);
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
      this.pendingDecisions--;
      state.pending = false;
      if (state.ended !== undefined) state.ended();
      else {
        // The PEP may have moved to another connection meanwhile, and has asked anew there.
        const { session } = state;
        if (session.connection === this && session.isOpen)
          session.send(now, state, request, decision ?? UNABLE);
        session.settle(now, state);
        session.connection.#resume(now);
      }
      this.#resume(now);
    }
    return this.pdp.leave();
  }

  /** The TLS handshake that `startTls` asked for is done. */
  secured(now: number, tls: NonNullable<Peer['tls']>): readonly PdpEffect[] {
    this.peer = { ...this.peer, tls };
    this.phase = 'opening';
    this.deadlines.openBy = now + this.pdp.limits.openTimeout;
    this.#framer = new Framer(this.pdp.limits.messageLength);
    return NO_EFFECTS;
  }

  /** The transport took nothing of the last octets and holds them: `unsent` of them. */
  blocked(now: number, unsent: number): readonly PdpEffect[] {
    this.pdp.enter();
    if (this.phase === 'closed') return this.pdp.leave();
    if (unsent > this.pdp.limits.unsentOctets)
      drop(this, now, `${unsent} octets unsent: the peer does not read`);
    else this.deadlines.takenBy ??= now + this.pdp.limits.stallTimeout;
    return this.pdp.leave();
  }

  /** The transport has taken them. */
  drained(now: number): readonly PdpEffect[] {
    this.pdp.enter();
    this.deadlines.takenBy = undefined;
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
    lose(this, now, reason);
    return this.pdp.leave();
  }

  nextTimeout(): number | undefined {
    return this.deadlines.next(this.#paused);
  }

  /** Early and doubled calls do no harm. */
  handleTimeout(now: number): readonly PdpEffect[] {
    this.pdp.enter();
    switch (this.phase === 'closed' ? undefined : this.deadlines.missed(now, this.#paused)) {
      case 'taken':
        drop(this, now, 'the peer does not read');
        break;
      case 'opened':
        drop(this, now, 'no client-type was opened in time');
        break;
      case 'whole':
        drop(this, now, 'a message was not completed in time');
        break;
      case 'heard': {
        const reason = 'nothing was heard within the keep-alive interval (RFC 2748 3.9)';
        closeConnection(this, now, { errorCode: ERROR.communicationFailure }, reason);
        break;
      }
      case undefined:
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

  refused(problem: string): void {
    this.pdp.hook(() => this.pdp.options.refused?.(this.peer, problem));
  }

  opened(now: number): void {
    this.phase = 'open';
    this.deadlines.openBy = undefined;
    this.#heard(now);
  }

  #heard(now: number): void {
    const { keepAlive } = this.pdp;
    this.deadlines.heardBy = keepAlive === 0 || this.phase !== 'open' ? undefined : now + keepAlive * 1000;
  }

  #readMessages(now: number): void {
    const framer = this.#framer;
    let heard = false;
    while (this.phase === 'opening' || this.phase === 'open') {
      if (this.pendingDecisions >= this.pdp.limits.pending) {
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
    if (framer.fault !== undefined) refuseFraming(this, now, framer, framer.fault);
    else if (this.phase === 'tlsOffered' && framer.left > 0) {
      refuseConnection(
        this,
        now,
        'octets behind the message that asked for TLS (RFC 4261 5.2)',
        authenticationRequired(2),
      );
    } else if (heard) {
      this.#heard(now);
      this.deadlines.wholeBy = undefined;
    }
    if (framer.waiting && this.phase !== 'closed')
      this.deadlines.wholeBy ??= now + this.pdp.limits.messageTimeout;
  }

  #readMessage(now: number, octets: Uint8Array, start: number, end: number): void {
    const { view } = this.pdp;
    let problem = view.scan(octets, start, end);
    if (this.integrity !== undefined) {
      const unverified = this.integrity.verify(octets, start, end, now);
      if (unverified !== undefined) {
        refuseConnection(this, now, unverified.problem, unverified);
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
      refuseMessage(this, now, view, problem);
      return;
    }
    if (this.integrity === undefined && (view.keys[view.count - 1] as number) >> 8 === C_NUM.INTEGRITY) {
      refuseConnection(this, now, 'an Integrity object that was not negotiated (RFC 2748 4.1)', {
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
      refuseUnopened(this, now, view);
      return;
    }
    switch (view.opCode) {
      case OP.REQ:
        session.request(now, view);
        return;
      case OP.RPT:
        session.report(now, view);
        return;
      case OP.DRQ:
        session.delete(view);
        return;
      case OP.SSC:
        session.synchronized(view);
        return;
      case OP.SSQ:
        // What the University of Murcia's stack says in place of an SSC.
        if (session.isSynchronizing) session.synchronized(view);
        else refuseMessage(this, now, view, notForPdp(view.opCode));
        return;
      case OP.CC:
        sessionClosed(now, session, { errorCode: view.high(0), errorSubCode: view.low(0) });
        return;
      default:
        refuseMessage(this, now, view, notForPdp(view.opCode));
    }
  }

  /** Goes on reading where too many decisions were pending, or too much was to be sent. */
  #resume(now: number): void {
    if (!this.#paused || this.phase === 'closed' || this.deadlines.takenBy !== undefined) return;
    if (this.pendingDecisions > this.pdp.limits.pending / 2) return;
    this.#paused = false;
    this.#heard(now);
    this.effect({ kind: 'resume', connection: this });
    this.#readMessages(now);
  }
}

/** Octets of answers after which they are sent before more requests are read. */
const BURST = 256 * 1024;
const NO_EFFECTS: readonly PdpEffect[] = [];

function notForPdp(opCode: number): Fault {
  return fault(ERROR.badMessageFormat, `operation ${opCode} is not for a PDP (RFC 2748 3)`);
}
