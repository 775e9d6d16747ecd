import { COMMAND, C_NUM } from './codes.js';
import type { MessageView } from './view.js';
import type { MessageWriter } from './writer.js';

/** A Context: which steps of processing (R-Type flags), of which message of the client's protocol (M-Type). */
export interface RequestContext {
  readonly rType: number;
  readonly mType: number;
}

export type Command = keyof typeof COMMAND;

/**
 * What a PDP decides about one context of a request (RFC 2748 3.2), or an LPDP (RFC 2748 2.2.7). One with a context that
 * covers fewer R-Type flags than the request applies to these steps alone (RFC 2749 3.6, rule c).
 */
export interface ContextDecision {
  readonly command: Command;
  /** Left out: the context of the request. */
  readonly context?: RequestContext;
  /** Decision flags, as `TRIGGER_ERROR`. */
  readonly flags?: number;
  /** RFC 2749 2.4: policy elements, as if they had been received in a POLICY_DATA object. */
  readonly stateless?: Uint8Array;
  /** RFC 2749 2.4: RSVP objects that replace those of the same class. */
  readonly replacement?: Uint8Array;
  readonly clientSpecific?: Uint8Array;
  /** Named configuration. */
  readonly named?: Uint8Array;
}

/** A request that could not be decided: `errorCode` of RFC 2748 2.2.8. */
export interface DecisionError {
  readonly errorCode: number;
  readonly errorSubCode?: number;
}

export type Decision = ContextDecision | readonly ContextDecision[] | DecisionError;

export function isDecisionError(decision: Decision): decision is DecisionError {
  return 'errorCode' in decision;
}

/** The decisions, one a context; throws `TypeError` where there is none. */
export function contextDecisions(decision: Exclude<Decision, DecisionError>): readonly ContextDecision[] {
  if (!Array.isArray(decision)) return [decision as ContextDecision];
  if (decision.length === 0) throw new TypeError('decision: expected at least one context');
  return decision as readonly ContextDecision[];
}

/**
 * Writes the objects of decisions in the order of the grammar, as class Decision or LPDPDecision. `context` stands in
 * where a decision has none of its own; an LPDP decision needs none at all then.
 */
export function writeDecisions(
  writer: MessageWriter,
  decisions: readonly ContextDecision[],
  context: RequestContext | undefined,
  cNum: typeof C_NUM.DECISION | typeof C_NUM.LPDP_DECISION = C_NUM.DECISION,
): void {
  for (const decision of decisions) {
    const { rType, mType } = decision.context ?? context ?? NO_CONTEXT;
    if (rType !== 0) writer.pair(C_NUM.CONTEXT, 1, rType, mType);
    const command = COMMAND[decision.command] as number | undefined;
    if (command === undefined) throw new TypeError(`decision: \`${decision.command}\` is not a command`);
    writer.pair(cNum, 1, command, decision.flags ?? 0);
    if (decision.stateless !== undefined) writer.object(cNum, 2, decision.stateless);
    if (decision.replacement !== undefined) writer.object(cNum, 3, decision.replacement);
    if (decision.clientSpecific !== undefined) writer.object(cNum, 4, decision.clientSpecific);
    if (decision.named !== undefined) writer.object(cNum, 5, decision.named);
  }
}

const NO_CONTEXT: RequestContext = { rType: 0, mType: 0 };

/** The decisions of a checked DEC, or the LPDP decisions of a checked REQ. The octets are copied. */
export function readDecisions(
  view: MessageView,
  cNum: typeof C_NUM.DECISION | typeof C_NUM.LPDP_DECISION = C_NUM.DECISION,
): ContextDecision[] {
  const decisions: ContextDecision[] = [];
  let context: RequestContext | undefined;
  let current: { -readonly [K in keyof ContextDecision]: ContextDecision[K] } | undefined;
  for (let i = 0; i < view.count; i++) {
    const key = view.keys[i] as number;
    if (key >> 8 === C_NUM.CONTEXT) context = { rType: view.high(i), mType: view.low(i) };
    if (key >> 8 !== cNum) continue;
    const cType = key & 0xff;
    if (cType === 1) {
      const command = COMMANDS[view.high(i)] ?? 'null';
      current = { command, ...(context === undefined ? {} : { context }) };
      if (view.low(i) !== 0) current.flags = view.low(i);
      decisions.push(current);
    } else if (current !== undefined) {
      current[DATA_NAMES[cType] ?? 'clientSpecific'] = view.body(i).slice();
    }
  }
  return decisions;
}

const COMMANDS = Object.keys(COMMAND) as Command[];
const DATA_NAMES: Readonly<Record<number, 'stateless' | 'replacement' | 'clientSpecific' | 'named'>> = {
  2: 'stateless',
  3: 'replacement',
  4: 'clientSpecific',
  5: 'named',
};

/** A later decision for some contexts of a request leaves the others as they are. */
export function mergeDecisions(
  before: readonly ContextDecision[] | undefined,
  after: readonly ContextDecision[],
  whole: RequestContext,
): readonly ContextDecision[] {
  let covered = 0;
  for (const decision of after) covered |= (decision.context ?? whole).rType;
  const kept = (before ?? []).filter((decision) => ((decision.context ?? whole).rType & ~covered) !== 0);
  return [...kept, ...after];
}
