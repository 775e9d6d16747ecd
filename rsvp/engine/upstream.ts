import { resvTearMessage } from './resv-message.js';
import { settleConfirms } from './confirm.js';
import type { ConfirmRequest } from './confirm.js';
import type { Core } from './core.js';
import { added, NONE, sameList, without } from './frozen.js';
import type { Frozen } from './frozen.js';
import { LOCAL } from './identity.js';
import { mergeFor } from './merge.js';
import { askUpstream, forgetQuestion, needsOwnQuestion } from './policy-control.js';
import { Upstream } from './state.js';
import type { Descriptor, Path, Sender, Session, UpstreamContents } from './state.js';

/** RESV REFRESH (RFC 2209 2): what each previous hop is told follows what is reserved here. */

export type Mode =
  /** Changes go upstream at once, and what is gone is torn down. */
  | 'normal'
  /** Whoever caused it has told upstream already, or upstream is another one now: nothing is torn down (RFC 2205 3.1.5). */
  | 'quiet'
  /** Called because of a ResvErr: where all is blockaded, nothing new is tried (RFC 2209 2, ResvErr). */
  | 'error';

/** The path state that one previous hop has told, on one interface, of one logical interface of its own. */
export interface Group {
  readonly hop: string;
  readonly interface: number;
  /** LIH, to be returned in the Resv (RFC 2205 A.2). */
  readonly handle: number;
  readonly paths: readonly Path[];
}

/** `extra`: objects of unknown classes in the ResvTear that it is called for; they go on in those that come of it. */
export function refreshUpstreams(
  core: Core,
  now: number,
  session: Session,
  mode: Mode,
  confirms: readonly ConfirmRequest[] = NONE,
  extra: readonly Frozen[] = NONE,
): void {
  const groups = groupsOf(session);
  const toConfirm = settleConfirms(core, now, session, groups, confirms);
  for (const upstream of session.upstreams)
    if (!groups.some((group) => isOf(upstream, group))) forget(core, upstream, 'route-change');
  for (const group of groups) {
    const upstream = session.upstreams.find((known) => isOf(known, group));
    const merge = mergeFor(core, session, group, groups.length);
    if (mode === 'error' && merge.isAllBlockaded) continue;
    const confirm = toConfirm.get(group) ?? '';
    if (merge.contents !== undefined)
      tell(core, now, upstream ?? add(core, session, group), merge.contents, { confirm, mode, extra });
    else if (upstream !== undefined) {
      if (mode !== 'quiet' && upstream.contents !== undefined)
        tear(core, now, upstream, upstream.contents, upstream.contents.descriptors, extra);
      forget(core, upstream, 'tear');
    }
  }
}

/** Previous hops by address, LIH and interface, applications of this node left out. */
export function groupsOf(session: Session): readonly Group[] {
  const groups: (Omit<Group, 'paths'> & { paths: Path[] })[] = [];
  for (const path of session.paths) {
    const { contents } = path;
    if (contents === undefined || contents.incoming === LOCAL) continue;
    const { hop, handle, incoming } = contents;
    const group = groups.find((known) => isFrom(path, known));
    if (group === undefined) groups.push({ hop, handle, interface: incoming, paths: [path] });
    else group.paths.push(path);
  }
  return groups;
}

/** Is it path state that this previous hop has told? */
export function isFrom({ contents }: Path, { hop, handle, interface: index }: Omit<Group, 'paths'>): boolean {
  return contents?.hop === hop && contents.handle === handle && contents.incoming === index;
}

function isOf(upstream: Upstream, group: Group): boolean {
  return (
    upstream.hop === group.hop && upstream.handle === group.handle && upstream.interface === group.interface
  );
}

function add(core: Core, session: Session, group: Group): Upstream {
  const upstream = new Upstream(core, session, group.hop, group.handle, group.interface);
  session.upstreams = added(session.upstreams, upstream);
  return upstream;
}

function forget(core: Core, upstream: Upstream, reason: 'tear' | 'route-change'): void {
  const { session, policy } = upstream;
  core.exchange.forget(upstream);
  session.upstreams = without(session.upstreams, upstream);
  if (policy !== undefined) forgetQuestion(core, policy, reason);
}

function tell(
  core: Core,
  now: number,
  upstream: Upstream,
  contents: UpstreamContents,
  { confirm, mode, extra }: Omit<PendingUpstream, 'contents'>,
): void {
  const before = (upstream.policy?.pending as PendingUpstream | undefined)?.contents ?? upstream.contents;
  if (before !== undefined && confirm === '' && isSame(before, contents)) return;
  if (needsOwnQuestion(core, upstream, contents)) {
    askUpstream(core, upstream, { contents, confirm, mode, extra });
    return;
  }
  if (upstream.policy !== undefined) {
    forgetQuestion(core, upstream.policy, 'tear');
    upstream.policy = undefined;
  }
  putUpstream(core, now, upstream, { contents, confirm, mode, extra });
}

/** What is to be told to a previous hop and waits for policy. */
export interface PendingUpstream {
  readonly contents: UpstreamContents;
  readonly confirm: string;
  readonly mode: Mode;
  /** For a ResvTear that goes with it. */
  readonly extra: readonly Frozen[];
}

/** Tells it: policy has no objection. */
export function putUpstream(core: Core, now: number, upstream: Upstream, pending: PendingUpstream): void {
  const { contents, confirm, mode, extra } = pending;
  const before = upstream.contents;
  const gone = before === undefined ? NONE : goneFrom(before, contents);
  if (gone.length > 0 && mode !== 'quiet' && before !== undefined)
    tear(core, now, upstream, before, gone, extra);
  upstream.contents = contents;
  const isLess = before !== undefined && confirm === '' && isOnlyLess(before, contents);
  // RFC 2205 3.1.5: what path state took along is no reason for an immediate refresh.
  if (mode === 'quiet' && isLess) return;
  upstream.confirm = confirm;
  core.exchange.tell(now, upstream);
  // RFC 2205 2.6: forwarded no more than once.
  upstream.confirm = '';
}

/** It is told no more, and told so. */
export function withdrawUpstream(core: Core, now: number, upstream: Upstream): void {
  const { contents } = upstream;
  if (contents !== undefined) tear(core, now, upstream, contents, contents.descriptors, NONE);
  forget(core, upstream, 'tear');
}

/** RFC 2205 3.1.6. */
function tear(
  core: Core,
  now: number,
  upstream: Upstream,
  contents: UpstreamContents,
  descriptors: readonly Descriptor[],
  extra: readonly Frozen[],
): void {
  core.send(now, {
    interface: upstream.interface,
    destination: upstream.hop,
    routerAlert: false,
    ttl: upstream.ttl,
    neighbour: upstream.hop,
    message: resvTearMessage(upstream, { ...contents, descriptors, extra }),
    isReliable: true,
  });
}

/** Senders that were reserved for and are no longer: descriptors for a tear. */
function goneFrom(before: UpstreamContents, after: UpstreamContents): readonly Descriptor[] {
  // Another style cannot take the place of one that is in force (RFC 2205 1.3).
  if (before.style !== after.style) return before.descriptors;
  const kept = new Set(after.descriptors.flatMap(({ senders }) => senders));
  const gone: Descriptor[] = [];
  for (const { flow, senders } of before.descriptors) {
    const lost = senders.filter((sender) => !kept.has(sender));
    if (lost.length > 0) gone.push({ flow, senders: lost });
  }
  return gone;
}

/** Has nothing changed but that some senders are gone? */
function isOnlyLess(before: UpstreamContents, after: UpstreamContents): boolean {
  const flows = new Map<Sender, Descriptor['flow']>();
  for (const { flow, senders } of before.descriptors) for (const sender of senders) flows.set(sender, flow);
  return (
    before.style === after.style &&
    before.style !== 'WF' &&
    after.descriptors.every(({ flow, senders }) => senders.every((sender) => flows.get(sender) === flow))
  );
}

function isSame(a: UpstreamContents, b: UpstreamContents): boolean {
  return (
    a.style === b.style &&
    a.descriptors.length === b.descriptors.length &&
    a.descriptors.every(({ flow, senders }, i) => {
      const other = b.descriptors[i];
      return other?.flow === flow && sameList(senders, other.senders);
    }) &&
    (a.scope === undefined ? b.scope === undefined : b.scope !== undefined && sameList(a.scope, b.scope)) &&
    sameList(a.policy, b.policy) &&
    sameList(a.extra, b.extra)
  );
}
