import type { Decision, DecisionError } from '../wire/decision.js';
import type { KeyRing } from '../wire/integrity.js';
import type { PdpAddress } from '../wire/writer.js';
import type { PdpRequest } from './request.js';
import type { PdpSession } from './session.js';

/** Who is at the other end, as far as the transport knows. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  /** The address and port of ours that it has connected to. */
  readonly local?: PdpAddress;
  /** Set once the connection is TLS; the names come from a verified certificate (RFC 4261 7). */
  readonly tls?: { readonly names: readonly string[]; readonly fingerprint?: string };
}

/** A report on a request (RFC 2748 3.3). For RSVP `success` is "commit": billing may begin (RFC 2749 3.3). */
export interface PdpReport {
  readonly type: 'success' | 'failure' | 'accounting';
  readonly solicited: boolean;
  readonly clientSi: readonly Uint8Array[];
}

/** Why a request state ended. */
export type EndOfRequest =
  /** The PEP deleted it (DRQ). */
  | { readonly kind: 'deleted'; readonly reasonCode: number; readonly reasonSubCode: number }
  /** The PEP did not ask for it again while it synchronized (RFC 2748 2.5). */
  | { readonly kind: 'resynchronized' }
  /** The PEP was gone for longer than `stateRetention`. */
  | { readonly kind: 'lost' }
  /** The client-type was closed, by either side. */
  | { readonly kind: 'closed'; readonly errorCode: number };

/**
 * What the embedding is told. A hook is called while input is handled: it may call the PDP back, must not block, and
 * what it throws is reported as `failed`. No hook about a request is called while its decision is pending.
 */
export interface PdpHooks {
  readonly opened?: (session: PdpSession) => void;
  /** A second Client-Open, "in case of global state changes" (RFC 2748 3.6). */
  readonly reopened?: (session: PdpSession) => void;
  readonly reported?: (request: PdpRequest, report: PdpReport) => void;
  readonly ended?: (request: PdpRequest, end: EndOfRequest) => void;
  /** The connection of a session is gone; its requests are kept for `stateRetention`. */
  readonly lost?: (session: PdpSession, reason: string) => void;
  readonly closed?: (session: PdpSession, error: DecisionError, by: 'pep' | 'pdp') => void;
  /** `request` where one handle was synchronized. */
  readonly synchronized?: (session: PdpSession, request: PdpRequest | undefined) => void;
  /** A peer's mistake; nothing to do but to log it. */
  readonly refused?: (peer: Peer, problem: string) => void;
  /** `decide` or a hook threw. */
  readonly failed?: (error: unknown) => void;
}

export interface PdpOptions extends PdpHooks {
  /** Judges a request. A rejected promise is answered with "Unable to process". */
  readonly decide: (request: PdpRequest) => Decision | PromiseLike<Decision>;
  /** Default: RSVP (1). */
  readonly clientTypes?: readonly number[];
  /** KA Timer, seconds; 0 for no keep-alives (RFC 2748 2.2.10). Default 30. */
  readonly keepAlive?: number;
  /** ACCT Timer, seconds: the least interval between accounting reports. */
  readonly accounting?: number;
  /** May this PEP open this client-type? Default: yes. */
  readonly authorize?: (pepId: string, clientType: number, peer: Peer) => boolean;
  /** Where a PEP should go instead (RFC 2748 3.8). */
  readonly redirect?: (pepId: string, clientType: number, peer: Peer) => PdpAddress | undefined;
  /** Keys by PEPID: a Key ID is relative to it (RFC 2748 4.2). */
  readonly keys?: (pepId: string) => KeyRing | undefined;
  /** Refuse connections without an HMAC Integrity negotiation. */
  readonly integrityRequired?: boolean;
  /** Can a connection be upgraded (RFC 4261), must it be? Default `none`. */
  readonly startTls?: 'none' | 'offered' | 'required';
  /** First sequence number for a PEP; should never repeat for a key (RFC 2748 5). Required with `keys`. */
  readonly initialSequenceNumber?: () => number;
  /**
   * Addresses PEPs know this PDP by, besides the one they connect to: a LastPDPAddr among them says that the PEP's state may
   * still be here.
   */
  readonly addresses?: readonly PdpAddress[];
  /**
   * When to ask a PEP for its state (RFC 2748 2.5): whenever it says it has some (`cached`, the default), unless all
   * of it is still here (`missing`), or always.
   */
  readonly synchronize?: 'cached' | 'missing' | 'always';
  readonly limits?: Partial<PdpLimits>;
}

/** Bounds on what peers can make a PDP hold. Times in milliseconds. */
export interface PdpLimits {
  /** Octets of a message. */
  readonly messageLength: number;
  readonly connections: number;
  /** Request states of a connection. */
  readonly handles: number;
  /** Octets of all request states together. */
  readonly stateOctets: number;
  /** Decisions pending at once on a connection; reading stops there. */
  readonly pending: number;
  /** Octets waiting to be sent to a peer; beyond it the peer is cut off. */
  readonly unsentOctets: number;
  /** A connection must have opened a client-type by then. */
  readonly openTimeout: number;
  /** A message that has begun must be whole by then. */
  readonly messageTimeout: number;
  /** A peer that takes nothing for so long is cut off. */
  readonly stallTimeout: number;
  /** How long request states outlive their connection. */
  readonly stateRetention: number;
}

export const PDP_LIMITS: PdpLimits = {
  messageLength: 128 * 1024,
  connections: 4096,
  handles: 100_000,
  stateOctets: 256 * 1024 * 1024,
  pending: 1024,
  unsentOctets: 4 * 1024 * 1024,
  openTimeout: 10_000,
  messageTimeout: 30_000,
  stallTimeout: 30_000,
  stateRetention: 30_000,
};
