import {
  Adspec,
  ErrorSpecIpv4,
  ErrorSpecIpv6,
  Flowspec,
  ResvConfirmIpv4,
  ResvConfirmIpv6,
  ScopeIpv4,
  ScopeIpv6,
  SenderTspec,
  Style,
  TimeValues,
  unknownClassAction,
} from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import type { ArrivedMessage } from '../exchange/advert.js';
import { readFlow } from './flow.js';
import type { Flow } from './flow.js';
import { freeze, NONE } from './frozen.js';
import type { Frozen } from './frozen.js';
import { isUnicast, readHop, readSender, readSession } from './identity.js';
import type { HopName, SenderName, SessionName } from './identity.js';
import { readStyle } from './style.js';
import type { StyleName } from './style.js';

/**
 * Which objects a message holds (RFC 2205 3.1.3 to 3.1.9). Any order is taken but within the flow descriptor list; what must
 * be there is, and once. Whoever is given a `Parts` may rely on `REQUIRED` of its message type.
 */
export interface Parts {
  readonly session: SessionName & { readonly flags: number };
  readonly hop?: HopName;
  /** R of TIME_VALUES, in milliseconds. */
  readonly refreshPeriod?: number;
  readonly error?: ErrorParts;
  /** Addresses; undefined where there is no SCOPE. */
  readonly scope?: readonly string[];
  /** Low bits of the option vector; `style` is undefined where no style of ours has them. */
  readonly optionVector?: number;
  readonly style?: StyleName;
  readonly confirm?: string;
  readonly sender?: SenderName;
  readonly tspec?: WireObject;
  readonly adspec?: WireObject;
  readonly policy: readonly Frozen[];
  /** Of unknown classes 11bbbbbb: they go on as they are (RFC 2205 3.10). */
  readonly extra: readonly Frozen[];
  readonly flows: readonly FlowParts[];
  /** What asks for the message to be rejected with an error: code 13 or 14 and its value. */
  readonly unknown?: { readonly code: 13 | 14; readonly value: number };
}

export interface ErrorParts {
  readonly node: string;
  readonly flags: number;
  readonly code: number;
  readonly value: number;
}

/** A flow descriptor, or an SE list. */
export interface FlowParts {
  /** A number: the sub-code of error code 21 that says what is wrong with the FLOWSPEC. */
  readonly flow: Flow | number | undefined;
  /** As it came, for an error message. */
  readonly flowspec: WireObject | undefined;
  readonly senders: readonly SenderName[];
}

/** Why a message is dropped without an answer (RFC 2205 Appendix B: "logged locally"). */
export class Malformed {
  constructor(readonly text: string) {}
}

const PATH = 1;
const RESV = 2;
const RESV_ERR = 4;
const RESV_TEAR = 6;
const RESV_CONF = 7;

type Required = 'hop' | 'refreshPeriod' | 'error' | 'optionVector' | 'sender' | 'tspec' | 'confirm' | 'flows';

/** By message type: Path, Resv, PathErr, ResvErr, PathTear, ResvTear, ResvConf. */
const REQUIRED: Readonly<Record<number, readonly Required[]>> = {
  1: ['hop', 'refreshPeriod', 'sender', 'tspec'],
  2: ['hop', 'refreshPeriod', 'optionVector', 'flows'],
  3: ['error', 'sender'],
  4: ['hop', 'error', 'optionVector'],
  5: ['hop', 'sender'],
  6: ['hop', 'optionVector', 'flows'],
  7: ['error', 'confirm', 'optionVector'],
};

const NAMES: Readonly<Record<Required, string>> = {
  hop: 'RSVP_HOP',
  refreshPeriod: 'TIME_VALUES',
  error: 'ERROR_SPEC',
  optionVector: 'STYLE',
  sender: 'SENDER_TEMPLATE',
  tspec: 'SENDER_TSPEC',
  confirm: 'RESV_CONFIRM',
  flows: 'a flow descriptor',
};

/** POLICY_DATA, FLOWSPEC, SENDER_TSPEC, ADSPEC: opaque to RSVP; what is wrong in them is policy's or traffic control's. */
const OPAQUE = new Set([9, 12, 13, 14]);
/** NULL, INTEGRITY, MESSAGE_ID, MESSAGE_ID_ACK, MESSAGE_ID_LIST: nothing of the engine's. */
const BENEATH = new Set([0, 4, 23, 24, 25]);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The parts of a message of type 1 to 7. */
export function readParts({ message }: ArrivedMessage): Parts | Malformed {
  const parts: Partial<Mutable<Parts>> = {};
  const policy: Frozen[] = [];
  const extra: Frozen[] = [];
  const list: WireObject[] = [];
  for (const object of message.objects) {
    const { classNum } = object;
    if (BENEATH.has(classNum)) continue;
    if ((object as { readonly error?: unknown }).error !== undefined && !OPAQUE.has(classNum))
      return new Malformed(`a broken ${object.class}`);
    switch (classNum) {
      case 9:
      case 10:
        list.push(object);
        break;
      case 14:
        policy.push(freeze(object));
        break;
      default: {
        const taken = takeOne(parts, object);
        if (taken instanceof Malformed) return taken;
        if (taken === 'unknown-class') {
          const action = unknownClassAction(classNum);
          if (action === 'reject') {
            // RFC 2205 3.10: the entire message. There is no error to send about one that is neither Path nor Resv.
            if (!hasErrors(message.msgType))
              return new Malformed(`class ${classNum} is not known (RFC 2205 3.10)`);
            parts.unknown ??= { code: 13, value: typeOf(object) };
          } else if (action === 'forward') extra.push(freeze(object));
        }
      }
    }
  }
  const { session } = parts;
  if (session === undefined)
    return new Malformed(parts.unknown === undefined ? 'no SESSION' : 'a SESSION of unknown C-Type');
  if (message.trailing !== undefined) return new Malformed('octets behind the last object');
  const flows = readFlows(parts, list, message.msgType);
  if (flows instanceof Malformed) return flows;
  const whole: Parts = {
    ...parts,
    session,
    policy: policy.length === 0 ? NONE : policy,
    extra: extra.length === 0 ? NONE : extra,
    flows,
  };
  return check(whole, message.msgType);
}

function hasErrors(msgType: number): boolean {
  return msgType === PATH || msgType === RESV;
}

function check(parts: Parts, msgType: number): Parts | Malformed {
  for (const name of REQUIRED[msgType] ?? []) {
    const isMissing = name === 'flows' ? parts.flows.length === 0 : parts[name] === undefined;
    // An unknown C-Type stands where the object should: that is the error to report.
    if (isMissing && parts.unknown === undefined) return new Malformed(`no ${NAMES[name]}`);
  }
  const { hop, session, sender } = parts;
  if (session.protocol === 0) return new Malformed('protocol id 0 (RFC 2205 A.1)');
  if (hop !== undefined && !isUnicast(hop.address))
    return new Malformed(`hop address \`${hop.address}\`, expected that of a node`);
  // RFC 2205 3.2 rule 2; RFC 2209 2: "silently discard".
  const isPortless = session.port === 0 && session.isGpi !== true;
  const senders = [...(sender === undefined ? [] : [sender]), ...parts.flows.flatMap((flow) => flow.senders)];
  if (isPortless && senders.some(({ cType, port }) => port !== 0 && cType !== 3))
    return new Malformed('a source port without a destination port (RFC 2205 3.2)');
  const family = session.destination.includes(':');
  if (senders.some(({ address }) => address.includes(':') !== family))
    return new Malformed('a sender of another IP version than the session');
  return parts;
}

type Taken = Malformed | 'unknown-class' | undefined;

/** Puts an object that a message has once into its place. */
function takeOne(parts: Partial<Mutable<Parts>>, object: WireObject): Taken {
  switch (object.classNum) {
    case 1:
      return put(parts, 'session', readSession(object), object);
    case 3:
      return put(parts, 'hop', readHop(object), object);
    case 5:
      return put(parts, 'refreshPeriod', TimeValues.is(object) ? object.refreshPeriod : undefined, object);
    case 6:
      return put(parts, 'error', readError(object), object);
    case 7: {
      const scope = ScopeIpv4.is(object) || ScopeIpv6.is(object) ? object.srcAddresses : undefined;
      return put(parts, 'scope', scope, object);
    }
    case 8:
      if (Style.is(object)) {
        const style = readStyle(object.optionVector);
        if (style !== undefined) parts.style = style;
      }
      return put(parts, 'optionVector', Style.is(object) ? object.optionVector : undefined, object);
    case 11:
      return put(parts, 'sender', readSender(object), object);
    case 12:
      if (object.cType !== SenderTspec.cType) parts.unknown ??= { code: 14, value: typeOf(object) };
      return put(parts, 'tspec', object, object);
    case 13:
      if (object.cType !== Adspec.cType) parts.unknown ??= { code: 14, value: typeOf(object) };
      return put(parts, 'adspec', object, object);
    case 15: {
      const confirm =
        ResvConfirmIpv4.is(object) || ResvConfirmIpv6.is(object) ? object.receiverAddress : undefined;
      return put(parts, 'confirm', confirm, object);
    }
    default:
      return 'unknown-class';
  }
}

function put<K extends keyof Parts>(
  parts: Partial<Mutable<Parts>>,
  name: K,
  value: Parts[K] | undefined,
  object: WireObject,
): Taken {
  if (parts[name] !== undefined) return new Malformed(`two ${object.class} objects`);
  if (value === undefined) parts.unknown ??= { code: 14, value: typeOf(object) };
  else parts[name] = value;
  return undefined;
}

function typeOf(object: WireObject): number {
  return (object.classNum << 8) | object.cType;
}

function readError(object: WireObject): ErrorParts | undefined {
  if (!ErrorSpecIpv4.is(object) && !ErrorSpecIpv6.is(object)) return undefined;
  const { errorNodeAddress: node, flags, errorCode: code, errorValue: value } = object;
  return { node, flags, code, value };
}

/** The flow descriptor list, by style (RFC 2205 3.1.4); a tear may leave FLOWSPECs out (3.1.6), an error the descriptor. */
function readFlows(
  parts: Partial<Mutable<Parts>>,
  list: readonly WireObject[],
  msgType: number,
): readonly FlowParts[] | Malformed {
  const { style } = parts;
  const isTear = msgType === RESV_TEAR;
  if (list.length === 0) return isTear && style === 'WF' ? [ALL] : NONE;
  for (const { classNum, cType } of list)
    if (classNum === 9 && cType !== Flowspec.cType) parts.unknown ??= { code: 14, value: (9 << 8) | cType };
  // Of an unknown style only as much is read as an error message needs.
  if (style === undefined) return [{ ...ALL, flowspec: list.find(({ classNum }) => classNum === 9) }];
  const flows = style === 'FF' ? readDistinct(parts, list, isTear) : readShared(parts, list, style, isTear);
  if (flows instanceof Malformed) return flows;
  if (msgType === RESV_ERR && flows.length > 1) return new Malformed('more than one error flow descriptor');
  if (msgType !== RESV_CONF && flows.length > MAX_FLOWS) return new Malformed('too many flow descriptors');
  return flows;
}

/** More do not fit into an IP packet. */
const MAX_FLOWS = 5500;
const ALL: FlowParts = { flow: undefined, flowspec: undefined, senders: NONE };

function readDistinct(
  parts: Partial<Mutable<Parts>>,
  list: readonly WireObject[],
  isTear: boolean,
): readonly FlowParts[] | Malformed {
  const flows: FlowParts[] = [];
  let flowspec: WireObject | undefined;
  let flow: Flow | number | undefined;
  let isUsed = true;
  for (const object of list) {
    if (object.classNum === 9) {
      if (!isUsed) return new Malformed('a FLOWSPEC without a FILTER_SPEC (RFC 2205 3.1.4)');
      flowspec = object;
      flow = readFlow(object);
      isUsed = false;
      continue;
    }
    if (flowspec === undefined && !isTear)
      return new Malformed('FF without a FLOWSPEC in front (RFC 2205 3.1.4)');
    const sender = filterOf(parts, object);
    flows.push({ flow, flowspec, senders: sender === undefined ? NONE : [sender] });
    isUsed = true;
  }
  return isUsed ? flows : new Malformed('a FLOWSPEC without a FILTER_SPEC (RFC 2205 3.1.4)');
}

function readShared(
  parts: Partial<Mutable<Parts>>,
  list: readonly WireObject[],
  style: 'SE' | 'WF',
  isTear: boolean,
): readonly FlowParts[] | Malformed {
  const flowspecs = list.filter(({ classNum }) => classNum === 9);
  const [flowspec] = flowspecs;
  if (flowspecs.length > 1 || (flowspec === undefined && !isTear))
    return new Malformed(`${flowspecs.length} FLOWSPECs for ${style}, expected 1 (RFC 2205 3.1.4)`);
  const senders: SenderName[] = [];
  for (const object of list) {
    if (object.classNum === 9) continue;
    const sender = filterOf(parts, object);
    if (sender !== undefined) senders.push(sender);
  }
  const filters = list.length - flowspecs.length;
  if ((style === 'WF') !== (filters === 0))
    return new Malformed(`${filters} FILTER_SPECs for ${style} (RFC 2205 3.1.4)`);
  const flow = flowspec === undefined ? undefined : readFlow(flowspec);
  return [{ flow, flowspec, senders }];
}

function filterOf(parts: Partial<Mutable<Parts>>, object: WireObject): SenderName | undefined {
  const sender = readSender(object);
  if (sender === undefined) parts.unknown ??= { code: 14, value: typeOf(object) };
  return sender;
}
