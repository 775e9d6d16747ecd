import { fromHex, toHex } from '../../rsvp/wire/octets.js';
import {
  CLIENT_TYPE_RSVP,
  COPS_PORT,
  C_NUM,
  ERROR,
  INTEGRITY_HMAC,
  INTEGRITY_TLS,
  OP,
  REASON,
  REPORT,
  R_TYPE,
  SOLICITED,
  START_TLS,
} from '../wire/codes.js';
import { mergeDecisions, readDecisions, writeDecisions } from '../wire/decision.js';
import type { ContextDecision, DecisionError } from '../wire/decision.js';
import { fault } from '../wire/fault.js';
import type { Fault } from '../wire/fault.js';
import { Framer } from '../wire/framer.js';
import { check } from '../wire/grammar.js';
import { Integrity, integrityAt, sequenceNumberAt, signWith, verifyDigest } from '../wire/integrity.js';
import { MessageView } from '../wire/view.js';
import {
  authenticationRequired,
  MessageWriter,
  readAddress,
  writeClose,
  writeStartTls,
} from '../wire/writer.js';
import type { PdpAddress } from '../wire/writer.js';
import { PEP_LIMITS } from './options.js';
import type {
  DecisionSource,
  PdpTarget,
  PepEffect,
  PepLimits,
  PepOptions,
  PepRequest,
  RequestFailure,
} from './options.js';
import { PepStates } from './states.js';
import type { PepState } from './states.js';

/**
 * - `idle`: not started, or closed.
 * - `waiting`: every PDP was tried; the next round begins at `retryAt`.
 * - `connecting`: the adapter is at it.
 * - `startingTls`, `handshake`: RFC 4261 5.1; then `signing`: RFC 2748 4.1. Each only where the target asks for it.
 * - `opening`: the Client-Open is sent.
 * - `open`: requests go to the PDP.
 */
type Phase = 'idle' | 'waiting' | 'connecting' | 'startingTls' | 'handshake' | 'signing' | 'opening' | 'open';

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
  phase: Phase = 'idle';
  /** The PDP that is talked to, or tried. */
  target: PdpTarget;

  readonly #states = new PepStates();
  readonly #view = new MessageView();
  readonly #out = new MessageWriter();
  #effects: PepEffect[] = [];
  #framer: Framer;
  #integrity: Integrity | undefined;
  #address: PdpAddress | undefined;
  /** The number from which the PDP counts its messages, chosen by us. */
  #ours = 0;

  /** Place in the list of PDPs. */
  #place = 0;
  #redirects = 0;
  #retryDelay: number;

  /** The last PDP with which we were completely in sync (RFC 2748 2.5). */
  #lastPdp: PdpAddress | undefined;
  /** Handles that the PDP knows and that were deleted while it was away. */
  readonly #deletedAway = new Set<string>();

  #openedAt = 0;
  #keepAlive = 0;
  #accounting: number | undefined;
  #retryAt: number | undefined;
  #stepBy: number | undefined;
  #keepAliveAt: number | undefined;
  #heardBy: number | undefined;
  /** When cached decisions may no longer be used. */
  #cachedUntil: number | undefined;

  constructor(readonly options: PepOptions) {
    const primary = options.pdps[0];
    if (primary === undefined) throw new TypeError('options.pdps: expected at least one PDP');
    if (!/^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(options.pepId)) {
      throw new TypeError('options.pepId: expected 1 to 255 printable ASCII characters');
    }
    this.limits = { ...PEP_LIMITS, ...options.limits };
    this.clientType = options.clientType ?? CLIENT_TYPE_RSVP;
    if (this.clientType < 1 || this.clientType > 0xffff)
      throw new RangeError('options.clientType: expected 1 to 65535');
    this.target = primary;
    this.#retryDelay = this.limits.retryLeast;
    this.#framer = new Framer(this.limits.messageLength);
  }

  /** Begins with the primary PDP. */
  start(): readonly PepEffect[] {
    if (this.phase === 'idle') this.#connect(this.options.pdps[0] as PdpTarget, 0);
    return this.#collect();
  }

  /** Closes the client-type: the PEP is no longer there. What is pending fails. */
  close(now: number, error: DecisionError = { errorCode: ERROR.shuttingDown }): readonly PepEffect[] {
    if (this.phase === 'opening' || this.phase === 'open') this.#writeClose(now, this.clientType, error);
    if (this.phase !== 'idle' && this.phase !== 'waiting')
      this.#effect({ kind: 'disconnect', reason: 'closed' });
    this.#reset('idle');
    for (const state of this.#states.all())
      if (state.dueAt !== undefined) this.#fail(state, { kind: 'closed' });
    this.#states.clear();
    this.#lastPdp = this.#cachedUntil = undefined;
    return this.#collect();
  }

  /** The connection that `connect` asked for is there (with `tls: 'direct'`, so is TLS); `address` is the PDP's. */
  connected(now: number, address: PdpAddress): readonly PepEffect[] {
    if (this.phase !== 'connecting') return this.#collect();
    this.#address = address;
    this.#framer = new Framer(this.limits.messageLength);
    if (this.target.tls === 'start') {
      this.phase = 'startingTls';
      this.#beginOpen(0);
      writeStartTls(this.#out);
      this.#out.end(undefined, now);
      this.#stepBy = now + this.limits.openTimeout;
    } else this.#sign(now);
    return this.#collect();
  }

  /** The handshake that `startTls` asked for is done. */
  secured(now: number): readonly PepEffect[] {
    if (this.phase === 'handshake') {
      this.#framer = new Framer(this.limits.messageLength);
      this.#sign(now);
    }
    return this.#collect();
  }

  /** The connection is gone, or never came. */
  disconnected(now: number, reason: string): readonly PepEffect[] {
    if (this.phase !== 'idle' && this.phase !== 'waiting') this.#lose(now, reason);
    return this.#collect();
  }

  receive(now: number, chunk: Uint8Array): readonly PepEffect[] {
    const framer = this.#framer;
    framer.feed(chunk);
    while (this.#isListening() && framer === this.#framer && framer.next()) {
      this.#readMessage(now, framer.octets, framer.start, framer.end);
      if (this.#keepAlive !== 0) this.#heardBy = now + this.#keepAlive * 1000;
    }
    if (framer === this.#framer) {
      if (framer.fault !== undefined && this.#isListening()) this.#refuse(now, framer.fault);
      else if (this.phase === 'handshake' && framer.left > 0) {
        this.#refuse(
          now,
          { ...authenticationRequired(INTEGRITY_TLS), problem: 'octets before the TLS handshake' },
          0,
        );
      }
    }
    return this.#collect();
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
    const handle = request.handle?.toLowerCase() ?? this.#states.newHandle();
    const body = encodeBody(handle, request);
    let state = this.#states.get(handle);
    if (state?.dueAt !== undefined)
      throw new TypeError(`handle \`${handle}\`: its last request is not answered yet`);
    if (
      state?.decisions !== undefined &&
      state.source === 'pdp' &&
      request.fresh !== true &&
      equal(state.body, body)
    ) {
      // "Once a decision has been returned for a request, the PEP can cache that decision" (RFC 2749 3.5).
      this.#decided(state, state.decisions, 'cache', true);
      return { handle, effects: this.#collect() };
    }
    if (state === undefined) {
      state = {
        handle,
        request,
        body,
        decisions: undefined,
        source: undefined,
        unasked: true,
        dueAt: undefined,
        report: undefined,
        accountedAt: undefined,
      };
      this.#states.add(state);
    } else {
      state.request = request;
      state.body = body;
      state.unasked = true;
    }
    if (this.phase === 'open') this.#ask(now, state, false);
    else if (!this.#decideLocally(state)) this.#states.await(state, now + this.limits.requestTimeout);
    return { handle, effects: this.#collect() };
  }

  /** Reports on a decision (RFC 2748 3.3). One that cannot be sent now is sent when the PDP knows the request again. */
  report(
    now: number,
    handle: string,
    type: keyof typeof REPORT,
    details: { readonly solicited?: boolean; readonly clientSi?: Uint8Array } = {},
  ): readonly PepEffect[] {
    const state = this.#known(handle);
    if (type === 'accounting') {
      // "Periodic accounting reports SHOULD NOT exceed the specified timer interval per client handle" (3.7).
      const least = this.#accounting === 0 ? Infinity : (this.#accounting ?? 0) * 1000;
      if (this.phase !== 'open' || now - (state.accountedAt ?? -Infinity) < least) return this.#collect();
      state.accountedAt = now;
    }
    state.report = {
      type: REPORT[type],
      flags: details.solicited === false ? 0 : SOLICITED,
      clientSi: details.clientSi,
    };
    if (this.phase === 'open') this.#sendReport(now, state);
    return this.#collect();
  }

  /** Deletes a request (RFC 2748 3.4). A PDP that is away is told when it is back. */
  delete(
    now: number,
    handle: string,
    reasonCode: number = REASON.tear,
    reasonSubCode = 0,
  ): readonly PepEffect[] {
    const state = this.#known(handle);
    if (state.dueAt !== undefined) this.#fail(state, { kind: 'deleted' });
    this.#delete(now, state, reasonCode, reasonSubCode);
    return this.#collect();
  }

  /** The decisions in force for a handle. */
  decisionsOf(handle: string): readonly ContextDecision[] | undefined {
    return this.#states.get(handle)?.decisions;
  }

  get handles(): string[] {
    return Array.from(this.#states.all(), (state) => state.handle);
  }

  nextTimeout(): number | undefined {
    let next = Infinity;
    for (const at of [
      this.#retryAt,
      this.#stepBy,
      this.#keepAliveAt,
      this.#heardBy,
      this.#cachedUntil,
      this.#states.nextDue()?.dueAt,
    ]) {
      if (at !== undefined && at < next) next = at;
    }
    return next === Infinity ? undefined : next;
  }

  /** Early and doubled calls do no harm. */
  handleTimeout(now: number): readonly PepEffect[] {
    if (isDue(this.#retryAt, now)) this.#connect(this.options.pdps[0] as PdpTarget, 0);
    if (isDue(this.#stepBy, now)) this.#giveUp(now, 'the PDP did not answer in time');
    if (isDue(this.#heardBy, now)) {
      this.#writeClose(now, this.clientType, { errorCode: ERROR.communicationFailure });
      this.#giveUp(now, 'nothing was heard within the keep-alive interval (RFC 2748 3.9)');
    }
    if (isDue(this.#keepAliveAt, now)) {
      this.#out.begin(OP.KA, 0).end(this.#integrity, now);
      this.#setKeepAlive(now);
    }
    if (isDue(this.#cachedUntil, now)) this.#purge();
    for (
      let state = this.#states.nextDue();
      state !== undefined && isDue(state.dueAt, now);
      state = this.#states.nextDue()
    ) {
      this.#fail(state, { kind: 'timeout' });
      // "It MUST then delete the timed-out handle" (RFC 2748 3.2).
      this.#delete(now, state, REASON.timeout, 0);
    }
    return this.#collect();
  }

  // Connections

  #isListening(): boolean {
    return (
      this.phase === 'startingTls' ||
      this.phase === 'signing' ||
      this.phase === 'opening' ||
      this.phase === 'open'
    );
  }

  #connect(target: PdpTarget, place: number): void {
    this.#reset('connecting');
    this.target = target;
    this.#place = place;
    this.#effect({ kind: 'connect', target });
  }

  #reset(phase: Phase): void {
    this.phase = phase;
    this.#integrity = this.#address = this.#accounting = undefined;
    this.#keepAlive = 0;
    this.#retryAt = this.#stepBy = this.#keepAliveAt = this.#heardBy = undefined;
  }

  /** Ends this connection from our side, and goes on elsewhere. */
  #giveUp(now: number, reason: string): void {
    this.#effect({ kind: 'disconnect', reason });
    this.#lose(now, reason);
  }

  /**
   * The connection is over. After one that worked the primary is first again; otherwise the next in the list; after
   * the last one comes a pause (RFC 2748 2.3: "keep trying all relevant PDPs").
   */
  #lose(now: number, reason: string): void {
    const wasOpen = this.phase === 'open';
    this.#effect({ kind: 'lost', target: this.target, reason });
    if (wasOpen) {
      this.#cachedUntil = now + this.limits.cacheTime;
      for (const state of this.#states.all()) {
        if (state.dueAt === undefined) continue;
        state.unasked = true;
        if (this.#decideLocally(state)) this.#states.answered(state);
      }
    }
    // A PDP that accepts and closes at once must not be asked again and again without a pause.
    const isStable = wasOpen && now - this.#openedAt >= this.limits.retryLeast;
    if (isStable) this.#settled();
    const place = isStable ? 0 : this.#place + 1;
    const next = this.options.pdps[place];
    if (next !== undefined) {
      this.#connect(next, place);
      return;
    }
    this.#reset('waiting');
    this.#retryAt = now + this.#retryDelay * (1 - this.options.random() / 4);
    this.#retryDelay = Math.min(2 * this.#retryDelay, this.limits.retryMost);
    this.#redirects = 0;
  }

  #settled(): void {
    this.#retryDelay = this.limits.retryLeast;
    this.#redirects = 0;
  }

  #redirect(now: number, address: PdpAddress, reason: string): void {
    if (this.phase === 'open' && now - this.#openedAt >= this.limits.retryLeast) this.#settled();
    if (++this.#redirects > this.limits.redirects) {
      this.#giveUp(now, 'redirected too often');
      return;
    }
    const { tls, keys } = this.target;
    const listed = this.options.pdps.findIndex(
      (pdp) => pdp.host === address.address && (pdp.port ?? COPS_PORT) === address.port,
    );
    const target =
      this.options.pdps[listed] ??
      ({
        host: address.address,
        port: address.port,
        ...(tls === undefined ? {} : { tls }),
        ...(keys === undefined ? {} : { keys }),
      } satisfies PdpTarget);
    const wasOpen = this.phase === 'open';
    this.#effect({ kind: 'disconnect', reason });
    this.#effect({ kind: 'lost', target: this.target, reason });
    if (wasOpen) {
      this.#cachedUntil = now + this.limits.cacheTime;
      for (const state of this.#states.all()) if (state.dueAt !== undefined) state.unasked = true;
    }
    // If it cannot be reached, the list begins anew.
    this.#connect(target, listed === -1 ? -1 : listed);
  }

  #setKeepAlive(now: number): void {
    // "Randomly within one-fourth to three-fourths the minimum KA Timer interval" (RFC 2748 4.6).
    this.#keepAliveAt =
      this.#keepAlive === 0 ? undefined : now + this.#keepAlive * 1000 * (0.25 + this.options.random() / 2);
  }

  // Opening

  #beginOpen(clientType: number): void {
    const pepId = Buffer.alloc((this.options.pepId.length & ~3) + 4);
    pepId.write(this.options.pepId, 'latin1');
    this.#out.begin(OP.OPN, clientType).object(C_NUM.PEPID, 1, pepId);
  }

  /** Negotiates INTEGRITY where there are keys (RFC 2748 4.1), otherwise opens at once. */
  #sign(now: number): void {
    const { keys } = this.target;
    this.#stepBy = now + this.limits.openTimeout;
    if (keys === undefined) {
      this.#open(now);
      return;
    }
    if (keys.signing(now) === undefined) {
      this.#giveUp(now, 'no key is valid now');
      return;
    }
    this.phase = 'signing';
    this.#ours = this.options.initialSequenceNumber() >>> 0;
    this.#beginOpen(0);
    this.#out.endWith((octets, start, at) => signWith(keys, this.#ours, octets, start, at, now));
  }

  #open(now: number): void {
    this.phase = 'opening';
    this.#beginOpen(this.clientType);
    if (this.options.clientSi !== undefined) this.#out.object(C_NUM.CLIENT_SI, 2, this.options.clientSi);
    if (this.#lastPdp !== undefined && this.#isCaching()) {
      this.#out.address(C_NUM.LAST_PDP_ADDR, this.#lastPdp.address, this.#lastPdp.port);
    }
    this.#out.end(this.#integrity, now);
  }

  /** "If no decisions are being cached from the previous PDP the LastPDPAddr object MUST NOT be included" (4.3). */
  #isCaching(): boolean {
    for (const state of this.#states.all()) if (state.source === 'pdp') return true;
    return this.#deletedAway.size > 0;
  }

  #accepted(now: number): void {
    const view = this.#view;
    const keepAlive = view.low(0);
    if (keepAlive !== 0 && (this.#keepAlive === 0 || keepAlive < this.#keepAlive))
      this.#keepAlive = keepAlive;
    if (view.clientType === 0) {
      this.#secure(now);
      return;
    }
    if (this.phase === 'open') {
      this.#setKeepAlive(now);
      return;
    }
    const accounting = view.find(C_NUM.ACCT_TIMER);
    this.#accounting = accounting === -1 ? undefined : view.low(accounting);
    this.phase = 'open';
    this.#stepBy = this.#cachedUntil = undefined;
    this.#openedAt = now;
    this.#setKeepAlive(now);
    this.#effect({
      kind: 'opened',
      target: this.target,
      keepAlive: this.#keepAlive,
      accounting: this.#accounting,
    });
    const isSame =
      this.#lastPdp?.address === this.#address?.address && this.#lastPdp?.port === this.#address?.port;
    // "These MUST be explicitly deleted after a connection is reestablished" (RFC 2748 2.5).
    for (const handle of this.#deletedAway) this.#writeDelete(now, handle, REASON.tear, 0);
    this.#deletedAway.clear();
    if (isSame || !this.#isCaching()) this.#lastPdp = this.#address;
    for (const state of this.#states.all()) {
      if (state.unasked) this.#ask(now, state, state.dueAt === undefined);
      else if (isSame && state.report !== undefined) this.#sendReport(now, state);
    }
  }

  /** A Client-Accept for client-type 0. */
  #secure(now: number): void {
    const view = this.#view;
    const index = view.find(C_NUM.INTEGRITY);
    const cType = index === -1 ? 0 : (view.keys[index] as number) & 0xff;
    if (this.phase === 'startingTls') {
      if (cType !== INTEGRITY_TLS || (view.low(index) & START_TLS) === 0) {
        // "A PEP requiring the Integrity-TLS object in a Client-Accept message MUST close the connection if the
        // Integrity-TLS object is missing" (RFC 4261 5.1).
        this.#refuse(
          now,
          { ...authenticationRequired(INTEGRITY_TLS), problem: 'the PDP does not start TLS' },
          0,
        );
        return;
      }
      this.phase = 'handshake';
      this.#stepBy = now + this.limits.openTimeout;
      this.#effect({ kind: 'startTls', target: this.target });
      return;
    }
    const { keys } = this.target;
    if (this.phase !== 'signing' || keys === undefined) {
      this.#refuse(
        now,
        fault(ERROR.badMessageFormat, 'a Client-Accept for client-type 0 that was not asked for'),
        0,
      );
      return;
    }
    const at = integrityAt(view.octets, view.start, view.end);
    if (cType !== INTEGRITY_HMAC || at === undefined) {
      this.#refuse(now, { ...authenticationRequired(INTEGRITY_HMAC), problem: 'the PDP does not sign' }, 0);
      return;
    }
    const problem = verifyDigest(keys, view.octets, view.start, at, now);
    if (problem !== undefined) {
      this.#refuse(now, problem, 0);
      return;
    }
    this.#integrity = new Integrity(keys, { sent: sequenceNumberAt(view.octets, at), received: this.#ours });
    this.#stepBy = now + this.limits.openTimeout;
    this.#open(now);
  }

  // Messages

  #readMessage(now: number, octets: Uint8Array, start: number, end: number): void {
    const view = this.#view;
    const unscanned = view.scan(octets, start, end);
    if (this.#integrity !== undefined) {
      const unverified = this.#integrity.verify(octets, start, end, now);
      if (unverified !== undefined) {
        this.#refuse(now, unverified, 0);
        return;
      }
    } else if (
      this.phase === 'open' &&
      view.count > 0 &&
      (view.keys[view.count - 1] as number) >> 8 === C_NUM.INTEGRITY
    ) {
      this.#refuse(now, fault(ERROR.authenticationFailure, 'an Integrity object that was not negotiated'), 0);
      return;
    }
    const problem = unscanned ?? check(view);
    if (problem !== undefined) {
      if (view.opCode === OP.DEC && this.phase === 'open') this.#refuseDecision(now, problem);
      else if (view.opCode === OP.CC)
        this.#giveUp(now, `closed by the PDP, and malformed: ${problem.problem}`);
      else this.#refuse(now, problem);
      return;
    }
    const { opCode, clientType } = view;
    if (opCode === OP.KA) return;
    if (opCode === OP.CC && (clientType === 0 || clientType === this.clientType)) {
      this.#closed(now);
      return;
    }
    const isOurs = clientType === this.clientType || (opCode === OP.CAT && clientType === 0);
    if (
      isOurs &&
      opCode === OP.CAT &&
      this.phase !== 'open' &&
      (clientType === 0 || this.phase === 'opening')
    ) {
      this.#accepted(now);
    } else if (isOurs && this.phase === 'open' && opCode === OP.CAT && clientType !== 0) this.#accepted(now);
    else if (isOurs && this.phase === 'open' && opCode === OP.DEC) this.#decision(now);
    else if (isOurs && this.phase === 'open' && opCode === OP.SSQ) this.#synchronize(now);
    else
      this.#refuse(
        now,
        fault(ERROR.badMessageFormat, `operation ${opCode} for client-type ${clientType} is unexpected here`),
      );
  }

  /** Says what is wrong and leaves (RFC 2748 3.7, 4.1). */
  #refuse(now: number, problem: Fault, clientType = this.clientType): void {
    this.#writeClose(now, clientType, problem);
    this.#giveUp(now, problem.problem);
  }

  #closed(now: number): void {
    const view = this.#view;
    const redirect = view.find(C_NUM.PDP_REDIR_ADDR);
    const reason = `closed by the PDP: error ${view.high(0)}, sub-code ${view.low(0)}`;
    if (redirect === -1) this.#giveUp(now, reason);
    else this.#redirect(now, readAddress(view, redirect), reason);
  }

  #decision(now: number): void {
    const view = this.#view;
    const state = this.#states.get(toHex(view.body(0)));
    // It was deleted while the decision was under way.
    if (state === undefined) return;
    const solicited = (view.flags & SOLICITED) !== 0;
    const error = view.find(C_NUM.ERROR);
    if (error !== -1) {
      this.#decisionError(now, state, solicited, {
        errorCode: view.high(error),
        errorSubCode: view.low(error),
      });
      return;
    }
    const decisions = readDecisions(view);
    if (solicited) this.#states.answered(state);
    const all = solicited ? decisions : mergeDecisions(state.decisions, decisions, state.request);
    state.decisions = all;
    state.source = 'pdp';
    this.#decided(state, decisions, 'pdp', solicited);
    if (solicited && state.report !== undefined) this.#sendReport(now, state);
  }

  #decisionError(
    now: number,
    state: PepState,
    solicited: boolean,
    error: { readonly errorCode: number; readonly errorSubCode: number },
  ): void {
    if (!solicited && error.errorCode === ERROR.invalidHandleReference && state.dueAt === undefined) {
      // The PDP does not know a request that it should: it is asked again.
      this.#ask(now, state, true);
      return;
    }
    this.#fail(state, { kind: 'error', ...error });
    if (!solicited) return;
    this.#states.answered(state);
    // A request that was never decided is no state worth keeping; one that was, is still as it was decided.
    if (state.decisions === undefined) this.#delete(now, state, REASON.unspecified, 0);
  }

  /** "Malformed Decision messages MUST trigger a DRQ specifying the appropriate erroneous reason code" (3.4). */
  #refuseDecision(now: number, problem: Fault): void {
    const view = this.#view;
    const index = view.keys.indexOf((C_NUM.HANDLE << 8) | 1);
    if (index === -1 || index >= view.count) {
      this.#refuse(now, problem);
      return;
    }
    const state = this.#states.get(toHex(view.body(index)));
    if (state === undefined) return;
    this.#fail(state, { kind: 'malformed', problem: problem.problem });
    if (problem.errorCode === ERROR.unknownObject) {
      this.#delete(now, state, REASON.unknownCopsObject, problem.errorSubCode);
    } else this.#delete(now, state, REASON.malformedDecision, 0);
  }

  /** RFC 2748 3.5. */
  #synchronize(now: number): void {
    const view = this.#view;
    if (view.find(C_NUM.HANDLE) !== 0) {
      for (const state of this.#states.all()) if (state.dueAt === undefined) this.#ask(now, state, true);
      this.#out.begin(OP.SSC, this.clientType).end(this.#integrity, now);
      this.#lastPdp = this.#address;
      this.#effect({ kind: 'synchronized', handle: undefined });
      return;
    }
    const octets = view.body(0).slice();
    const handle = toHex(octets);
    const state = this.#states.get(handle);
    if (state === undefined) this.#writeDelete(now, handle, REASON.synchronizeHandleUnknown, 0);
    else if (state.dueAt === undefined) this.#ask(now, state, true);
    this.#out.begin(OP.SSC, this.clientType).object(C_NUM.HANDLE, 1, octets).end(this.#integrity, now);
    this.#effect({ kind: 'synchronized', handle });
  }

  // Requests

  /** Sends a REQ. `withDecision`: says what is in force for it, in LPDP decisions (RFC 2749 3.5). */
  #ask(now: number, state: PepState, withDecision: boolean): void {
    this.#out.begin(OP.REQ, this.clientType).copy(state.body, 0, state.body.length);
    if (withDecision && state.decisions !== undefined) {
      writeDecisions(this.#out, state.decisions, state.request, C_NUM.LPDP_DECISION);
    }
    this.#out.end(this.#integrity, now);
    state.unasked = false;
    this.#states.await(state, now + this.limits.requestTimeout);
  }

  #decideLocally(state: PepState): boolean {
    const decisions = this.options.lpdp?.(state.request);
    if (decisions === undefined) return false;
    state.decisions = decisions;
    state.source = 'lpdp';
    state.unasked = true;
    this.#decided(state, decisions, 'lpdp', true);
    return true;
  }

  #decided(
    state: PepState,
    decisions: readonly ContextDecision[],
    source: DecisionSource,
    solicited: boolean,
  ): void {
    const reportDue =
      source === 'pdp' &&
      decisions.some((decision) => ((decision.context ?? state.request).rType & R_TYPE.configuration) !== 0);
    this.#effect({ kind: 'decision', handle: state.handle, decisions, source, solicited, reportDue });
  }

  #fail(state: PepState, failure: RequestFailure): void {
    this.#states.answered(state);
    this.#effect({ kind: 'failed', handle: state.handle, failure });
  }

  #known(handle: string): PepState {
    const state = this.#states.get(handle.toLowerCase());
    if (state === undefined) throw new TypeError(`handle \`${handle}\`: no such request`);
    return state;
  }

  #delete(now: number, state: PepState, reasonCode: number, reasonSubCode: number): void {
    this.#states.remove(state);
    if (this.phase === 'open') this.#writeDelete(now, state.handle, reasonCode, reasonSubCode);
    else if (state.source === 'pdp') this.#deletedAway.add(state.handle);
  }

  /** The PDP was away for too long (RFC 2749 3.5): what it decided no longer holds. */
  #purge(): void {
    this.#cachedUntil = this.#lastPdp = undefined;
    this.#deletedAway.clear();
    for (const state of Array.from(this.#states.all())) {
      if (state.source !== 'pdp' || this.#decideLocally(state)) continue;
      this.#states.remove(state);
      this.#fail(state, { kind: 'purged' });
    }
  }

  #sendReport(now: number, state: PepState): void {
    const { report } = state;
    if (report === undefined) return;
    state.report = undefined;
    this.#out
      .begin(OP.RPT, this.clientType, report.flags)
      .object(C_NUM.HANDLE, 1, handleOctets(state.handle))
      .pair(C_NUM.REPORT_TYPE, 1, report.type, 0);
    if (report.clientSi !== undefined) this.#out.object(C_NUM.CLIENT_SI, 1, report.clientSi);
    this.#out.end(this.#integrity, now);
  }

  #writeDelete(now: number, handle: string, reasonCode: number, reasonSubCode: number): void {
    this.#out
      .begin(OP.DRQ, this.clientType)
      .object(C_NUM.HANDLE, 1, handleOctets(handle))
      .pair(C_NUM.REASON, 1, reasonCode, reasonSubCode)
      .end(this.#integrity, now);
  }

  #writeClose(now: number, clientType: number, error: DecisionError): void {
    writeClose(this.#out, clientType, error);
    this.#out.end(this.#integrity, now);
  }

  #effect(effect: PepEffect): void {
    // A new connection starts with nothing to send; what is to be sent belongs to the one before.
    if (effect.kind === 'disconnect' && this.#out.size > 0) {
      this.#effects.push({ kind: 'send', octets: this.#out.take() });
    }
    this.#effects.push(effect);
  }

  /** Sending comes first: whoever acts on a decision at once must find the order of messages kept. */
  #collect(): readonly PepEffect[] {
    if (this.#out.size === 0 && this.#effects.length === 0) return NO_EFFECTS;
    const effects = this.#effects;
    this.#effects = [];
    if (this.#out.size > 0) effects.unshift({ kind: 'send', octets: this.#out.take() });
    return effects;
  }
}

const NO_EFFECTS: readonly PepEffect[] = [];

function isDue(deadline: number | undefined, now: number): boolean {
  return deadline !== undefined && deadline <= now;
}

function handleOctets(handle: string): Uint8Array {
  const octets = fromHex(handle);
  if (octets === undefined || octets.length === 0)
    throw new TypeError(`handle: \`${handle}\` is not octets in hex`);
  return octets;
}

/** The objects of a REQ up to its LPDP decisions. */
function encodeBody(handle: string, request: PepRequest): Uint8Array {
  const writer = new MessageWriter(256);
  writer.object(C_NUM.HANDLE, 1, handleOctets(handle)).pair(C_NUM.CONTEXT, 1, request.rType, request.mType);
  const { inInterface, outInterface } = request;
  if (inInterface !== undefined) writer.address(C_NUM.IN_INT, inInterface.address, inInterface.ifindex);
  if (outInterface !== undefined) writer.address(C_NUM.OUT_INT, outInterface.address, outInterface.ifindex);
  for (const { kind, data } of request.clientSi ?? [])
    writer.object(C_NUM.CLIENT_SI, kind === 'named' ? 2 : 1, data);
  return writer.take();
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
