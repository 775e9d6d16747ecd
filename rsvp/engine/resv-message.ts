import { ResvConfirmIpv4, ResvConfirmIpv6, ScopeIpv4, ScopeIpv6, TimeValues } from '../wire/index.js';
import type { RsvpInput, WireObject } from '../wire/index.js';
import { flowspecOf } from './flow.js';
import type { Flow } from './flow.js';
import { thawAll } from './frozen.js';
import { familyOf, filterObject, hopObject, sessionObject } from './identity.js';
import type {
  Descriptor,
  Reservation,
  ResvContents,
  Sender,
  Session,
  Upstream,
  UpstreamContents,
} from './state.js';
import { styleObject } from './style.js';
import type { StyleName } from './style.js';

/** Resv, ResvTear and their parts: objects in the order of RFC 2205 3.1.4. TIME_VALUES is put in by the exchange. */

export const RESV = 2;
export const RESV_TEAR = 6;

export function resvMessage(upstream: Upstream, contents: UpstreamContents, confirm: string): RsvpInput {
  return { msgType: RESV, objects: resvObjects(upstream, contents, confirm) };
}

export function resvObjects(
  { core, session, interface: index, handle, policy }: Upstream,
  contents: UpstreamContents,
  confirm: string,
): readonly WireObject[] {
  return [
    sessionObject(session),
    hopObject(core.addressOf(index, session), handle),
    ...(confirm === '' ? [] : [confirmObject(confirm)]),
    ...scopeObjects(session, contents.scope),
    ...thawAll(policy?.replacement ?? contents.policy, core.options.codec),
    ...thawAll(contents.extra),
    styleObject(contents.style),
    ...descriptorObjects(contents.style, contents.descriptors),
  ];
}

/** RFC 2205 3.1.6. Objects of unknown classes are those of the tear that it comes of, not those of Resvs (3.10). */
export function resvTearMessage(
  { core, session, interface: index, handle }: Upstream,
  contents: UpstreamContents,
): RsvpInput {
  return {
    msgType: RESV_TEAR,
    objects: [
      sessionObject(session),
      hopObject(core.addressOf(index, session), handle),
      ...scopeObjects(session, contents.scope),
      ...thawAll(contents.extra),
      styleObject(contents.style),
      ...descriptorObjects(contents.style, contents.descriptors),
    ],
  };
}

/** A FLOWSPEC that equals the one before is left out (RFC 2205 3.1.4, FF). */
export function descriptorObjects(style: StyleName, descriptors: readonly Descriptor[]): WireObject[] {
  const objects: WireObject[] = [];
  let last: Flow | undefined;
  for (const { flow, senders } of descriptors) {
    if (flow !== last || style !== 'FF') objects.push(flowspecOf(flow));
    last = flow;
    for (const sender of senders) objects.push(filterObject(sender));
  }
  return objects;
}

export function confirmObject(receiverAddress: string): WireObject {
  return (familyOf(receiverAddress) === 6 ? ResvConfirmIpv6 : ResvConfirmIpv4).make({ receiverAddress });
}

export function scopeObjects(session: Session, scope: readonly string[] | undefined): readonly WireObject[] {
  if (scope === undefined) return [];
  return [(familyOf(session.destination) === 6 ? ScopeIpv6 : ScopeIpv4).make({ srcAddresses: scope })];
}

/** The objects of a Resv as it came, a flow descriptor of it, for policy (RFC 2749 2.3, 3.1). */
export function receivedResvObjects(reservation: Reservation, contents: ResvContents): readonly WireObject[] {
  const { core, session, style, hop, interface: index } = reservation;
  return [
    sessionObject(session),
    ...(hop === '' ? [] : [hopObject(hop, index)]),
    TimeValues.make({ refreshPeriod: contents.refreshPeriod }),
    ...scopeObjects(session, contents.scope),
    ...thawAll(contents.policy, core.options.codec),
    styleObject(style),
    ...descriptorObjects(style, [contents]),
  ];
}

export function filterObjects(senders: readonly Sender[]): readonly WireObject[] {
  return senders.map((sender) => filterObject(sender));
}
