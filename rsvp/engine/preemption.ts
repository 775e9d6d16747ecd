import { PolicyData, PreemptionPri } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import type { Core } from './core.js';
import { compareFlows, rateOf } from './flow.js';
import { thaw } from './frozen.js';
import type { Frozen } from './frozen.js';
import { refuseAll } from './resv-error.js';
import { removeReservation } from './resv-change.js';
import type { Priority, Reservation, Traffic } from './state.js';
import { refreshUpstreams } from './upstream.js';

/** Signaled preemption priority (RFC 3181): the most important flows are in, not the first. */

const HIGHEST_QOS = 1;
const HIGHEST = 2;
/** Error code of a PREEMPTION_PRI that is sent back. */
const PREEMPTION = 1;

/** Of the first PREEMPTION_PRI in these POLICY_DATA objects. */
export function priorityOf(policy: readonly Frozen[]): Priority | undefined {
  for (const frozen of policy) {
    const object = thaw(frozen);
    if (!PolicyData.is(object)) continue;
    for (const element of object.elements)
      if (PreemptionPri.is(element)) {
        const { preemptionPriority: preemption, defendingPriority, mergeStrategy: strategy } = element;
        // RFC 3181 4: the preemption priority is never above the defending one.
        return { preemption, defending: Math.max(preemption, defendingPriority), strategy };
      }
  }
  return undefined;
}

/** RFC 3181 5.1: each of the two is the highest of those that take part; 0 where none does. */
export function mergePriorities(merged: readonly Reservation[]): { preemption: number; defending: number } {
  let preemption = 0;
  let defending = 0;
  for (const reservation of merged) {
    const own = effective(reservation);
    if (own === undefined || !takesPart(reservation, own, merged)) continue;
    preemption = Math.max(preemption, own.preemption);
    defending = Math.max(defending, own.defending);
  }
  return { preemption, defending: Math.max(preemption, defending) };
}

/** What policy says goes before what the request says. */
function effective({ policy, contents }: Reservation): Priority | undefined {
  const signalled = contents?.priority;
  if (policy?.preemptionPriority === undefined && policy?.defendingPriority === undefined) return signalled;
  const preemption = policy.preemptionPriority ?? signalled?.preemption ?? 0;
  const defending = policy.defendingPriority ?? signalled?.defending ?? preemption;
  return { preemption, defending, strategy: signalled?.strategy ?? HIGHEST_QOS };
}

function takesPart(
  reservation: Reservation,
  { strategy }: Priority,
  merged: readonly Reservation[],
): boolean {
  if (strategy === HIGHEST) return true;
  const own = reservation.contents?.flow;
  return merged.every(({ contents }) => {
    if (own === undefined || contents === undefined) return true;
    if (strategy === HIGHEST_QOS) return compareFlows(contents.flow, own) !== 'greater';
    return contents.flow === own;
  });
}

interface Claim {
  readonly interface: number;
  readonly traffic: Traffic | undefined;
  readonly preemptionPriority: number;
  readonly defendingPriority: number;
}

/** Reservations on the interface that yield to the claim: as few as free so much; undefined where all would not do. */
export function victims(core: Core, claim: Claim, needed: number): readonly Traffic[] | undefined {
  const { preemptionPriority, interface: index, traffic } = claim;
  if (!core.options.isPreempting || preemptionPriority === 0) return undefined;
  const weaker = [...core.traffics.values()].filter(
    (other) => other.interface === index && other !== traffic && other.defendingPriority < preemptionPriority,
  );
  return fewest(weaker, needed);
}

/** The least important first, of equals the latest; then those that are not needed after all are spared. */
export function fewest(candidates: readonly Traffic[], needed: number): readonly Traffic[] | undefined {
  const order = [...candidates].sort((a, b) => a.defendingPriority - b.defendingPriority || b.id - a.id);
  const chosen: Traffic[] = [];
  let freed = 0;
  for (const traffic of order) {
    if (freed >= needed) break;
    chosen.push(traffic);
    freed += rateOf(traffic.inForce);
  }
  if (freed < needed) return undefined;
  for (const traffic of [...chosen].reverse()) {
    const rate = rateOf(traffic.inForce);
    if (freed - rate < needed) continue;
    freed -= rate;
    chosen.splice(chosen.indexOf(traffic), 1);
  }
  return chosen;
}

/** Ends a reservation for the sake of another one, and tells those who had it (RFC 2205 2.5, RFC 3181 6). */
export function preempt(
  core: Core,
  now: number,
  traffic: Traffic,
  by: string,
  claim: { readonly preemptionPriority: number; readonly defendingPriority: number },
): void {
  const { id, session, interface: index, inForce } = traffic;
  const { preemptionPriority } = claim;
  const { defendingPriority } = traffic;
  core.counters.preempted++;
  const whom = by === '' ? 'the interface has lost capacity' : `${by} has priority ${preemptionPriority}`;
  const text = `${session.text}: ${rateOf(inForce)} octets/s on ${core.nameOf(index)} pre-empted (priority ${defendingPriority}): ${whom}`;
  core.event({
    kind: 'preempted',
    session: session.text,
    reservation: id,
    interface: index,
    rate: rateOf(inForce),
    by,
    preemptionPriority,
    defendingPriority,
    text,
  });
  const merged = session.reservations.filter(
    (other) => other.contents !== undefined && other.interface === index && other.sender === traffic.sender,
  );
  const objects = by === '' ? [] : [errorElement(claim)];
  refuseAll(core, now, merged, { code: 12, value: 0, flags: 0, objects, text });
  for (const reservation of merged) removeReservation(core, now, reservation, 'preempted');
  refreshUpstreams(core, now, session, 'normal');
  core.tidy(session);
}

/** RFC 3181 6: the preempting flow's PREEMPTION_PRI goes back to where the preempted one came from. */
function errorElement({
  preemptionPriority,
  defendingPriority,
}: {
  readonly preemptionPriority: number;
  readonly defendingPriority: number;
}): WireObject {
  const element = PreemptionPri.make({
    flags: 0,
    mergeStrategy: HIGHEST_QOS,
    errorCode: PREEMPTION,
    preemptionPriority,
    defendingPriority,
  });
  return PolicyData.make({ elements: [element] });
}
