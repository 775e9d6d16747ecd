import type { Outgoing } from '../exchange/outgoing.js';
import { PolicyData } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import type { Core } from './core.js';
import type { EngineEffect } from './effect.js';
import type { EndCause } from './event.js';
import { freezeAll } from './frozen.js';
import { LOCAL } from './identity.js';
import { isFor, pathsOf } from './match.js';
import { pathMessage, pathObjects } from './path-message.js';
import type { PolicyAnswer, PolicyQuestion } from './policy.js';
import { receivedResvObjects, resvObjects } from './resv-message.js';
import type { PendingResv } from './resv.js';
import { PolicyState } from './state.js';
import type {
  PathContents,
  ResvContents,
  UpstreamContents,
  Path,
  PathAdvert,
  Reservation,
  Upstream,
} from './state.js';
import { groupsOf, isFrom } from './upstream.js';
import type { PendingUpstream } from './upstream.js';

/**
 * What policy is asked, and when (RFC 2750, RFC 2749 3): a question a state; a refresh that changes nothing asks nothing. A
 * unicast reservation is one question for its way in, the allocation and its way out; where what goes out is a merge, or goes to
 * several previous hops, each of those is a question of its own.
 */
export type Asked = Path | PathAdvert | Reservation | Upstream | ErrorQuestion;

/** A PathErr or ResvErr that waits for policy (RFC 2749 3.7). */
export class ErrorQuestion {
  readonly policy: PolicyState;

  constructor(
    id: number,
    readonly message: 'PathErr' | 'ResvErr',
    readonly outgoing: Outgoing,
  ) {
    this.policy = new PolicyState(id);
  }
}

export function askPath(core: Core, path: Path, contents: PathContents): void {
  const { session, sender } = path;
  const policy = (path.policy ??= newPolicy(core, path));
  setPending(core, policy, contents);
  const route = core.options.routing.route(session.destination, sender.address);
  const onward = (route?.outgoing ?? []).filter((index) => index !== contents.incoming);
  policy.isOutgoing = onward.length === 1 && !core.options.isHost;
  ask(core, {
    id: policy.id,
    message: 'Path',
    context: { incoming: true, allocation: false, outgoing: policy.isOutgoing },
    incoming: contents.incoming,
    ...(policy.isOutgoing ? { outgoing: onward[0] as number } : {}),
    neighbour: contents.hop,
    objects: pathObjects(path, contents),
  });
}

/** A Path that leaves by several interfaces: each way out is a question (RFC 2749 5.2). */
export function askPathAdvert(core: Core, advert: PathAdvert): void {
  const policy = (advert.policy ??= newPolicy(core, advert));
  setPending(core, policy, true);
  const { path, interface: index } = advert;
  ask(core, {
    id: policy.id,
    message: 'Path',
    context: { incoming: false, allocation: false, outgoing: true },
    outgoing: index,
    neighbour: path.contents?.hop ?? '',
    objects: pathMessage(advert).objects,
  });
}

export function askResv(core: Core, reservation: Reservation, pending: PendingResv): void {
  const policy = (reservation.policy ??= newPolicy(core, reservation));
  setPending(core, policy, pending);
  const { hop, interface: index } = reservation;
  const before = reservation.contents;
  // The state as it will be tells where it goes.
  reservation.contents = pending.contents;
  const onward = soleWayOut(reservation);
  reservation.contents = before;
  policy.isOutgoing = onward !== undefined;
  ask(core, {
    id: policy.id,
    message: 'Resv',
    context: { incoming: true, allocation: index !== LOCAL, outgoing: policy.isOutgoing },
    incoming: index,
    ...(onward === undefined ? {} : { outgoing: onward }),
    neighbour: hop,
    objects: receivedResvObjects(reservation, pending.contents),
  });
}

/** The interface of the one previous hop that it goes to, unmerged; undefined where there is none or more. */
function soleWayOut(reservation: Reservation): number | undefined {
  const { session } = reservation;
  const paths = pathsOf(session, reservation);
  const isMerged = session.reservations.some(
    (other) => other !== reservation && paths.some((path) => isFor(other, path)),
  );
  if (isMerged || paths.some(({ incoming }) => incoming === LOCAL)) return undefined;
  const groups = groupsOf(session).filter((group) => group.paths.some((path) => paths.includes(path)));
  return groups.length === 1 ? groups[0]?.interface : undefined;
}

/** The state is again what it was before a change that failed (RFC 2749 3.3). */
export function askAgain(core: Core, reservation: Reservation, contents: ResvContents): void {
  askResv(core, reservation, { contents, confirm: '' });
}

/** Does no question about a reservation stand for what goes upstream? */
export function needsOwnQuestion(core: Core, upstream: Upstream, contents: UpstreamContents): boolean {
  if (!core.options.policy.has('Resv') || contents.descriptors.length === 0) return false;
  const { session } = upstream;
  const paths = session.paths.filter((path) => isFrom(path, upstream));
  return session.reservations.some(
    (reservation) =>
      paths.some((path) => isFor(reservation, path)) &&
      !(reservation.policy?.isOutgoing === true && soleWayOut(reservation) === upstream.interface),
  );
}

export function askUpstream(core: Core, upstream: Upstream, pending: PendingUpstream): void {
  const policy = (upstream.policy ??= newPolicy(core, upstream));
  setPending(core, policy, pending);
  policy.replacement = undefined;
  ask(core, {
    id: policy.id,
    message: 'Resv',
    context: { incoming: false, allocation: false, outgoing: true },
    outgoing: upstream.interface,
    neighbour: upstream.hop,
    objects: resvObjects(upstream, pending.contents, pending.confirm),
  });
}

/** Sends a PathErr or ResvErr, once policy agrees where it wants to be asked. */
export function sendError(core: Core, now: number, message: 'PathErr' | 'ResvErr', outgoing: Outgoing): void {
  if (!core.options.policy.has(message) || core.pending >= core.options.limits.questions) {
    core.send(now, outgoing);
    return;
  }
  const question = new ErrorQuestion(core.newId(), message, outgoing);
  core.asked.set(question.policy.id, question);
  setPending(core, question.policy, true);
  ask(core, {
    id: question.policy.id,
    message,
    context: { incoming: false, allocation: false, outgoing: true },
    outgoing: outgoing.interface,
    neighbour: outgoing.destination,
    objects: outgoing.message.objects,
  });
}

export function report(core: Core, policy: PolicyState, success: boolean): void {
  core.effect({ kind: 'report', question: policy.id, success });
}

/** The state is no more. */
export function forgetQuestion(core: Core, policy: PolicyState, cause: EndCause): void {
  if (!core.asked.delete(policy.id)) return;
  takePending(core, policy);
  core.effect({ kind: 'forget', question: policy.id, reason: REASONS[cause] });
}

type Reason = Extract<EngineEffect, { readonly kind: 'forget' }>['reason'];

const REASONS: Readonly<Record<EndCause, Reason>> = {
  tear: 'tear',
  timeout: 'timeout',
  preempted: 'preempted',
  policy: 'error',
  error: 'error',
  'route-change': 'route-change',
  'interface-down': 'error',
  'no-sender': 'tear',
  shutdown: 'shutdown',
};

function newPolicy(core: Core, state: Asked): PolicyState {
  const policy = new PolicyState(core.newId());
  core.asked.set(policy.id, state);
  return policy;
}

function ask(core: Core, question: PolicyQuestion): void {
  core.counters.questions++;
  core.effect({ kind: 'ask', question });
}

function setPending(core: Core, policy: PolicyState, pending: unknown): void {
  if (policy.pending === undefined) core.pending++;
  policy.pending = pending;
}

/** What the question was about, if it is open. */
export function takePending(core: Core, policy: PolicyState): unknown {
  const { pending } = policy;
  if (pending !== undefined) core.pending--;
  policy.pending = undefined;
  return pending;
}

export function grant(policy: PolicyState, answer: Extract<PolicyAnswer, { readonly granted: true }>): void {
  policy.isGranted = true;
  policy.replacement =
    answer.replacement === undefined
      ? undefined
      : freezeAll(answer.replacement.filter(({ classNum }) => classNum === PolicyData.classNum));
  policy.preemptionPriority = answer.preemptionPriority;
  policy.defendingPriority = answer.defendingPriority;
}

/** RFC 2750 4.3: a policy error message must include a POLICY_DATA object. */
export function withPolicyData(objects: readonly WireObject[]): readonly WireObject[] {
  const isThere = objects.some(({ classNum }) => classNum === PolicyData.classNum);
  return isThere ? objects : [...objects, PolicyData.make({ elements: [] })];
}
