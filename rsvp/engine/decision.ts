import type { Core } from './core.js';
import { applyPath } from './path.js';
import { sendPathError } from './path-error.js';
import { removePath } from './path-tear.js';
import { ErrorQuestion, forgetQuestion, grant, takePending, withPolicyData } from './policy-control.js';
import type { PolicyAnswer } from './policy.js';
import { applyResv, removeReservation, unnumber } from './resv-change.js';
import { tellHolder } from './resv-error.js';
import type { PendingResv } from './resv.js';
import { thaw, thawAll } from './frozen.js';
import { isFor } from './match.js';
import { Path, PathAdvert, Reservation } from './state.js';
import type { PathContents, Upstream } from './state.js';
import { syncAdverts } from './route.js';
import { updateTraffic } from './traffic-control.js';
import { isFrom, putUpstream, refreshUpstreams, withdrawUpstream } from './upstream.js';
import type { PendingUpstream } from './upstream.js';

/** What policy has decided, in answer to a question or of its own accord (RFC 2749 2.4, RFC 2748 2.4). */

type Refusal = Extract<PolicyAnswer, { readonly granted: false }>;
type Grant = Extract<PolicyAnswer, { readonly granted: true }>;

/** False where nothing has that number any more: the answer came too late. */
export function decided(core: Core, now: number, id: number, answer: PolicyAnswer): boolean {
  const state = core.asked.get(id);
  if (state === undefined) return false;
  if (state instanceof ErrorQuestion) errorDecided(core, now, state, answer);
  else if (answer.granted) granted(core, now, state, answer);
  else refused(core, now, state, answer);
  return true;
}

function granted(
  core: Core,
  now: number,
  state: Path | PathAdvert | Reservation | Upstream,
  answer: Grant,
): void {
  const { policy } = state;
  if (policy === undefined) return;
  const pending = takePending(core, policy);
  grant(policy, answer);
  if (state instanceof Path) {
    if (pending !== undefined) applyPath(core, now, state, pending as PathContents);
    else syncAdverts(core, now, state, true);
  } else if (state instanceof PathAdvert) core.exchange.tell(now, state);
  else if (state instanceof Reservation) resvGranted(core, now, state, pending as PendingResv | undefined);
  else if (pending !== undefined) putUpstream(core, now, state, pending as PendingUpstream);
  else core.exchange.tell(now, state);
}

function resvGranted(
  core: Core,
  now: number,
  reservation: Reservation,
  pending: PendingResv | undefined,
): void {
  const { session, contents } = reservation;
  if (pending === undefined || (contents !== undefined && contents === pending.contents)) {
    // New priorities, new POLICY_DATA: for what is in force already.
    updateTraffic(core, now, reservation);
    refreshUpstreams(core, now, session, 'normal');
    return;
  }
  if (!applyResv(core, now, reservation, pending.contents)) return;
  const confirms = pending.confirm === '' ? [] : [{ reservation, receiver: pending.confirm }];
  refreshUpstreams(core, now, session, 'normal', confirms);
}

function refused(
  core: Core,
  now: number,
  state: Path | PathAdvert | Reservation | Upstream,
  answer: Refusal,
): void {
  const { errorCode: code, errorValue: value, reason } = answer;
  const session = state instanceof PathAdvert ? state.path.session : state.session;
  const policy = state.policy;
  core.counters.refused++;
  core.event({
    kind: 'policy-refused',
    session: session.text,
    message: state instanceof Path || state instanceof PathAdvert ? 'Path' : 'Resv',
    question: policy?.id ?? 0,
    hop: hopOf(state),
    code,
    value,
    reason,
    text: `${session.text}: refused to ${hopOf(state)} by policy: ${reason}`,
  });
  if (state instanceof Path) refusePath(core, now, state, answer);
  else if (state instanceof PathAdvert) {
    core.exchange.forget(state);
    if (policy !== undefined) forgetQuestion(core, policy, 'policy');
  } else if (state instanceof Reservation) {
    const pending = policy?.pending as PendingResv | undefined;
    const contents = pending?.contents ?? state.contents;
    if (contents !== undefined)
      tellHolder(core, now, state, contents, {
        code,
        value,
        flags: 0,
        objects: withPolicyData(answer.objects),
        text: reason,
      });
    unnumber(core, state);
    removeReservation(core, now, state, 'policy');
    refreshUpstreams(core, now, session, 'normal');
    core.tidy(session);
  } else refuseUpstream(core, now, state, answer);
}

function hopOf(state: Path | PathAdvert | Reservation | Upstream): string {
  if (state instanceof PathAdvert) return state.path.contents?.hop ?? '';
  if (!(state instanceof Path)) return state.hop;
  return ((state.policy?.pending as PathContents | undefined) ?? state.contents)?.hop ?? '';
}

function refusePath(core: Core, now: number, path: Path, answer: Refusal): void {
  const contents = (path.policy?.pending as PathContents | undefined) ?? path.contents;
  if (contents !== undefined)
    sendPathError(core, now, {
      session: path.session,
      sender: path.sender,
      tspec: thaw(contents.tspec),
      adspec: undefined,
      to: { hop: contents.hop, interface: contents.incoming },
      code: answer.errorCode,
      value: answer.errorValue,
      objects: withPolicyData(answer.objects),
      text: answer.reason,
    });
  removePath(core, now, path, 'policy');
}

/** RFC 2750 4.3: all next hops are told, for nobody knows whose fault it is. */
function refuseUpstream(core: Core, now: number, upstream: Upstream, answer: Refusal): void {
  const { session } = upstream;
  const paths = session.paths.filter((path) => isFrom(path, upstream));
  for (const reservation of session.reservations) {
    const { contents } = reservation;
    if (contents === undefined || !paths.some((path) => isFor(reservation, path))) continue;
    tellHolder(core, now, reservation, contents, {
      code: answer.errorCode,
      value: answer.errorValue,
      flags: 0,
      objects: withPolicyData(answer.objects),
      text: answer.reason,
    });
  }
  withdrawUpstream(core, now, upstream);
}

function errorDecided(core: Core, now: number, question: ErrorQuestion, answer: PolicyAnswer): void {
  const { policy, outgoing } = question;
  takePending(core, policy);
  core.asked.delete(policy.id);
  core.effect({ kind: 'forget', question: policy.id, reason: 'tear' });
  if (!answer.granted) return;
  grant(policy, answer);
  if (policy.replacement === undefined) {
    core.send(now, outgoing);
    return;
  }
  const { objects } = outgoing.message;
  const kept = objects.filter(({ classNum }) => classNum !== 14);
  const at = kept.findIndex(({ classNum }) => classNum === 8 || classNum === 11);
  const place = at < 0 ? kept.length : at;
  const replaced = [...kept.slice(0, place), ...thawAll(policy.replacement), ...kept.slice(place)];
  core.send(now, { ...outgoing, message: { ...outgoing.message, objects: replaced } });
}
