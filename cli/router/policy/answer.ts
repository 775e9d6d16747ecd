import { TRIGGER_ERROR } from '../../../cops/index.js';
import type { ContextDecision } from '../../../cops/index.js';
import type { PolicyAnswer } from '../../../rsvp/engine/policy.js';
import {
  ErrorSpecIpv4,
  ErrorSpecIpv6,
  firstOf,
  POLICY_ELEMENTS,
  policyElements,
  PreemptionPri,
  POLICY_ERROR,
  Reader,
  WireError,
} from '../../../rsvp/wire/index.js';
import type { WireObject } from '../../../rsvp/wire/index.js';
import { plainObjects, reasonIn } from './objects.js';

export const POLICY_CONTROL_FAILURE = 2;

/** Decisions of COPS for RSVP as the engine's answer (RFC 2749 2.4): one Remove among several contexts is a refusal. */
export function answerOf(decisions: readonly ContextDecision[]): PolicyAnswer {
  const refused = decisions.find(({ command }) => command !== 'install');
  if (refused !== undefined || decisions.length === 0) return refusalOf(refused);
  const replaced = decisions.flatMap(({ replacement }) =>
    replacement === undefined ? [] : plainObjects(replacement),
  );
  const replacement = replacementIn(replaced);
  const priority = decisions.map(({ stateless }) => priorityIn(stateless)).find((one) => one !== undefined);
  return {
    granted: true,
    ...(replacement === undefined ? {} : { replacement }),
    ...(priority === undefined
      ? {}
      : {
          preemptionPriority: priority.preemptionPriority,
          defendingPriority: priority.defendingPriority,
        }),
  };
}

/** Nobody can decide (RFC 2750 Appendix A: ERR_PDP). */
export function unanswered(reason: string): PolicyAnswer {
  return {
    granted: false,
    errorCode: POLICY_CONTROL_FAILURE,
    errorValue: POLICY_ERROR.ERR_PDP,
    objects: [],
    reason,
  };
}

function refusalOf(decision: ContextDecision | undefined): PolicyAnswer {
  const objects = decision?.replacement === undefined ? [] : plainObjects(decision.replacement);
  const spec = firstOf(objects, ErrorSpecIpv4, ErrorSpecIpv6);
  return {
    granted: false,
    errorCode: spec?.errorCode ?? POLICY_CONTROL_FAILURE,
    errorValue: spec?.errorValue ?? POLICY_ERROR.ERR_REJECT,
    objects: objects.filter((object) => object.class === 'POLICY_DATA'),
    reason: reasonIn(objects) ?? 'refused, without a reason',
    // "If this flag is set, RSVP should schedule a PathErr [...] or a ResvErr" (RFC 2749 2.4).
    ...(((decision?.flags ?? 0) & TRIGGER_ERROR) === 0 ? { isSilent: true } : {}),
  };
}

/**
 * "When an object of a certain C-Num appears, it replaces ALL the instances of C-Num objects in the RSVP message. If it
 * appears empty (with a length of 4) it simply removes all instances" (RFC 2749 2.4). ERROR_SPEC and POLICY_DATA alone: the
 * engine merges FLOWSPECs itself.
 */
function replacementIn(objects: readonly WireObject[]): readonly WireObject[] | undefined {
  const ours = objects.filter((object) => object.class === 'POLICY_DATA' || object.class === 'ERROR_SPEC');
  return ours.length === 0 ? undefined : ours.filter(({ length }) => length > HEADER);
}

const HEADER = 4;
const ELEMENTS = policyElements(POLICY_ELEMENTS);

/** Stateless data are policy elements (RFC 2749 2.4), PREEMPTION_PRI among them (RFC 3181 2). */
function priorityIn(stateless: Uint8Array | undefined) {
  if (stateless === undefined) return undefined;
  try {
    return firstOf(ELEMENTS.readAll(new Reader(stateless)), PreemptionPri);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
