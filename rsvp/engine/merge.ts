import type { Core } from './core.js';
import { compareFlows, glb, lub } from './flow.js';
import type { Flow } from './flow.js';
import { NONE } from './frozen.js';
import type { Frozen } from './frozen.js';
import { isFor } from './match.js';
import { scopeFor } from './scope.js';
import type { Descriptor, Path, Reservation, Session, UpstreamContents } from './state.js';
import type { Group } from './upstream.js';

/** Merging for a previous hop (RFC 2205 2.2, 3.5; RFC 2209 2, RESV REFRESH). */

export interface Merge {
  /** Undefined: nothing is reserved for its senders. */
  readonly contents: UpstreamContents | undefined;
  /** Every request is blockaded: the least of them is tried (RFC 2205 3.5). */
  readonly isAllBlockaded: boolean;
}

const NOTHING: Merge = { contents: undefined, isAllBlockaded: false };

export function mergeFor(core: Core, session: Session, group: Group, hops: number): Merge {
  const used = session.reservations.filter((reservation) =>
    group.paths.some((path) => isFor(reservation, path)),
  );
  const [first] = used;
  if (first === undefined) return NOTHING;
  const { style } = first;
  const merged =
    style === 'WF' ? mergeWildcard(session, group, used) : mergeExplicit(session, group, used, style);
  if (merged.descriptors.length === 0) return NOTHING;
  const scope = scopeFor(core, group, used, hops);
  // RFC 2205 3.4: without a sender to go to, it does not go.
  if (scope?.length === 0) return NOTHING;
  return {
    contents: {
      style,
      descriptors: merged.descriptors,
      scope,
      policy: policyFor(used),
      extra: unique(used.map(({ contents }) => contents?.extra ?? NONE)),
    },
    isAllBlockaded: merged.isAllBlockaded,
  };
}

interface Merged {
  readonly descriptors: readonly Descriptor[];
  readonly isAllBlockaded: boolean;
}

/** RFC 2750 4.2: the POLICY_DATA of all that is merged, one after the other, as it is. */
function policyFor(used: readonly Reservation[]): readonly Frozen[] {
  return unique(used.map(({ policy, contents }) => policy?.replacement ?? contents?.policy ?? NONE));
}

/** RFC 2205 3.10: one copy of each. */
function unique(lists: readonly (readonly Frozen[])[]): readonly Frozen[] {
  const [only, ...more] = lists.filter((list) => list.length > 0);
  if (only === undefined) return NONE;
  return more.length === 0 ? only : [...new Set(lists.flat())];
}

function mergeExplicit(
  session: Session,
  group: Group,
  used: readonly Reservation[],
  style: 'FF' | 'SE',
): Merged {
  const flows: { path: Path; flow: Flow }[] = [];
  let isAllBlockaded = true;
  for (const path of group.paths) {
    if (flows.some((known) => known.path.sender === path.sender)) continue;
    const sum = sumOf(
      session,
      group,
      path,
      used.filter((reservation) => isFor(reservation, path)),
    );
    if (sum === undefined) continue;
    isAllBlockaded &&= sum.isBlockaded;
    flows.push({ path, flow: sum.flow });
  }
  if (style === 'FF') {
    const descriptors = flows.map(({ path, flow }) => {
      const own = used.find((reservation) => reservation.sender === path.sender);
      return { flow, senders: own?.contents?.senders ?? [path.sender] };
    });
    return { descriptors, isAllBlockaded };
  }
  const [first, ...rest] = flows;
  if (first === undefined) return { descriptors: NONE, isAllBlockaded: false };
  const flow = rest.reduce((sum, other) => lub(sum, other.flow) ?? sum, first.flow);
  return { descriptors: [{ flow, senders: flows.map(({ path }) => path.sender) }], isAllBlockaded };
}

function mergeWildcard(session: Session, group: Group, used: readonly Reservation[]): Merged {
  const sum = sumOf(session, group, undefined, used);
  if (sum === undefined) return { descriptors: NONE, isAllBlockaded: false };
  return { descriptors: [{ flow: sum.flow, senders: NONE }], isAllBlockaded: sum.isBlockaded };
}

/** The LUB of those that are not blockaded; where all are, the GLB of all (RFC 2205 3.5). */
function sumOf(
  session: Session,
  group: Group,
  path: Path | undefined,
  used: readonly Reservation[],
): { flow: Flow; isBlockaded: boolean } | undefined {
  const flows = used.map(({ contents }) => contents?.flow).filter((flow) => flow !== undefined);
  const open = flows.filter((flow) => !isBlockaded(session, group.hop, path, flow));
  const [first, ...rest] = open;
  if (first !== undefined)
    return { flow: rest.reduce((sum, flow) => lub(sum, flow) ?? sum, first), isBlockaded: false };
  const [least, ...others] = flows;
  if (least === undefined) return undefined;
  return { flow: others.reduce((sum, flow) => glb(sum, flow) ?? sum, least), isBlockaded: true };
}

/** RFC 2205 3.5: "Qb blockades Qi if Qb is not (strictly) greater than Qi". */
export function isBlockaded(session: Session, hop: string, path: Path | undefined, flow: Flow): boolean {
  return session.blockades.some(
    (blockade) =>
      (path === undefined
        ? blockade.sender === undefined && blockade.hop === hop
        : blockade.sender === path.sender) && compareFlows(blockade.flow, flow) !== 'greater',
  );
}
