import { C_NUM, ERROR, INTEGRITY_TLS, OP } from '../wire/codes.js';
import { fault } from '../wire/fault.js';
import type { Fault } from '../wire/fault.js';
import { Framer } from '../wire/framer.js';
import { check } from '../wire/grammar.js';
import type { MessageView } from '../wire/view.js';
import { authenticationRequired, readAddress } from '../wire/writer.js';
import type { PdpAddress } from '../wire/writer.js';
import { refuseDecision, synchronize, takeDecision } from './answers.js';
import { KeepAlive } from './keep-alive.js';
import { negotiateIntegrity, startTls, takeAccept } from './open.js';
import type { PdpTarget } from './options.js';
import type { PepOutput } from './output.js';
import type { Pep } from './pep.js';

/**
 * - `connecting`: the adapter is at it.
 * - `startingTls`, `handshake`: RFC 4261 5.1; then `signing`: RFC 2748 4.1. Each only where the target asks for it.
 * - `opening`: the Client-Open is sent.
 * - `open`: requests go to the PDP.
 * - `closed`: whatever comes is ignored.
 */
export type ConnectionPhase =
  'connecting' | 'startingTls' | 'handshake' | 'signing' | 'opening' | 'open' | 'closed';

/** The PEP's side of one connection, from the attempt to its end (RFC 2748 3, 4). Its `Pep` is told of either outcome. */
export class PepConnection {
  phase: ConnectionPhase = 'connecting';
  /** The PDP's own address; the target may have been a name. */
  address: PdpAddress = { address: '', port: 0 };
  /** The number from which the PDP counts its messages, chosen by us. */
  sequenceNumber = 0;
  /** When the current step of opening must be done. */
  stepBy: number | undefined;
  readonly keepAlive: KeepAlive;

  #framer: Framer;
  #openedAt = 0;
  /** KAs that the PDP has to echo, as `Deletes` counts. */
  readonly #echoes: number[] = [];

  constructor(
    readonly pep: Pep,
    readonly target: PdpTarget,
  ) {
    this.keepAlive = new KeepAlive(pep.options.random);
    this.#framer = new Framer(pep.limits.messageLength);
  }

  get output(): PepOutput {
    return this.pep.output;
  }

  connected(now: number, address: PdpAddress): void {
    if (this.phase !== 'connecting') return;
    this.address = address;
    if (this.target.tls === 'start') startTls(this, now);
    else negotiateIntegrity(this, now);
  }

  secured(now: number): void {
    if (this.phase !== 'handshake') return;
    this.#framer = new Framer(this.pep.limits.messageLength);
    negotiateIntegrity(this, now);
  }

  receive(now: number, chunk: Uint8Array): void {
    const framer = this.#framer;
    framer.feed(chunk);
    while (this.#isListening() && framer.next()) {
      this.#readMessage(now, framer.octets, framer.start, framer.end);
      this.keepAlive.heard(now);
    }
    if (framer.fault !== undefined && this.#isListening()) this.refuse(now, framer.fault);
    else if (this.phase === 'handshake' && framer.left > 0) {
      const problem = 'octets before the TLS handshake';
      this.refuse(now, { ...authenticationRequired(INTEGRITY_TLS), problem }, 0);
    }
  }

  nextTimeout(): number | undefined {
    const { sendAt, heardBy } = this.keepAlive;
    let next = this.stepBy;
    if (sendAt !== undefined && (next === undefined || sendAt < next)) next = sendAt;
    if (heardBy !== undefined && (next === undefined || heardBy < next)) next = heardBy;
    return next;
  }

  handleTimeout(now: number): void {
    const { keepAlive } = this;
    if (isDue(this.stepBy, now)) this.giveUp(now, 'the PDP did not answer in time');
    else if (isDue(keepAlive.heardBy, now)) {
      this.output.close(now, this.pep.clientType, { errorCode: ERROR.communicationFailure });
      this.giveUp(now, 'nothing was heard within the keep-alive interval (RFC 2748 3.9)');
    } else if (isDue(keepAlive.sendAt, now)) {
      this.#echoes.push(this.pep.requests.deletes.sending());
      this.output.keepAlive(now);
      keepAlive.schedule(now);
    }
  }

  /** Did it work for long enough to trust it? A PDP that accepts and closes at once must not be asked without a pause. */
  isStable(now: number): boolean {
    return this.phase === 'open' && now - this.#openedAt >= this.pep.limits.retryLeast;
  }

  // What follows is for `open.ts` as well.

  opened(now: number): void {
    this.phase = 'open';
    this.stepBy = undefined;
    this.#openedAt = now;
    this.keepAlive.schedule(now);
  }

  /**
   * Says what is wrong and leaves (RFC 2748 3.7): for client-type 0 while security is being negotiated (RFC 2748 4.1).
   */
  refuse(now: number, problem: Fault, clientType = this.#clientType): void {
    this.output.close(now, clientType, problem);
    this.giveUp(now, problem.problem);
  }

  /** Ends this connection from our side. */
  giveUp(now: number, reason: string): void {
    this.output.effect({ kind: 'disconnect', reason });
    this.pep.lost(now, reason);
  }

  /** The client-type that is being opened, or is open. */
  get #clientType(): number {
    return this.phase === 'open' || this.phase === 'opening' ? this.pep.clientType : 0;
  }

  #isListening(): boolean {
    const { phase } = this;
    return phase === 'open' || phase === 'opening' || phase === 'signing' || phase === 'startingTls';
  }

  #readMessage(now: number, octets: Uint8Array, start: number, end: number): void {
    const { view, output } = this.pep;
    const unscanned = view.scan(octets, start, end);
    if (output.integrity !== undefined) {
      const unverified = output.integrity.verify(octets, start, end, now);
      if (unverified !== undefined) {
        this.refuse(now, unverified, 0);
        return;
      }
    } else if (this.phase === 'open' && endsWithIntegrity(view)) {
      this.refuse(now, fault(ERROR.authenticationFailure, 'an Integrity object that was not negotiated'), 0);
      return;
    }
    const problem = unscanned ?? check(view);
    if (problem === undefined) this.#takeMessage(now, view);
    else if (view.opCode === OP.DEC && this.phase === 'open') {
      if (!refuseDecision(this.pep.requests, now, view, problem)) this.refuse(now, problem);
    } else if (view.opCode === OP.CC)
      this.giveUp(now, `closed by the PDP, and malformed: ${problem.problem}`);
    else this.refuse(now, problem);
  }

  #takeMessage(now: number, view: MessageView): void {
    const { opCode, clientType } = view;
    const { requests } = this.pep;
    const isOurs = clientType === this.pep.clientType;
    const isOpen = this.phase === 'open';
    if (opCode === OP.KA) {
      this.pep.requests.deletes.confirm(this.#echoes.shift() ?? 0);
      return;
    }
    if (opCode === OP.CC && (isOurs || clientType === 0)) this.#closed(now, view);
    else if (opCode === OP.CAT && clientType === 0 && !isOpen) takeAccept(this, now, view);
    else if (opCode === OP.CAT && isOurs && (isOpen || this.phase === 'opening')) takeAccept(this, now, view);
    else if (opCode === OP.DEC && isOurs && isOpen) takeDecision(requests, now, view);
    else if (opCode === OP.SSQ && isOurs && isOpen) synchronize(requests, now, view);
    else {
      const problem = `operation ${opCode} for client-type ${clientType} is unexpected here`;
      this.refuse(now, fault(ERROR.badMessageFormat, problem));
    }
  }

  /** A Client-Close; it may say where to go (RFC 2748 3.8). */
  #closed(now: number, view: MessageView): void {
    const redirect = view.find(C_NUM.PDP_REDIR_ADDR);
    const reason = `closed by the PDP: error ${view.high(0)}, sub-code ${view.low(0)}`;
    if (redirect === -1) this.giveUp(now, reason);
    else this.pep.redirected(now, readAddress(view, redirect), reason);
  }
}

function endsWithIntegrity(view: MessageView): boolean {
  return view.count > 0 && (view.keys[view.count - 1] as number) >> 8 === C_NUM.INTEGRITY;
}

function isDue(deadline: number | undefined, now: number): boolean {
  return deadline !== undefined && deadline <= now;
}
