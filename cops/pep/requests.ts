import { REASON, REPORT, R_TYPE, SOLICITED } from '../wire/codes.js';
import type { ContextDecision } from '../wire/decision.js';
import type { PdpAddress } from '../wire/writer.js';
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

  /** Handles that the PDP knows and that were deleted while it was away. */
  readonly #deletedAway = new Set<string>();
  /** ACCT Timer of the PDP, seconds. */
  #accounting: number | undefined;
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
        unasked: true,
        dueAt: undefined,
        report: undefined,
        accountedAt: undefined,
      };
      this.states.add(state);
    } else {
      state.request = request;
      state.body = body;
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
    if (type === 'accounting') {
      // "Periodic accounting reports SHOULD NOT exceed the specified timer interval per client handle" (3.7).
      const least = this.#accounting === 0 ? Infinity : (this.#accounting ?? 0) * 1000;
      if (this.pdp === undefined || now - (state.accountedAt ?? -Infinity) < least) return;
      state.accountedAt = now;
    }
    state.report = {
      type: REPORT[type],
      flags: details.solicited === false ? 0 : SOLICITED,
      clientSi: details.clientSi,
    };
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
    return this.#deletedAway.size > 0;
  }

  /** A PDP has accepted the client-type: it is told what has changed since the last one was there. */
  opened(now: number, pdp: PdpAddress, accounting: number | undefined): void {
    this.pdp = pdp;
    this.#accounting = accounting;
    this.#cachedUntil = undefined;
    const isSame = this.lastPdp?.address === pdp.address && this.lastPdp.port === pdp.port;
    // "These MUST be explicitly deleted after a connection is reestablished" (RFC 2748 2.5).
    for (const handle of this.#deletedAway) writeDelete(this.output, now, handle, REASON.tear, 0);
    this.#deletedAway.clear();
    if (isSame || !this.isCaching) this.lastPdp = pdp;
    for (const state of this.states.all()) {
      if (state.unasked) this.ask(now, state, state.dueAt === undefined);
      else if (isSame && state.report !== undefined) this.sendReport(now, state);
    }
  }

  /** The PDP is gone. With `next` at hand what was asked waits for that; otherwise the LPDP decides it, if there is one. */
  lost(now: number, next: boolean): void {
    this.pdp = this.#accounting = undefined;
    this.#cachedUntil = now + this.limits.cacheTime;
    for (const state of this.states.all()) {
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
    this.pdp = this.lastPdp = this.#accounting = this.#cachedUntil = undefined;
  }

  nextTimeout(): number | undefined {
    const due = this.states.nextDue()?.dueAt;
    const until = this.#cachedUntil;
    return due === undefined || (until !== undefined && until < due) ? until : due;
  }

  handleTimeout(now: number): void {
    if (this.#cachedUntil !== undefined && this.#cachedUntil <= now) this.#purge();
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
    state.unasked = false;
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
    if (this.pdp !== undefined) writeDelete(this.output, now, state.handle, reasonCode, reasonSubCode);
    else if (state.source === 'pdp') this.#deletedAway.add(state.handle);
  }

  sendReport(now: number, state: PepState): void {
    const { report } = state;
    if (report === undefined) return;
    state.report = undefined;
    writeReport(this.output, now, state.handle, report);
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
    this.#deletedAway.clear();
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
