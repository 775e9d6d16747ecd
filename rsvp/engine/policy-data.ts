import type { WireObject } from '../wire/index.js';
import type { Core } from './core.js';
import { freezeAll, NONE } from './frozen.js';
import type { Frozen } from './frozen.js';
import { priorityOf } from './preemption.js';
import type { Session } from './state.js';

/** POLICY_DATA, or who makes it anew each time that state is told because it is new or has changed. */
export type PolicyDataSource = readonly WireObject[] | (() => readonly WireObject[]);

export function policyOf(source: PolicyDataSource | undefined): readonly Frozen[] {
  if (source === undefined) return NONE;
  return freezeAll(typeof source === 'function' ? source() : source);
}

/** Whoever makes POLICY_DATA of a reservation of this node is asked again: it will be told to somebody new, or anew. */
export function renewPolicyData(core: Core, session: Session): void {
  const application = core.applications.get(session.application);
  if (typeof application?.reservePolicy !== 'function') return;
  const policy = policyOf(application.reservePolicy);
  for (const reservation of session.reservations) {
    const { contents, hop } = reservation;
    if (hop !== '' || contents === undefined) continue;
    reservation.contents = { ...contents, policy, priority: priorityOf(policy) };
  }
}
