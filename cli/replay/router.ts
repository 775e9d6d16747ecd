import { R_TYPE, REASON } from '../../cops/index.js';
import type { Interface } from '../../cops/index.js';
import {
  firstOf,
  MessageId,
  MessageIdList,
  MessageIdMcastListIpv4,
  MessageIdMcastListIpv6,
  MessageIdSrcListIpv4,
  MessageIdSrcListIpv6,
  RSVP,
  TimeValues,
  toHex,
  Writer,
} from '../../rsvp/wire/index.js';
import type { RsvpMessage, WireObject } from '../../rsvp/wire/index.js';
import { hopAddress, isMulticast, senderText, senderTexts, sessionText, styleText } from '../flow.js';
import type { InterfaceTable } from './interfaces.js';
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

/** RFC 2205 3.7: K, and the refresh period R that a message without TIME_VALUES has, in milliseconds. */
const K = 3;
const DEFAULT_REFRESH = 30_000;

interface PathState {
  readonly handle: string;
  readonly session: string;
  readonly sender: string;
  lifetime: number;
  expiresAt: number;
  digest: string;
  /** The previous hop, and the interface towards it. */
  hop: Interface;
  out: Interface;
  messageId: string | undefined;
}

interface ResvState {
  readonly handle: string;
  readonly session: string;
  readonly style: string;
  readonly in: Interface;
  lifetime: number;
  expiresAt: number;
  digest: string;
  objects: readonly WireObject[];
  messageId: string | undefined;
  /** Handles of the outgoing messages, by previous hop, where these are asked for on their own. */
  readonly out: Map<string, string>;
}

/**
 * The router that a capture shows, as far as its policy control goes: keeps the state that the messages make, and says what
 * its PEP asks the PDP and when (RFC 2749 3). Path state is one handle a session and sender, a reservation one a session,
 * style, filter and interface. No I/O and no clock: the capture's times drive soft state (RFC 2205 3.7).
 */
export class CaptureRouter {
  readonly #paths = new Map<string, PathState>();
  readonly #resvs = new Map<string, ResvState>();
  #handles = 0;

  constructor(readonly options: RouterOptions) {}

  get stateCount(): number {
    return this.#paths.size + this.#resvs.size;
  }

  /** What a message makes the PEP do; states that have timed out by then go first. */
  receive(message: RsvpMessage, arrival: Arrival): Step[] {
    const steps: Step[] = this.expire(arrival.time, arrival.frame);
    this.#message(message, arrival, steps);
    return steps;
  }

  /** Ends what was not refreshed in time, in the order of time. */
  expire(now: number, frame: number): DeleteStep[] {
    const due = [...this.#paths.values(), ...this.#resvs.values()]
      .filter((state) => state.expiresAt <= now)
      .sort((a, b) => a.expiresAt - b.expiresAt);
    const steps: Step[] = [];
    for (const state of due) {
      const at = { frame, time: state.expiresAt, src: '', dst: '' };
      if ('sender' in state) this.#endPath(state, 'timeout', at, REASON.timeout, steps);
      else this.#endResv(state, 'timeout', at, REASON.timeout, steps);
    }
    return steps.filter((step) => step.kind === 'delete');
  }

  #message(message: RsvpMessage, arrival: Arrival, steps: Step[]): void {
    for (const part of message.messages ?? []) this.#message(part, arrival, steps);
    const { objects } = message;
    switch (message.type) {
      case 'Path':
        this.#path(objects, arrival, steps);
        return;
      case 'Resv':
        if (this.#isOwn(objects, arrival)) return;
        for (const flow of unpackFlows(objects)) this.#resv(flow, arrival, steps);
        return;
      case 'PathTear':
        this.#pathTear(objects, arrival, steps);
        return;
      case 'ResvTear':
        if (!this.#isOwn(objects, arrival)) this.#resvTear(objects, arrival, steps);
        return;
      case 'PathErr':
      case 'ResvErr':
        if (!this.#isOwn(objects, arrival)) this.#error(message.type, objects, arrival, steps);
        return;
      case 'Srefresh':
        this.#summaryRefresh(objects, arrival);
        return;
    }
  }

  // Path

  #path(objects: readonly WireObject[], arrival: Arrival, steps: Step[]): void {
    const [sender] = senderTexts(objects);
    const session = sessionText(objects);
    if (session === undefined || sender === undefined || this.#isOwn(objects, arrival)) return;
    const key = `${session} ${sender}`;
    const hop = hopAddress(objects) ?? arrival.src;
    const digest = contentOf(objects);
    const before = this.#paths.get(key);
    const towards = session.split('/')[0] ?? '';
    const state: PathState = before ?? {
      handle: this.#newHandle(),
      session,
      sender,
      lifetime: 0,
      expiresAt: 0,
      digest,
      hop: { address: hop, ifindex: this.options.interfaces.upstream(hop) },
      out: { address: towards, ifindex: this.options.interfaces.downstream(towards) },
      messageId: undefined,
    };
    if (before === undefined) this.#paths.set(key, state);
    else if (before.hop.address !== hop)
      before.hop = { address: hop, ifindex: this.options.interfaces.upstream(hop) };
    const isRefresh = before?.digest === digest;
    refresh(state, objects, arrival);
    state.digest = digest;
    if (isRefresh && this.options.refreshes !== true) return;
    steps.push({
      ...causeOf('Path', session, sender, arrival),
      ...ask(
        state.handle,
        R_TYPE.incoming | (isMulticast(objects) ? 0 : R_TYPE.outgoing),
        M_TYPE.Path,
        objects,
      ),
      inInterface: state.hop,
      ...(isMulticast(objects) ? {} : { outInterface: state.out }),
      isRefresh,
    });
  }

  #pathTear(objects: readonly WireObject[], arrival: Arrival, steps: Step[]): void {
    const session = sessionText(objects);
    for (const sender of senderTexts(objects)) {
      const state = this.#paths.get(`${session ?? ''} ${sender}`);
      if (state !== undefined) this.#endPath(state, 'PathTear', arrival, REASON.tear, steps);
    }
  }

  /** "Deletion of path state ... must also adjust related reservation state" (RFC 2205 3.1.5). */
  #endPath(state: PathState, message: string, arrival: Arrival, reasonCode: number, steps: Step[]): void {
    const { session, sender, handle } = state;
    if (!this.#paths.delete(`${session} ${sender}`)) return;
    steps.push({ kind: 'delete', handle, reasonCode, ...causeOf(message, session, sender, arrival) });
    const isLast = ![...this.#paths.values()].some((path) => path.session === session);
    for (const resv of this.#resvs.values()) {
      if (resv.session !== session) continue;
      if (isLast && resv.style === 'WF') this.#endResv(resv, message, arrival, reasonCode, steps);
      else this.#removeSenders(resv, new Set([sender]), message, arrival, reasonCode, steps);
    }
  }

  // Resv

  #resv(objects: readonly WireObject[], arrival: Arrival, steps: Step[]): void {
    const session = sessionText(objects);
    const style = styleText(objects);
    if (session === undefined || style === undefined) return;
    const hop = hopAddress(objects) ?? arrival.src;
    const ifindex = this.options.interfaces.receiving(arrival.dst, hop);
    const key = resvKey(session, style, objects, ifindex, hop);
    const digest = contentOf(objects);
    const before = this.#resvs.get(key);
    const state: ResvState = before ?? {
      handle: this.#newHandle(),
      session,
      style,
      in: { address: hop, ifindex },
      lifetime: 0,
      expiresAt: 0,
      digest,
      objects,
      messageId: undefined,
      out: new Map(),
    };
    if (before === undefined) this.#resvs.set(key, state);
    const isRefresh = before?.digest === digest;
    refresh(state, objects, arrival);
    state.digest = digest;
    state.objects = objects;
    if (!isRefresh || this.options.refreshes === true)
      steps.push(this.#askResv(state, 'Resv', arrival, isRefresh));
  }

  /**
   * Several contexts in one request: for a unicast FF reservation all three, for other reservations arrival and allocation;
   * their outgoing messages, one a previous hop, are asked for once these are granted (RFC 2749 3.6, 5.2).
   */
  #askResv(state: ResvState, message: string, arrival: Arrival, isRefresh: boolean): AskStep {
    const { session, style, objects } = state;
    const senders = senderTexts(objects);
    const cause = causeOf(message, session, flowText(style, senders), arrival);
    const previous = this.#previousHops(session, style, senders);
    const inbound = R_TYPE.incoming | R_TYPE.allocation;
    if (style === 'FF' && !isMulticast(objects)) {
      const [hop] = previous.values();
      return {
        ...cause,
        ...ask(state.handle, inbound | R_TYPE.outgoing, M_TYPE.Resv, objects),
        inInterface: state.in,
        ...(hop === undefined ? {} : { outInterface: hop.to }),
        isRefresh,
      };
    }
    const then = [...previous.entries()].map(([address, { to, senders: upstream }]): AskStep => {
      const handle = state.out.get(address) ?? this.#newHandle();
      state.out.set(address, handle);
      const gone = new Set(senders.filter((sender) => !upstream.has(sender)));
      return {
        ...cause,
        ...ask(handle, R_TYPE.outgoing, M_TYPE.Resv, withoutSenders(objects, gone) ?? objects),
        outInterface: to,
        isRefresh,
      };
    });
    return {
      ...cause,
      ...ask(state.handle, inbound, M_TYPE.Resv, objects),
      inInterface: state.in,
      isRefresh,
      then,
    };
  }

  /** Where a reservation goes on to, by address, with its senders there. */
  #previousHops(
    session: string,
    style: string,
    senders: readonly string[],
  ): Map<string, { to: Interface; senders: Set<string> }> {
    const hops = new Map<string, { to: Interface; senders: Set<string> }>();
    for (const path of this.#paths.values()) {
      if (path.session !== session || (style !== 'WF' && !senders.includes(path.sender))) continue;
      const hop = hops.get(path.hop.address);
      if (hop === undefined) hops.set(path.hop.address, { to: path.hop, senders: new Set([path.sender]) });
      else hop.senders.add(path.sender);
    }
    return hops;
  }

  #resvTear(objects: readonly WireObject[], arrival: Arrival, steps: Step[]): void {
    const session = sessionText(objects);
    const style = styleText(objects);
    if (session === undefined || style === undefined) return;
    const hop = hopAddress(objects) ?? arrival.src;
    const gone = new Set(senderTexts(objects));
    for (const state of this.#resvs.values()) {
      if (state.session !== session || state.style !== style || state.in.address !== hop) continue;
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
    state.digest = contentOf(left);
    const flow = flowText(state.style, senderTexts(left));
    const upstream = this.#previousHops(state.session, state.style, senderTexts(left));
    for (const [address, handle] of state.out) {
      if (upstream.has(address)) continue;
      state.out.delete(address);
      steps.push({ kind: 'delete', handle, reasonCode, ...causeOf(message, state.session, flow, arrival) });
    }
    steps.push(this.#askResv(state, message, arrival, false));
  }

  #endResv(state: ResvState, message: string, arrival: Arrival, reasonCode: number, steps: Step[]): void {
    for (const [key, other] of this.#resvs) if (other === state) this.#resvs.delete(key);
    const flow = flowText(state.style, senderTexts(state.objects));
    for (const handle of [state.handle, ...state.out.values()]) {
      steps.push({ kind: 'delete', handle, reasonCode, ...causeOf(message, state.session, flow, arrival) });
    }
  }

  // Errors

  /** An error message is no state: its handle goes with the decision. */
  #error(type: 'PathErr' | 'ResvErr', objects: readonly WireObject[], arrival: Arrival, steps: Step[]): void {
    const session = sessionText(objects);
    if (session === undefined) return;
    const senders = senderTexts(objects);
    const from = hopAddress(objects) ?? arrival.src;
    const { interfaces } = this.options;
    const path = [...this.#paths.values()].find(
      (state) => state.session === session && (senders.length === 0 || senders.includes(state.sender)),
    );
    const resv = [...this.#resvs.values()].find((state) => state.session === session);
    const isUp = type === 'PathErr';
    const inInterface = {
      address: from,
      ifindex: isUp
        ? interfaces.receiving(arrival.dst, from)
        : (path?.hop.ifindex ?? interfaces.upstream(from)),
    };
    const outInterface = isMulticast(objects) ? undefined : isUp ? path?.hop : resv?.in;
    const style = styleText(objects);
    steps.push({
      ...causeOf(type, session, style === undefined ? senders.join(' ') : flowText(style, senders), arrival),
      ...ask(
        this.#newHandle(),
        R_TYPE.incoming | (outInterface === undefined ? 0 : R_TYPE.outgoing),
        M_TYPE[type],
        objects,
      ),
      inInterface,
      ...(outInterface === undefined ? {} : { outInterface }),
      isTransient: true,
    });
  }

  // Refreshes

  /** RFC 2961 5.1: names states by the MESSAGE_ID of the message that made them. */
  #summaryRefresh(objects: readonly WireObject[], { src, time }: Arrival): void {
    const refreshed = new Set<string>();
    const LISTS = [
      MessageIdSrcListIpv4,
      MessageIdSrcListIpv6,
      MessageIdMcastListIpv4,
      MessageIdMcastListIpv6,
    ] as const;
    for (const object of objects) {
      if (MessageIdList.is(object))
        for (const id of object.messageIdentifiers) refreshed.add(idKey(src, object.epoch, id));
      const tuples = firstOf([object], ...LISTS);
      for (const { messageIdentifier } of tuples?.tuples ?? [])
        refreshed.add(idKey(src, tuples?.epoch ?? 0, messageIdentifier));
    }
    for (const state of [...this.#paths.values(), ...this.#resvs.values()]) {
      if (state.messageId !== undefined && refreshed.has(state.messageId)) prolong(state, time);
    }
  }

  /** Did the router that is played send this itself, or was it for another one? */
  #isOwn(objects: readonly WireObject[], { src }: Arrival): boolean {
    const { own } = this.options;
    return own !== undefined && (own.has(src) || own.has(hopAddress(objects) ?? src));
  }

  #newHandle(): string {
    return (++this.#handles).toString(16).padStart(8, '0');
  }
}

const M_TYPE = { Path: 1, Resv: 2, PathErr: 3, ResvErr: 4 } as const;

/** L >= (K + 0.5) * 1.5 * R (RFC 2205 3.7), in milliseconds. */
export function lifetimeOf(refreshPeriod: number): number {
  return (K + 0.5) * 1.5 * refreshPeriod;
}

function refresh(state: PathState | ResvState, objects: readonly WireObject[], arrival: Arrival): void {
  state.lifetime = lifetimeOf(firstOf(objects, TimeValues)?.refreshPeriod ?? DEFAULT_REFRESH);
  prolong(state, arrival.time);
  const id = firstOf(objects, MessageId);
  if (id !== undefined)
    state.messageId = idKey(hopAddress(objects) ?? arrival.src, id.epoch, id.messageIdentifier);
}

function prolong(state: PathState | ResvState, now: number): void {
  state.expiresAt = now + state.lifetime;
}

function idKey(neighbour: string, epoch: number, id: number): string {
  return `${neighbour} ${epoch} ${id}`;
}

/** A shared reservation of a neighbour is one state whatever senders it names; an FF one is a state a sender. */
function resvKey(
  session: string,
  style: string,
  objects: readonly WireObject[],
  ifindex: number,
  hop: string,
): string {
  const filter =
    style === 'FF'
      ? objects
          .filter((object) => object.class === 'FILTER_SPEC')
          .map(senderText)
          .join(' ')
      : '';
  return [session, style, filter, ifindex, hop].join('|');
}

function ask(
  handle: string,
  rType: number,
  mType: number,
  objects: readonly WireObject[],
): Omit<AskStep, keyof Cause> {
  return { kind: 'ask', handle, rType, mType, objects, isRefresh: false, isTransient: false, then: [] };
}

function causeOf(message: string, session: string, flow: string, { frame, time }: Arrival): Cause {
  return { frame, time, message, session, flow };
}

function flowText(style: string, senders: readonly string[]): string {
  return style === 'WF' ? 'WF' : `${style} ${senders.join(' ')}`;
}

/** Classes that differ from one refresh to the next though nothing has changed. */
const TRANSIENT = new Set([
  'INTEGRITY',
  'TIME_VALUES',
  'RESV_CONFIRM',
  'MESSAGE_ID',
  'MESSAGE_ID_ACK',
  'MESSAGE_ID_LIST',
]);

/** What a message says, for telling a change from a refresh. */
function contentOf(objects: readonly WireObject[]): string {
  const writer = new Writer();
  RSVP.objects.writeAll(
    writer,
    objects.filter((object) => !TRANSIENT.has(object.class)),
  );
  return toHex(writer.finish());
}
