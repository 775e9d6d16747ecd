import type { ExchangeInterface, ExchangeOptions } from '../exchange/options.js';
import { RSVP } from '../wire/index.js';
import type { RsvpCodec } from '../wire/index.js';
import type { NodeInterface, Routing } from './node.js';
import type { PolicyQuestion } from './policy.js';

/** How many of each there may be; what comes beyond is refused with error code 23 and counted. */
export interface Limits {
  readonly sessions: number;
  readonly sendersPerSession: number;
  readonly reservationsPerSession: number;
  /** Questions to policy that have no answer yet. */
  readonly questions: number;
}

export interface EngineOptions {
  readonly routing: Routing;
  readonly interfaces: readonly NodeInterface[];
  /** From 0 up to but not 1. */
  readonly random: () => number;
  /** R, in milliseconds (RFC 2205 3.7). */
  readonly refreshPeriod?: number;
  /** R of single interfaces, by their index. */
  readonly refreshPeriods?: ReadonlyMap<number, number>;
  /** K (RFC 2205 3.7). */
  readonly lifetimeMultiplier?: number;
  /** Kb: blockade state lasts that many R (RFC 2205 3.5). */
  readonly blockadeMultiplier?: number;
  /** W: how long routing is left to settle before local repair, in milliseconds (RFC 2205 3.6). */
  readonly repairDelay?: number;
  /** An end system: it forwards nothing. */
  readonly isHost?: boolean;
  /**
   * Other engines speak for this node too, each with sessions of its own: a Resv for senders that are not known here is for one
   * of them, and gets no error. They must do without refresh reduction, as a neighbour cannot tell them apart.
   */
  readonly isShared?: boolean;
  /** Does traffic control here police and schedule (RFC 2205 3.8)? A router does, a host does not, unless it is said. */
  readonly isPolicing?: boolean;
  /** Multicast routing builds one tree for all senders: WF needs no SCOPE (RFC 2205 3.4). */
  readonly hasSharedTrees?: boolean;
  /** Which messages policy is asked about; none by default. */
  readonly policy?: readonly PolicyQuestion['message'][];
  /** May a reservation be pre-empted by one of higher priority (RFC 3181)? */
  readonly isPreempting?: boolean;
  /** IP TTL of messages that go to a neighbour. */
  readonly ttl?: number;
  readonly limits?: Partial<Limits>;
  readonly codec?: RsvpCodec;
  /** For the exchange beneath: keys, refresh reduction. */
  readonly exchange?: Partial<Omit<ExchangeOptions, 'codec' | 'random' | 'interface'>>;
  /** The same by interface. */
  readonly exchangeInterface?: (index: number) => Omit<ExchangeInterface, 'mtu'> | undefined;
}

export interface Settings {
  readonly routing: Routing;
  readonly refreshPeriod: number;
  readonly refreshPeriods: ReadonlyMap<number, number>;
  readonly lifetimeMultiplier: number;
  readonly blockadeMultiplier: number;
  readonly repairDelay: number;
  readonly isHost: boolean;
  readonly isShared: boolean;
  readonly isPolicing: boolean;
  readonly hasSharedTrees: boolean;
  readonly policy: ReadonlySet<PolicyQuestion['message']>;
  readonly isPreempting: boolean;
  readonly ttl: number;
  readonly limits: Limits;
  readonly codec: RsvpCodec;
  readonly exchangeInterface: EngineOptions['exchangeInterface'];
}

export function resolveOptions(options: EngineOptions): Settings {
  const { isHost = false, limits = {} } = options;
  return {
    routing: options.routing,
    refreshPeriod: positive('refreshPeriod', options.refreshPeriod ?? 30_000),
    refreshPeriods: options.refreshPeriods ?? new Map(),
    lifetimeMultiplier: positive('lifetimeMultiplier', options.lifetimeMultiplier ?? 3),
    blockadeMultiplier: positive('blockadeMultiplier', options.blockadeMultiplier ?? 4),
    repairDelay: options.repairDelay ?? 2000,
    isHost,
    isShared: options.isShared ?? false,
    isPolicing: options.isPolicing ?? !isHost,
    hasSharedTrees: options.hasSharedTrees ?? false,
    policy: new Set(options.policy ?? []),
    isPreempting: options.isPreempting ?? true,
    ttl: options.ttl ?? 255,
    codec: options.codec ?? RSVP,
    exchangeInterface: options.exchangeInterface,
    limits: {
      sessions: limits.sessions ?? 250_000,
      sendersPerSession: limits.sendersPerSession ?? 1000,
      reservationsPerSession: limits.reservationsPerSession ?? 1000,
      questions: limits.questions ?? 100_000,
    },
  };
}

function positive(name: string, value: number): number {
  if (value > 0 && value < 2 ** 31) return value;
  throw new RangeError(`${name}: expected a positive number, got \`${value}\``);
}
