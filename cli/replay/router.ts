import { R_TYPE, REASON } from '../../cops/index.js';
import type { Interface } from '../../cops/index.js';
import {
  firstOf,
  MessageIdList,
  MessageIdMcastListIpv4,
  MessageIdMcastListIpv6,
  MessageIdSrcListIpv4,
  MessageIdSrcListIpv6,
} from '../../rsvp/wire/index.js';
import type { RsvpMessage, WireObject } from '../../rsvp/wire/index.js';
import { hopAddress, isMulticast, senderTexts, sessionText, styleText } from '../flow.js';
import type { InterfaceTable } from './interfaces.js';
import { mergeReservations } from './merge.js';
import { contentOf, idKey, lifetimeIn, messageIdIn } from './states.js';
import type { PathState, ResvGroup, ResvState, SessionState, SoftState } from './states.js';
import type { AskStep, Cause, DeleteStep, Step } from './steps.js';
import { unpackFlows, withoutSenders } from './unpack.js';

/** A message of the capture, and how it travelled. */
export interface Arrival {
  readonly frame: number;
  /** Milliseconds. */
  readonly time: number;
  readonly src: string;
  readonly dst: string;
}

export interface RouterOptions {
  readonly interfaces: InterfaceTable;
  /** Addresses of the router that is played: what it sent itself is no request. */
  readonly own?: ReadonlySet<string>;
  /** Ask again for refreshes that change nothing. */
  readonly refreshes?: boolean;
}

const { incoming: IN, allocation: ALLOCATION, outgoing: OUT } = R_TYPE;
const M_TYPE = { Path: 1, Resv: 2, PathErr: 3, ResvErr: 4 } as const;

/**
 * The router that a capture shows, as far as its policy control goes: keeps the state that the messages make, and says what
 * its PEP asks the PDP and when (RFC 2749 3). Path state is one handle a session and sender, a reservation one a session,
 * style, filter, interface and next hop. No I/O and no clock: the capture's times drive soft state (RFC 2205 3.7).
 */
export class CaptureRouter {
  readonly #sessions = new Map<string, SessionState>();
  readonly #states = new Set<PathState | ResvState>();
  readonly #byMessageId = new Map<string, SoftState>();
  /** No state ends before. */
  #nextExpiry = Infinity;
  #handles = 0;

  constructor(readonly options: RouterOptions) {}

  get stateCount(): number {
    return this.#states.size;
  }

  /** What a message makes the PEP do; states that have timed out by then go first. */
  receive(message: RsvpMessage, arrival: Arrival): Step[] {
    const steps: Step[] = this.expire(arrival.time, arrival.frame);
    this.#message(message, arrival, steps);
    return steps;
  }

  /** Ends what was not refreshed in time, in the order of time. */
  expire(now: number, frame: number): Step[] {
    const steps: Step[] = [];
    if (now < this.#nextExpiry) return steps;
    const due = [...this.#states]
      .filter((state) => state.expiresAt <= now)
      .sort((a, b) => a.expiresAt - b.expiresAt);
    for (const state of due) {
      if (!this.#states.has(state)) continue;
      const at = { frame, time: state.expiresAt, src: '', dst: '' };
      if (state.kind === 'path') this.#endPath(state, 'timeout', at, REASON.timeout, steps);
      else this.#endResv(state, 'timeout', at, REASON.timeout, steps);
    }
    this.#nextExpiry = Infinity;
    for (const { expiresAt } of this.#states) this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
    return steps;
  }

  #message(message: RsvpMessage, arrival: Arrival, steps: Step[]): void {
    for (const part of message.messages ?? []) this.#message(part, arrival, steps);
    const { objects, type } = message;
    if (type === 'Srefresh') {
      this.#summaryRefresh(objects, arrival);
      return;
    }
    const name = sessionText(objects);
    if (name === undefined || this.#isOwn(objects, arrival)) return;
    const session = this.#session(name);
    switch (type) {
      case 'Path':
        this.#path(session, objects, arrival, steps);
        break;
      case 'Resv':
        for (const flow of unpackFlows(objects)) this.#resv(session, flow, arrival, steps);
        break;
      case 'PathTear':
        for (const sender of senderTexts(objects)) {
          const path = session.paths.get(sender);
          if (path !== undefined) this.#endPath(path, type, arrival, REASON.tear, steps);
        }
        break;
      case 'ResvTear':
        this.#resvTear(session, objects, arrival, steps);
        break;
      case 'PathErr':
      case 'ResvErr':
        this.#error(type, session, objects, arrival, steps);
        break;
    }
    this.#dropEmpty(session);
  }

  #session(name: string): SessionState {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = { name, paths: new Map(), groups: new Map() };
      this.#sessions.set(name, session);
    }
    return session;
  }

  // Path

  #path(session: SessionState, objects: readonly WireObject[], arrival: Arrival, steps: Step[]): void {
    const { interfaces } = this.options;
    const [sender] = senderTexts(objects);
    if (sender === undefined) return;
    const address = hopAddress(objects) ?? arrival.src;
    const towards = session.name.split('/')[0] ?? '';
    const before = session.paths.get(sender);
    const state: PathState = before ?? {
      kind: 'path',
      ...this.#newState(session),
      sender,
      hop: { address, ifindex: interfaces.upstream(address) },
      out: { address: towards, ifindex: interfaces.downstream(towards) },
    };
    if (state.hop.address !== address) state.hop = { address, ifindex: interfaces.upstream(address) };
    session.paths.set(sender, state);
    const isRefresh = this.#refresh(state, objects, arrival);
    if (isRefresh && this.options.refreshes !== true) return;
    const isGroup = isMulticast(objects);
    steps.push({
      ...causeOf('Path', session, sender, arrival),
      ...ask(state.handle, isGroup ? IN : IN | OUT, M_TYPE.Path, objects),
      inInterface: state.hop,
      ...(isGroup ? {} : { outInterface: state.out }),
      isRefresh,
    });
  }

  /** "Deletion of path state ... must also adjust related reservation state" (RFC 2205 3.1.5). */
  #endPath(state: PathState, message: string, arrival: Arrival, reasonCode: number, steps: Step[]): void {
    const { session, sender } = state;
    session.paths.delete(sender);
    this.#forget(state);
    steps.push(deletion(state.handle, reasonCode, causeOf(message, session, sender, arrival)));
    for (const resv of membersOf(session)) {
      if (resv.group.style !== 'WF')
        this.#removeSenders(resv, new Set([sender]), message, arrival, reasonCode, steps);
      else if (session.paths.size === 0) this.#endResv(resv, message, arrival, reasonCode, steps);
    }
  }

  // Resv

  #resv(session: SessionState, objects: readonly WireObject[], arrival: Arrival, steps: Step[]): void {
    const style = styleText(objects);
    if (style === undefined) return;
    const address = hopAddress(objects) ?? arrival.src;
    const ifindex = this.options.interfaces.receiving(arrival.dst, address);
    const group = groupOf(session, style, style === 'FF' ? senderTexts(objects).join(' ') : '', ifindex);
    const state: ResvState = group.members.get(address) ?? {
      kind: 'resv',
      ...this.#newState(session),
      group,
      in: { address, ifindex },
      objects,
      isSeparate: false,
    };
    group.members.set(address, state);
    const isRefresh = this.#refresh(state, objects, arrival);
    state.objects = objects;
    if (!isRefresh || this.options.refreshes === true)
      steps.push(this.#askResv(state, 'Resv', arrival, isRefresh));
  }

  /**
   * Several contexts in one request only where these are unambiguous (RFC 2749 3.6): all three for a unicast FF reservation;
   * arrival and allocation where the interface has no other reservation to merge with, and then the outgoing messages,
   * one a previous hop; otherwise arrival, the merged allocation, the outgoing messages (RFC 2749 5.2).
   */
  #askResv(state: ResvState, message: string, arrival: Arrival, isRefresh: boolean): AskStep {
    const { group, session, objects } = state;
    const cause = causeOf(message, session, flowText(group.style, objects), arrival);
    const arrived = { inInterface: state.in, isRefresh };
    if (group.style === 'FF' && !isMulticast(objects)) {
      const [hop] = previousHops(session, group.style, objects).keys();
      const outInterface = hop === undefined ? {} : { outInterface: hop };
      return {
        ...cause,
        ...ask(state.handle, IN | ALLOCATION | OUT, M_TYPE.Resv, objects),
        ...arrived,
        ...outInterface,
      };
    }
    if (group.members.size === 1 && !state.isSeparate) {
      const then = this.#askOutgoing(state, objects, cause, isRefresh);
      return { ...cause, ...ask(state.handle, IN | ALLOCATION, M_TYPE.Resv, objects), ...arrived, then };
    }
    const others = [...group.members.values()].filter((member) => member !== state && !member.isSeparate);
    for (const member of group.members.values()) member.isSeparate = true;
    const alone = others.map((other): AskStep => {
      const about = causeOf(message, session, flowText(group.style, other.objects), arrival);
      return { ...about, ...ask(other.handle, IN, M_TYPE.Resv, other.objects), inInterface: other.in };
    });
    const then = [...alone, this.#askMerged(state, cause, isRefresh)];
    return { ...cause, ...ask(state.handle, IN, M_TYPE.Resv, objects), ...arrived, then };
  }

  #askMerged(state: ResvState, cause: Cause, isRefresh: boolean): AskStep {
    const { group } = state;
    const merged = mergeReservations([...group.members.values()].map(({ objects }) => objects));
    group.allocation ??= this.#newHandle();
    const then = this.#askOutgoing(state, merged, cause, isRefresh);
    return {
      ...cause,
      ...ask(group.allocation, ALLOCATION, M_TYPE.Resv, merged),
      inInterface: state.in,
      isRefresh,
      then,
    };
  }

  #askOutgoing(
    { group, session }: ResvState,
    objects: readonly WireObject[],
    cause: Cause,
    isRefresh: boolean,
  ): AskStep[] {
    const all = senderTexts(objects);
    return [...previousHops(session, group.style, objects)].map(([hop, upstream]) => {
      const handle = group.out.get(hop.address) ?? this.#newHandle();
      group.out.set(hop.address, handle);
      const others = new Set(all.filter((sender) => !upstream.has(sender)));
      const sent = withoutSenders(objects, others) ?? objects;
      return { ...cause, ...ask(handle, OUT, M_TYPE.Resv, sent), outInterface: hop, isRefresh };
    });
  }

  #resvTear(session: SessionState, objects: readonly WireObject[], arrival: Arrival, steps: Step[]): void {
    const style = styleText(objects);
    const hop = hopAddress(objects) ?? arrival.src;
    const gone = new Set(senderTexts(objects));
    for (const state of membersOf(session)) {
      if (state.group.style !== style || state.in.address !== hop) continue;
      if (style === 'WF') this.#endResv(state, 'ResvTear', arrival, REASON.tear, steps);
      else this.#removeSenders(state, gone, 'ResvTear', arrival, REASON.tear, steps);
    }
  }

  /** Takes senders out of a reservation: the PDP is told what is left, or that nothing is (RFC 2749 3.4). */
  #removeSenders(
    state: ResvState,
    gone: ReadonlySet<string>,
    message: string,
    arrival: Arrival,
    reasonCode: number,
    steps: Step[],
  ): void {
    if (!senderTexts(state.objects).some((sender) => gone.has(sender))) return;
    const left = withoutSenders(state.objects, gone);
    if (left === undefined) {
      this.#endResv(state, message, arrival, reasonCode, steps);
      return;
    }
    state.objects = left;
    state.content = contentOf(left);
    this.#endUnused(
      state,
      causeOf(message, state.session, flowText(state.group.style, left), arrival),
      reasonCode,
      steps,
    );
    steps.push(this.#askResv(state, message, arrival, false));
  }

  #endResv(state: ResvState, message: string, arrival: Arrival, reasonCode: number, steps: Step[]): void {
    const { group, session, objects } = state;
    const cause = causeOf(message, session, flowText(group.style, objects), arrival);
    group.members.delete(state.in.address);
    const [other] = group.members.values();
    if (other === undefined) session.groups.delete(group.key);
    this.#forget(state);
    steps.push(deletion(state.handle, reasonCode, cause));
    if (other === undefined) {
      if (group.allocation !== undefined) steps.push(deletion(group.allocation, reasonCode, cause));
      for (const handle of group.out.values()) steps.push(deletion(handle, reasonCode, cause));
      return;
    }
    this.#endUnused(other, cause, reasonCode, steps);
    if (group.allocation !== undefined) steps.push(this.#askMerged(other, cause, false));
  }

  /** Ends the outgoing messages to previous hops that have no sender of the group any more. */
  #endUnused({ group, session }: ResvState, cause: Cause, reasonCode: number, steps: Step[]): void {
    const merged = [...group.members.values()].flatMap(({ objects }) => objects);
    const used = new Set(
      [...previousHops(session, group.style, merged).keys()].map(({ address }) => address),
    );
    for (const [address, handle] of group.out) {
      if (used.has(address)) continue;
      group.out.delete(address);
      steps.push(deletion(handle, reasonCode, cause));
    }
  }

  // Errors

  /** An error message is no state: its handle goes with the decision. */
  #error(
    type: 'PathErr' | 'ResvErr',
    session: SessionState,
    objects: readonly WireObject[],
    arrival: Arrival,
    steps: Step[],
  ): void {
    const { interfaces } = this.options;
    const senders = senderTexts(objects);
    const from = hopAddress(objects) ?? arrival.src;
    const path = [...session.paths.values()].find(
      ({ sender }) => senders.length === 0 || senders.includes(sender),
    );
    const [resv] = membersOf(session);
    const isUp = type === 'PathErr';
    const ifindex = isUp
      ? interfaces.receiving(arrival.dst, from)
      : (path?.hop.ifindex ?? interfaces.upstream(from));
    const outInterface = isMulticast(objects) ? undefined : isUp ? path?.hop : resv?.in;
    steps.push({
      ...causeOf(type, session, flowText(styleText(objects), objects), arrival),
      ...ask(this.#newHandle(), outInterface === undefined ? IN : IN | OUT, M_TYPE[type], objects),
      inInterface: { address: from, ifindex },
      ...(outInterface === undefined ? {} : { outInterface }),
      isTransient: true,
    });
  }

  // Soft state

  #newState(session: SessionState): SoftState {
    return {
      handle: this.#newHandle(),
      session,
      lifetime: 0,
      expiresAt: 0,
      content: '',
      messageId: undefined,
    };
  }

  #newHandle(): string {
    return (++this.#handles).toString(16).padStart(8, '0');
  }

  /** Prolongs a state, new or not; did its message say nothing new? */
  #refresh(state: PathState | ResvState, objects: readonly WireObject[], { time, src }: Arrival): boolean {
    const content = contentOf(objects);
    const isRefresh = state.content === content;
    state.content = content;
    state.lifetime = lifetimeIn(objects);
    this.#states.add(state);
    this.#prolong(state, time);
    const id = messageIdIn(objects, src);
    if (id !== undefined && id !== state.messageId) {
      this.#forgetId(state);
      state.messageId = id;
      this.#byMessageId.set(id, state);
    }
    return isRefresh;
  }

  #prolong(state: SoftState, now: number): void {
    state.expiresAt = now + state.lifetime;
    this.#nextExpiry = Math.min(this.#nextExpiry, state.expiresAt);
  }

  #forget(state: PathState | ResvState): void {
    this.#states.delete(state);
    this.#forgetId(state);
    this.#dropEmpty(state.session);
  }

  #dropEmpty({ name, paths, groups }: SessionState): void {
    if (paths.size === 0 && groups.size === 0) this.#sessions.delete(name);
  }

  #forgetId({ messageId }: SoftState): void {
    if (messageId !== undefined) this.#byMessageId.delete(messageId);
  }

  /** RFC 2961 5.1: names states by the MESSAGE_ID of the message that made them. */
  #summaryRefresh(objects: readonly WireObject[], { src, time }: Arrival): void {
    const refresh = (epoch: number, id: number): void => {
      const state = this.#byMessageId.get(idKey(src, epoch, id));
      if (state !== undefined) this.#prolong(state, time);
    };
    const LISTS = [
      MessageIdSrcListIpv4,
      MessageIdSrcListIpv6,
      MessageIdMcastListIpv4,
      MessageIdMcastListIpv6,
    ] as const;
    for (const object of objects) {
      if (MessageIdList.is(object)) for (const id of object.messageIdentifiers) refresh(object.epoch, id);
      const list = firstOf([object], ...LISTS);
      for (const { messageIdentifier } of list?.tuples ?? []) refresh(list?.epoch ?? 0, messageIdentifier);
    }
  }

  /** Did the router that is played send this itself? */
  #isOwn(objects: readonly WireObject[], { src }: Arrival): boolean {
    const { own } = this.options;
    return own !== undefined && (own.has(src) || own.has(hopAddress(objects) ?? src));
  }
}

/** A shared reservation is one whatever senders it names; an FF one is one a sender. */
function groupOf(session: SessionState, style: string, filter: string, ifindex: number): ResvGroup {
  const key = [style, filter, ifindex].join('|');
  let group = session.groups.get(key);
  if (group === undefined) {
    group = { key, style, members: new Map(), allocation: undefined, out: new Map() };
    session.groups.set(key, group);
  }
  return group;
}

function membersOf(session: SessionState): ResvState[] {
  return [...session.groups.values()].flatMap((group) => [...group.members.values()]);
}

/** Where a reservation goes on to, and which of its senders are there. */
function previousHops(
  session: SessionState,
  style: string,
  objects: readonly WireObject[],
): Map<Interface, Set<string>> {
  const senders = new Set(senderTexts(objects));
  const hops = new Map<string, Interface>();
  const found = new Map<Interface, Set<string>>();
  for (const { hop, sender } of session.paths.values()) {
    if (style !== 'WF' && !senders.has(sender)) continue;
    const known = hops.get(hop.address) ?? hop;
    hops.set(hop.address, known);
    found.set(known, (found.get(known) ?? new Set()).add(sender));
  }
  return found;
}

function ask(
  handle: string,
  rType: number,
  mType: number,
  objects: readonly WireObject[],
): Omit<AskStep, keyof Cause> {
  return { kind: 'ask', handle, rType, mType, objects, isRefresh: false, isTransient: false, then: [] };
}

function deletion(handle: string, reasonCode: number, cause: Cause): DeleteStep {
  return { kind: 'delete', handle, reasonCode, ...cause };
}

function causeOf(message: string, session: SessionState, flow: string, { frame, time }: Arrival): Cause {
  return { frame, time, message, session: session.name, flow };
}

/** `FF 10.0.0.1/5004` */
function flowText(style: string | undefined, objects: readonly WireObject[]): string {
  const senders = style === 'WF' ? [] : senderTexts(objects);
  return [style, ...senders].filter((text) => text !== undefined).join(' ');
}
