import { toHex } from '../../rsvp/wire/octets.js';
import { CLIENT_TYPE_RSVP, C_NUM, ERROR, REASON, SOLICITED } from '../wire/codes.js';
import { mergeDecisions, readDecisions } from '../wire/decision.js';
import type { DecisionError } from '../wire/decision.js';
import type { Fault } from '../wire/fault.js';
import type { MessageView } from '../wire/view.js';
import { writeDelete, writeSynchronized } from './messages.js';
import type { PepRequests } from './requests.js';
import type { PepState } from './states.js';

/*
 * What the PEP does with what the PDP says about requests: decisions, errors in their place, and the wish to be told
 * everything again.
 */

/** A checked DEC (RFC 2748 3.2). */
export function takeDecision(requests: PepRequests, now: number, view: MessageView): void {
  const state = requests.states.get(toHex(view.body(0)));
  // It was deleted while the decision was under way.
  if (state === undefined) return;
  // Before a request is decided for the first time there is no decision to change: whatever comes is the answer, also from
  // PDPs that leave the flag out (the University of Murcia's does).
  const isFirst = state.decisions === undefined && state.dueAt !== undefined;
  const solicited = isFirst || (view.flags & SOLICITED) !== 0;
  if (solicited) requests.deletes.confirm(state.askedAt);
  const error = view.find(C_NUM.ERROR);
  if (error !== -1) {
    const errors = { errorCode: view.high(error), errorSubCode: view.low(error) };
    takeError(requests, now, state, solicited, errors);
    return;
  }
  const decisions = readDecisions(view);
  if (
    requests.output.clientType === CLIENT_TYPE_RSVP &&
    decisions.some(({ command }) => command === 'null')
  ) {
    // "Only two commands apply to RSVP": Install and Remove (RFC 2749 2.4).
    requests.fail(state, { kind: 'unsupported' });
    requests.remove(now, state, REASON.unsupportedDecision, 0);
    return;
  }
  if (solicited) requests.states.answered(state);
  const all = solicited ? decisions : mergeDecisions(state.decisions, decisions, state.request);
  state.decisions = all;
  state.source = 'pdp';
  state.isCurrent ||= solicited;
  state.isElsewhere ||= !requests.isInSync;
  state.unreported++;
  if (all.some(({ command }) => command !== 'install')) requests.forgetSuccess(state);
  requests.decided(state, decisions, 'pdp', solicited);
  if (solicited && state.report !== undefined) requests.sendReport(now, state);
}

function takeError(
  requests: PepRequests,
  now: number,
  state: PepState,
  solicited: boolean,
  error: Required<DecisionError>,
): void {
  if (!solicited && error.errorCode === ERROR.invalidHandleReference && state.dueAt === undefined) {
    // The PDP does not know a request that it should: it is asked again.
    requests.ask(now, state, true);
    return;
  }
  requests.fail(state, { kind: 'error', ...error });
  if (!solicited) return;
  state.isCurrent = false;
  // A request that was never decided is no state worth keeping; one that was, is still as it was decided.
  if (state.decisions === undefined) requests.remove(now, state, REASON.unspecified, 0);
}

/**
 * "Malformed Decision messages MUST trigger a DRQ specifying the appropriate erroneous reason code" (RFC 2748 3.4).
 * False where no handle can be read.
 */
export function refuseDecision(
  requests: PepRequests,
  now: number,
  view: MessageView,
  problem: Fault,
): boolean {
  const index = view.keys.indexOf((C_NUM.HANDLE << 8) | 1);
  if (index === -1 || index >= view.count) return false;
  const state = requests.states.get(toHex(view.body(index)));
  if (state === undefined) return true;
  requests.fail(state, { kind: 'malformed', problem: problem.problem });
  if (problem.errorCode === ERROR.unknownObject) {
    requests.remove(now, state, REASON.unknownCopsObject, problem.errorSubCode);
  } else requests.remove(now, state, REASON.malformedDecision, 0);
  return true;
}

/** A checked SSQ (RFC 2748 3.5). */
export function synchronize(requests: PepRequests, now: number, view: MessageView): void {
  const { output, states } = requests;
  if (view.find(C_NUM.HANDLE) !== 0) {
    for (const state of states.all()) if (state.dueAt === undefined) requests.ask(now, state, true);
    writeSynchronized(output, now, undefined);
    requests.synchronized();
    output.effect({ kind: 'synchronized', handle: undefined });
    return;
  }
  const handle = toHex(view.body(0));
  const state = states.get(handle);
  if (state === undefined) writeDelete(output, now, handle, REASON.synchronizeHandleUnknown, 0);
  else if (state.dueAt === undefined) requests.ask(now, state, true);
  writeSynchronized(output, now, handle);
  output.effect({ kind: 'synchronized', handle });
}
