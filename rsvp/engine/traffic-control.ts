import { admit, free, give } from './admission.js';
import type { Refusal } from './admission.js';
import type { Core } from './core.js';
import type { EndCause } from './event.js';
import { compareFlows, limitFlow, lub, rateOf, sumBuckets } from './flow.js';
import type { Flow } from './flow.js';
import { added, NONE, sameList, without } from './frozen.js';
import { LOCAL, sessionObject } from './identity.js';
import { isFor } from './match.js';
import { mergePriorities } from './preemption.js';
import { filterObjects } from './resv-message.js';
import { refuseReservation } from './resv-error.js';
import { Traffic } from './state.js';
import type { Path, Reservation, Sender, Session } from './state.js';
import { resvUpcall } from './upcall.js';
import { refreshUpstreams } from './upstream.js';
import type { Mode } from './upstream.js';

/** UPDATE TRAFFIC CONTROL (RFC 2209 2): what is in force on an interface follows what is reserved there. */

const ENTRY = 1;
const BRANCH = 2;
const MERGE = 4;

/**
 * Brings what is in force in line with the reservations that this one merges with. Where admission control refuses, nothing has
 * changed and the refusal is returned. `cause`: why there is less, for whoever watches.
 */
export function updateTraffic(
  core: Core,
  now: number,
  reservation: Reservation,
  cause: EndCause = 'tear',
): Refusal | undefined {
  const { session, interface: index, style, sender } = reservation;
  const merged = session.reservations.filter(
    (other) => other.contents !== undefined && other.interface === index && other.sender === sender,
  );
  const traffic = session.traffics.find((other) => other.interface === index && other.sender === sender);
  const flow = merged.reduce<Flow | undefined>(
    (sum, { contents }) =>
      sum === undefined ? contents?.flow : contents === undefined ? sum : lub(sum, contents.flow),
    undefined,
  );
  // What an application of this node receives takes no link.
  if (index === LOCAL) return undefined;
  if (flow === undefined) {
    if (traffic !== undefined) releaseTraffic(core, traffic, cause);
    updateBranchPolicing(core, session, traffic);
    return undefined;
  }
  const paths = session.paths.filter((path) => merged.some((other) => isFor(other, path)));
  const senders = style === 'WF' ? NONE : unionOf(merged);
  // RFC 2205 2.2: no more than the senders send. Where the route has just changed, what they sent last counts.
  const sum = sumBuckets(
    paths.map(({ contents }) => contents?.bucket).filter((bucket) => bucket !== undefined),
  );
  const inForce = sum === undefined ? (traffic?.inForce ?? flow) : limitFlow(flow, sum);
  const police = entryAndMerge(style, paths) | branch(session, index, flow, merged);
  const priority = mergePriorities(merged);
  if (
    traffic !== undefined &&
    traffic.flow === flow &&
    traffic.inForce === inForce &&
    traffic.police === police &&
    sameList(traffic.senders, senders)
  ) {
    traffic.preemptionPriority = priority.preemption;
    traffic.defendingPriority = priority.defending;
    return undefined;
  }
  const refusal = admit(core, now, {
    session,
    interface: index,
    flow: inForce,
    traffic,
    preemptionPriority: priority.preemption,
    defendingPriority: priority.defending,
  });
  if (refusal !== undefined) return refusal;
  const made =
    traffic ?? new Traffic(core.newId(), session, index, style, sender, flow, inForce, senders, police, 0, 0);
  if (traffic === undefined) {
    session.traffics = added(session.traffics, made);
    core.traffics.set(made.id, made);
  }
  const isTold = traffic?.flow !== flow || !sameList(made.senders, senders);
  made.flow = flow;
  made.inForce = inForce;
  made.senders = senders;
  made.police = police;
  made.preemptionPriority = priority.preemption;
  made.defendingPriority = priority.defending;
  putInForce(core, made);
  updateBranchPolicing(core, session, made);
  if (isTold) resvUpcall(core, session, style, flow, senders, merged);
  return undefined;
}

function putInForce(core: Core, traffic: Traffic): void {
  const { id, session, interface: index, style, senders, inForce, police } = traffic;
  core.effect({
    kind: 'reserve',
    reservation: {
      id,
      interface: index,
      session: sessionObject(session),
      style,
      filters: filterObjects(senders),
      service: inForce.service,
      rate: rateOf(inForce),
      bucket: inForce.bucket,
      peak: inForce.peak,
      minimumPolicedUnit: inForce.minimumPolicedUnit,
      maximumPacketSize: inForce.maximumPacketSize,
      police: {
        entry: (police & ENTRY) !== 0,
        branch: (police & BRANCH) !== 0,
        merge: (police & MERGE) !== 0,
      },
    },
  });
  const left = free(core, index);
  core.event({
    kind: 'reserved',
    session: session.text,
    reservation: id,
    interface: index,
    rate: rateOf(inForce),
    free: left,
    text: `${session.text}: ${rateOf(inForce)} octets/s reserved on ${core.nameOf(index)}, ${left} free`,
  });
}

export function releaseTraffic(core: Core, traffic: Traffic, cause: EndCause): void {
  const { id, session, interface: index, style, inForce, senders } = traffic;
  session.traffics = without(session.traffics, traffic);
  core.traffics.delete(id);
  give(core, index, rateOf(inForce));
  core.effect({ kind: 'release', reservation: id, interface: index });
  const left = free(core, index);
  core.event({
    kind: 'released',
    session: session.text,
    reservation: id,
    interface: index,
    rate: rateOf(inForce),
    free: left,
    cause,
    text: `${session.text}: ${rateOf(inForce)} octets/s released on ${core.nameOf(index)}: ${cause}, ${left} free`,
  });
  resvUpcall(core, session, style, undefined, senders, []);
}

function unionOf(merged: readonly Reservation[]): readonly Sender[] {
  const [first, ...rest] = merged;
  if (rest.length === 0) return first?.contents?.senders ?? NONE;
  return [...new Set(merged.flatMap(({ contents }) => contents?.senders ?? NONE))];
}

/** RFC 2205 3.8: policed at the entry where no node before us did, and where flows of several senders come together. */
function entryAndMerge(style: Reservation['style'], paths: readonly Path[]): number {
  const isEntry = paths.some(({ contents }) => contents?.isEntryPolice === true);
  return (isEntry ? ENTRY : 0) | (style !== 'FF' && paths.length > 1 ? MERGE : 0);
}

/** RFC 2205 3.8: there is less here than for the same senders on another interface. */
function branch(session: Session, index: number, flow: Flow, merged: readonly Reservation[]): number {
  const isShared = ({ style, contents }: Reservation): boolean =>
    style === 'WF' ||
    merged.some(
      (own) => own.contents?.senders.some((sender) => contents?.senders.includes(sender) === true) === true,
    );
  for (const other of session.reservations) {
    if (other.contents === undefined || other.interface === index || !isShared(other)) continue;
    const comparison = compareFlows(flow, other.contents.flow);
    if (comparison === 'less' || comparison === 'incomparable') return BRANCH;
  }
  return 0;
}

/** Others' branch policing hangs on what is reserved here. */
function updateBranchPolicing(core: Core, session: Session, changed: Traffic | undefined): void {
  for (const traffic of session.traffics) {
    if (traffic === changed) continue;
    const merged = session.reservations.filter(
      ({ contents, interface: index, sender }) =>
        contents !== undefined && index === traffic.interface && sender === traffic.sender,
    );
    const police = (traffic.police & ~BRANCH) | branch(session, traffic.interface, traffic.flow, merged);
    if (police === traffic.police) continue;
    traffic.police = police;
    putInForce(core, traffic);
  }
}

/** Path state of the session has changed: all that hangs on it follows. */
export function updateSession(core: Core, now: number, session: Session, mode: Mode): void {
  const seen = new Set<string>();
  for (const reservation of session.reservations) {
    const { contents, interface: index, sender } = reservation;
    const key = `${index}/${sender?.address ?? ''}/${sender?.port ?? ''}`;
    if (contents === undefined || seen.has(key)) continue;
    seen.add(key);
    const refusal = updateTraffic(core, now, reservation);
    // What was in force stays (RFC 2209: ResvErr with InPlace).
    if (refusal !== undefined) refuseReservation(core, now, reservation, contents, refusal);
  }
  refreshUpstreams(core, now, session, mode);
}
