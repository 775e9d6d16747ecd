import { CLIENT_TYPE_RSVP, REASON, REPORT, R_TYPE, SOLICITED } from '../wire/codes.js';
import type { ContextDecision } from '../wire/decision.js';
import type { PdpAddress } from '../wire/writer.js';
import { Deletes } from './deletes.js';
import { encodeBody, writeDelete, writeReport, writeRequest } from './messages.js';
import type { DecisionSource, PepLimits, PepOptions, PepRequest, RequestFailure } from './options.js';
import type { PepOutput } from './output.js';
import { PepStates } from './states.js';
import type { PepState } from './states.js';

/**
 * The PEP's requests and what was decided about them: asked of the PDP while there is one, answered from the cache or by the
 * LPDP while there is none, and brought to the next PDP (RFC 2748 2.5, RFC 2749 3.5). What the PDP says about
 * them is in `answers.ts`.
 */
export class PepRequests {
  readonly states = new PepStates();
  /** The PDP that is connected; undefined while requests cannot be sent. */
  pdp: PdpAddress | undefined;
  /** The last PDP with which we were completely in sync (RFC 2748 2.5). */
  lastPdp: PdpAddress | undefined;

  readonly deletes = new Deletes();
  /** ACCT Timer of the PDP, seconds. */
  #accounting: number | undefined;
  /** When a PDP that does not ask for our state is in sync all the same: nobody keeps what we told the one before. */
  #syncBy: number | undefined;
  /** When cached decisions may no longer be used. */
  #cachedUntil: number | undefined;

  constructor(
    readonly options: PepOptions,
    readonly limits: PepLimits,
    readonly output: PepOutput,
  ) {}

  /** Returns the handle; see `Pep.request`. */
  request(now: number, request: PepRequest): string {
    const handle = request.handle?.toLowerCase() ?? this.states.newHandle();
    const body = encodeBody(handle, request);
    let state = this.states.get(handle);
    if (state?.dueAt !== undefined)
      throw new TypeError(`handle \`${handle}\`: its last request is not answered yet`);
    if (
      state?.decisions !== undefined &&
      state.source === 'pdp' &&
      state.isCurrent &&
      request.fresh !== true &&
      equal(state.body, body)
    ) {
      // "Once a decision has been returned for a request, the PEP can cache that decision" (RFC 2749 3.5).
      this.decided(state, state.decisions, 'cache', true);
      return handle;
    }
    if (state === undefined) {
      state = {
        handle,
        request,
        body,
        decisions: undefined,
        source: undefined,
        isCurrent: false,
        unasked: true,
        isKnown: false,
        isElsewhere: false,
        askedAt: 0,
        dueAt: undefined,
        report: undefined,
        success: undefined,
        unreported: 0,
        accountedAt: undefined,
      };
      this.states.add(state);
    } else {
      state.request = request;
      state.body = body;
      // Whoever asks anew reports anew.
      state.success = undefined;
      if (state.report?.isRepeated === true) state.report = undefined;
      state.isCurrent = false;
      state.unasked = true;
    }
    if (this.pdp !== undefined) this.ask(now, state, false);
    else if (!this.#decideLocally(state)) this.states.await(state, now + this.limits.requestTimeout);
    return handle;
  }

  report(
    now: number,
    handle: string,
    type: keyof typeof REPORT,
    details: { readonly solicited?: boolean; readonly clientSi?: Uint8Array },
  ): void {
    const state = this.#known(handle);
    const { solicited = type !== 'accounting' } = details;
    if (type === 'accounting' && !solicited) {
      // "Periodic accounting reports SHOULD NOT exceed the specified timer interval per client handle" (RFC 2748 3.7);
      // "a value of zero means there SHOULD be no unsolicited accounting updates" (RFC 2748 2.2.15).
      const accounting = this.#accounting ?? 0;
      const since = now - (state.accountedAt ?? -Infinity);
      if (this.pdp === undefined || this.#accounting === 0 || since < accounting * 1000) return;
      state.accountedAt = now;
    }
    // While there is no PDP one report is kept: that of success is the one that counts.
    if (type === 'accounting' && this.pdp === undefined && state.success !== undefined) return;
    state.report = { type: REPORT[type], solicited, clientSi: details.clientSi };
    if (type !== 'accounting') state.success = type === 'success' ? state.report : undefined;
    if (this.pdp !== undefined) this.sendReport(now, state);
  }

  delete(now: number, handle: string, reasonCode: number, reasonSubCode: number): void {
    const state = this.#known(handle);
    if (state.dueAt !== undefined) this.fail(state, { kind: 'deleted' });
    this.remove(now, state, reasonCode, reasonSubCode);
  }

  /** "If no decisions are being cached from the previous PDP the LastPDPAddr object MUST NOT be included" (4.3). */
  get isCaching(): boolean {
    for (const state of this.states.all()) if (state.source === 'pdp') return true;
    return false;
  }

  /** A PDP has accepted the client-type: it is told what has changed since the last one was there. */
  opened(now: number, pdp: PdpAddress, accounting: number | undefined): void {
    this.pdp = pdp;
    this.#accounting = accounting;
    this.#cachedUntil = undefined;
    const isSame = this.lastPdp?.address === pdp.address && this.lastPdp.port === pdp.port;
    if (isSame || !this.isCaching) this.lastPdp = pdp;
    else this.#syncBy = now + this.limits.cacheTime;
    // "These MUST be explicitly deleted after a connection is reestablished" (RFC 2748 2.5).
    for (const handle of this.deletes.take()) this.#writeDelete(now, handle, REASON.tear, 0);
    for (const state of this.states.all()) {
      if (state.unasked) this.ask(now, state, state.dueAt === undefined);
      else if (isSame && state.report !== undefined) this.sendReport(now, state);
    }
  }

  /** The PDP is gone. With `next` at hand what was asked waits for that; otherwise the LPDP decides it, if there is one. */
  lost(now: number, next: boolean): void {
    this.pdp = this.#accounting = this.#syncBy = undefined;
    this.#cachedUntil = now + this.limits.cacheTime;
    this.deletes.lost();
    for (const state of this.states.all()) {
      state.unreported = 0;
      this.#repeatSuccess(state);
      // The next PDP asks for what LastPDPAddr covers; of the rest it is told.
      if (state.isElsewhere || state.source !== 'pdp') state.unasked = true;
      if (state.dueAt === undefined) continue;
      state.unasked = true;
      if (!next && this.#decideLocally(state)) this.states.answered(state);
    }
  }

  /** The PEP ends: what is pending fails. */
  close(): void {
    for (const state of this.states.all())
      if (state.dueAt !== undefined) this.fail(state, { kind: 'closed' });
    this.states.clear();
    this.deletes.clear();
    this.pdp = this.lastPdp = this.#accounting = this.#syncBy = this.#cachedUntil = undefined;
  }

  nextTimeout(): number | undefined {
    const due = this.states.nextDue()?.dueAt;
    const until = this.#cachedUntil ?? this.#syncBy;
    return due === undefined || (until !== undefined && until < due) ? until : due;
  }

  handleTimeout(now: number): void {
    if (this.#cachedUntil !== undefined && this.#cachedUntil <= now) this.#purge();
    if (this.#syncBy !== undefined && this.#syncBy <= now) this.synchronized();
    for (;;) {
      const state = this.states.nextDue();
      if (state?.dueAt === undefined || state.dueAt > now) return;
      this.fail(state, { kind: 'timeout' });
      // "It MUST then delete the timed-out handle" (RFC 2748 3.2).
      this.remove(now, state, REASON.timeout, 0);
    }
  }

  // What follows is for `answers.ts` as well.

  /** Sends a REQ; `withDecision` as in `writeRequest`. */
  ask(now: number, state: PepState, withDecision: boolean): void {
    writeRequest(this.output, now, state, withDecision);
    this.#repeatSuccess(state);
    state.unasked = false;
    state.isKnown = true;
    state.isElsewhere = !this.isInSync;
    state.askedAt = this.deletes.sending();
    this.states.await(state, now + this.limits.requestTimeout);
  }

  decided(
    state: PepState,
    decisions: readonly ContextDecision[],
    source: DecisionSource,
    solicited: boolean,
  ): void {
    const reportDue =
      source === 'pdp' &&
      decisions.some((decision) => ((decision.context ?? state.request).rType & R_TYPE.configuration) !== 0);
    this.output.effect({ kind: 'decision', handle: state.handle, decisions, source, solicited, reportDue });
  }

  fail(state: PepState, failure: RequestFailure): void {
    this.states.answered(state);
    this.output.effect({ kind: 'failed', handle: state.handle, failure });
  }

  /** Deletes a state here and at the PDP. */
  remove(now: number, state: PepState, reasonCode: number, reasonSubCode: number): void {
    this.states.remove(state);
    if (this.pdp !== undefined) this.#writeDelete(now, state.handle, reasonCode, reasonSubCode);
    else if (state.isKnown) this.deletes.untold(state.handle);
  }

  sendReport(now: number, state: PepState): void {
    const { report } = state;
    if (report === undefined) return;
    state.report = undefined;
    // "There MUST never be more than one Report State message generated with the Solicited Message flag set per
    // Decision" (RFC 2748 3.3).
    const solicited = report.solicited && state.unreported > 0;
    if (solicited) state.unreported--;
    writeReport(this.output, now, state.handle, report, solicited ? SOLICITED : 0);
  }

  /** What the PDP has taken back is no success any more. */
  forgetSuccess(state: PepState): void {
    state.success = undefined;
    if (state.report?.isRepeated === true) state.report = undefined;
  }

  /** Is the connected PDP the one that LastPDPAddr will name? */
  get isInSync(): boolean {
    return this.pdp !== undefined && this.pdp === this.lastPdp;
  }

  /** All current states were passed to the connected PDP: it is the last one that knows everything. */
  synchronized(): void {
    this.lastPdp = this.pdp;
    this.#syncBy = undefined;
    this.deletes.take();
    for (const state of this.states.all()) state.isElsewhere = false;
  }

  #writeDelete(now: number, handle: string, reasonCode: number, reasonSubCode: number): void {
    writeDelete(this.output, now, handle, reasonCode, reasonSubCode);
    this.deletes.told(handle);
    if (!this.isInSync) this.deletes.untold(handle);
  }

  /**
   * "The Commit type report message signals when billing should effectively begin" (RFC 2749 3.3), and a PDP that asks for
   * our state knows nothing of what we said before (RFC 2749 3.5: "as if all the state has been updated recently"). So a
   * success is reported once more for each time that the PDP decides Install again. More than one does no harm: RFC 2748
   * 3.3 limits the solicited ones, and `sendReport` counts these.
   */
  #repeatSuccess(state: PepState): void {
    if (state.success === undefined || this.output.clientType !== CLIENT_TYPE_RSVP) return;
    state.report ??= { ...state.success, isRepeated: true };
  }

  #decideLocally(state: PepState): boolean {
    const decisions = this.options.lpdp?.(state.request);
    if (decisions === undefined) return false;
    state.decisions = decisions;
    state.source = 'lpdp';
    state.unasked = true;
    this.decided(state, decisions, 'lpdp', true);
    return true;
  }

  #known(handle: string): PepState {
    const state = this.states.get(handle.toLowerCase());
    if (state === undefined) throw new TypeError(`handle \`${handle}\`: no such request`);
    return state;
  }

  /** The PDP was away for too long (RFC 2749 3.5): what it decided no longer holds. */
  #purge(): void {
    this.#cachedUntil = this.lastPdp = undefined;
    this.deletes.clear();
    for (const state of Array.from(this.states.all())) {
      if (state.source !== 'pdp' || this.#decideLocally(state)) continue;
      this.states.remove(state);
      this.fail(state, { kind: 'purged' });
    }
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
