import type { Cause, Notice } from '../exchange/effect.js';
import type { WireObject } from '../wire/index.js';
import type { Flow, TokenBucket } from './flow.js';
import type { StyleName } from './style.js';

/**
 * What happened, for whoever watches: the application's API, `bandex debug`, counters, logs. An event names a session as
 * text (`10.0.0.1/udp/5004`), so that it means the same after the state is gone. A closed union: each kind says what an
 * engineer asks ("which hop lost it", "policy or capacity, and how much was free", "who pre-empted me", "which refresh was lost",
 * "why does authentication fail").
 */
export type EngineEvent =
  | PathEvent
  | PathGone
  | ResvEvent
  | ResvGone
  | Reserved
  | Released
  | AdmissionRefused
  | Preempted
  | PolicyRefused
  | ErrorEvent
  | ConfirmEvent
  | Blockaded
  | RouteEvent
  | Dropped
  | LimitReached
  | Upcall
  | ExchangeEvent;

interface About {
  /** `10.0.0.1/udp/5004`. */
  readonly session: string;
  /** One line for people. */
  readonly text: string;
}

/** Path state is new or has changed. `hop` is empty for an application of this node. */
export interface PathEvent extends About {
  readonly kind: 'path';
  readonly change: 'new' | 'changed';
  readonly sender: string;
  readonly hop: string;
  readonly interface: number;
  readonly outgoing: readonly number[];
  readonly rate: number;
  /** There are hops without RSVP between `hop` and us (RFC 2205 3.8). */
  readonly isAfterNonRsvpHop: boolean;
}

/** Why state went. `timeout`: the hop has not refreshed it for its lifetime. */
export type EndCause =
  | 'tear'
  | 'timeout'
  | 'preempted'
  | 'policy'
  | 'error'
  | 'route-change'
  | 'interface-down'
  | 'no-sender'
  | 'shutdown';

export interface PathGone extends About {
  readonly kind: 'path-gone';
  readonly sender: string;
  readonly hop: string;
  readonly cause: EndCause;
  /** Milliseconds since it was last refreshed. */
  readonly silence: number;
}

export interface ResvEvent extends About {
  readonly kind: 'resv';
  readonly change: 'new' | 'changed';
  readonly style: StyleName;
  readonly senders: readonly string[];
  readonly hop: string;
  readonly interface: number;
  readonly flow: Flow;
}

export interface ResvGone extends About {
  readonly kind: 'resv-gone';
  readonly style: StyleName;
  readonly senders: readonly string[];
  readonly hop: string;
  readonly interface: number;
  readonly cause: EndCause;
  readonly silence: number;
}

/** Traffic control has been told to make or change a reservation. */
export interface Reserved extends About {
  readonly kind: 'reserved';
  readonly reservation: number;
  readonly interface: number;
  readonly rate: number;
  /** What is left of the interface's reservable rate. */
  readonly free: number;
}

export interface Released extends About {
  readonly kind: 'released';
  readonly reservation: number;
  readonly interface: number;
  readonly rate: number;
  readonly free: number;
  readonly cause: EndCause;
}

export interface AdmissionRefused extends About {
  readonly kind: 'admission-refused';
  readonly interface: number;
  readonly hop: string;
  readonly code: number;
  readonly value: number;
  /** Octets a second: what the interface has, what was asked for, what was free. */
  readonly capacity: number;
  readonly asked: number;
  readonly free: number;
  /** A smaller reservation stays in place. */
  readonly isInPlace: boolean;
}

export interface Preempted extends About {
  readonly kind: 'preempted';
  readonly reservation: number;
  readonly interface: number;
  readonly rate: number;
  /** Session that took its place; empty where the interface lost capacity. */
  readonly by: string;
  readonly preemptionPriority: number;
  readonly defendingPriority: number;
}

export interface PolicyRefused extends About {
  readonly kind: 'policy-refused';
  readonly message: 'Path' | 'Resv' | 'PathErr' | 'ResvErr';
  readonly question: number;
  readonly hop: string;
  readonly code: number;
  readonly value: number;
  readonly reason: string;
}

export interface ErrorEvent extends About {
  readonly kind: 'path-error' | 'resv-error';
  readonly direction: 'sent' | 'forwarded' | 'received';
  readonly code: number;
  readonly value: number;
  /** Who found the error. */
  readonly node: string;
  readonly hop: string;
  readonly interface: number;
}

export interface ConfirmEvent extends About {
  readonly kind: 'confirm';
  readonly direction: 'sent' | 'forwarded' | 'received' | 'passed-upstream';
  readonly receiver: string;
}

export interface Blockaded extends About {
  readonly kind: 'blockaded';
  readonly hop: string;
  readonly flow: Flow;
  readonly until: number;
}

/** Path state follows a changed route (RFC 2205 3.6), or a previous hop that has changed. */
export interface RouteEvent extends About {
  readonly kind: 'route-changed' | 'hop-changed';
  readonly sender: string;
  readonly from: readonly (number | string)[];
  readonly to: readonly (number | string)[];
}

export const DROPS = [
  'malformed',
  'unknown-message',
  'own-message',
  'not-for-us',
  'bad-handle',
  'no-state',
  'stale',
  'no-route',
  'ttl',
  'source-address',
  'limit',
] as const;
export type Drop = (typeof DROPS)[number];

/** A message had no effect. */
export interface Dropped {
  readonly kind: 'dropped';
  readonly session?: string;
  readonly cause: Drop;
  readonly message: string;
  readonly from: string;
  readonly interface: number;
  readonly text: string;
}

export interface LimitReached {
  readonly kind: 'limit-reached';
  readonly session?: string;
  readonly limit: string;
  readonly most: number;
  readonly text: string;
}

/** RFC 2205 3.11.1's upcalls, for the application that registered the session as `application`. */
export interface Upcall extends About {
  readonly kind: 'upcall';
  readonly application: number;
  readonly upcall:
    | {
        readonly type: 'PATH_EVENT';
        readonly sender: string;
        readonly tspec: TokenBucket;
        /** How it is now; undefined: the sender is gone. */
        readonly state: 'present' | 'gone';
        readonly adspec: WireObject | undefined;
        readonly policyData: readonly WireObject[];
      }
    | {
        readonly type: 'RESV_EVENT';
        readonly style: StyleName;
        /** What is reserved towards the receivers; undefined: nothing any more. */
        readonly flow: Flow | undefined;
        readonly senders: readonly string[];
        readonly policyData: readonly WireObject[];
      }
    | {
        readonly type: 'PATH_ERROR' | 'RESV_ERROR';
        readonly code: number;
        readonly value: number;
        readonly node: string;
        readonly isInPlace: boolean;
        readonly isNotGuilty: boolean;
        readonly senders: readonly string[];
        readonly flow: Flow | undefined;
        readonly policyData: readonly WireObject[];
      }
    | {
        readonly type: 'RESV_CONFIRM';
        readonly node: string;
        readonly style: StyleName;
        readonly flow: Flow | undefined;
        readonly senders: readonly string[];
      };
}

/** From the exchange beneath. */
export interface ExchangeEvent {
  readonly kind: Cause | Notice;
  readonly session?: string;
  readonly text: string;
}
