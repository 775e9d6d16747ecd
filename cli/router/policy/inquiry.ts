import { R_TYPE } from '../../../cops/index.js';
import type { Interface } from '../../../cops/index.js';
import type { NodeInterface } from '../../../rsvp/engine/node.js';
import type { PolicyQuestion } from '../../../rsvp/engine/policy.js';
import {
  firstOf,
  SessionIpv4,
  SessionIpv4Gpi,
  SessionIpv6,
  SessionIpv6Gpi,
} from '../../../rsvp/wire/index.js';
import type { WireObject } from '../../../rsvp/wire/index.js';
import { octetsOf } from './objects.js';

/** Knows the node's interfaces by their index. */
export type FindInterface = (index: number) => NodeInterface | undefined;

/** What COPS asks about a question of the engine (RFC 2748 3.1, RFC 2749 2). */
export interface CopsQuestion {
  /** The client handle, in hex. */
  readonly handle: string;
  readonly rType: number;
  readonly mType: number;
  readonly inInterface?: Interface;
  readonly outInterface?: Interface;
  readonly clientSi: readonly [{ readonly kind: 'signaled'; readonly data: Uint8Array }];
}

/** "Identical to the values used in the msg type field in the RSVP header" (RFC 2749 2.2). */
const M_TYPE = { Path: 1, Resv: 2, PathErr: 3, ResvErr: 4 } as const;

/** The engine's question in the words of COPS. */
export function copsQuestion(question: PolicyQuestion, find: FindInterface): CopsQuestion {
  const { incoming, allocation, outgoing } = question.context;
  const inIndex = question.incoming;
  const outIndex = question.outgoing;
  return {
    handle: handleOf(question.id),
    rType:
      (incoming ? R_TYPE.incoming : 0) |
      (allocation ? R_TYPE.allocation : 0) |
      (outgoing ? R_TYPE.outgoing : 0),
    mType: M_TYPE[question.message],
    // "The address where the received message originated" (RFC 2748 2.2.3).
    ...(inIndex === undefined ? {} : { inInterface: origin(question, inIndex) }),
    ...(outIndex === undefined
      ? {}
      : { outInterface: { address: towards(question, find(outIndex)), ifindex: outIndex } }),
    clientSi: [{ kind: 'signaled', data: octetsOf(question.objects) }],
  };
}

/** "For flows or messages generated from the PEP's local host, the loop back address and ifindex are used" (RFC 2748 2.2.3). */
function origin({ neighbour, objects }: PolicyQuestion, index: number): Interface {
  if (neighbour !== '') return { address: neighbour, ifindex: index };
  return { address: isIpv6(objects) ? '::1' : '127.0.0.1', ifindex: LOOPBACK };
}

const LOOPBACK = 1;

/** Four octets: what a PDP keeps best. */
export function handleOf(id: number): string {
  return (id >>> 0).toString(16).padStart(8, '0');
}

export function questionOf(handle: string): number {
  return Number.parseInt(handle, 16);
}

/**
 * "The address for where the forwarded message is to be sent" (RFC 2748 2.2.4): the session's for a Path; of what is only
 * going out, the neighbour that it goes to. Where it is not known it is our own address on the interface, which names it as
 * well.
 */
function towards(
  { message, objects, context, neighbour }: PolicyQuestion,
  out: NodeInterface | undefined,
): string {
  const session = sessionOf(objects);
  if (message === 'Path' && session !== undefined) return session.destAddress;
  if (!context.incoming && neighbour !== '') return neighbour;
  const isSix = isIpv6(objects);
  return out?.addresses.find((address) => address.includes(':') === isSix) ?? (isSix ? '::' : '0.0.0.0');
}

function sessionOf(objects: readonly WireObject[]) {
  return firstOf(objects, SessionIpv4, SessionIpv6, SessionIpv4Gpi, SessionIpv6Gpi);
}

function isIpv6(objects: readonly WireObject[]): boolean {
  return sessionOf(objects)?.destAddress.includes(':') === true;
}
