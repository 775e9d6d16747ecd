import type { Interface, ClientSi } from '../pdp/request.js';
import type { ContextDecision } from '../wire/decision.js';
import type { KeyRing } from '../wire/integrity.js';

/** A PDP to connect to. */
export interface PdpTarget {
  readonly host: string;
  /** Default 3288. */
  readonly port?: number;
  /**
   * `start` begins without TLS and asks for it (RFC 4261 5.1), `direct` speaks TLS from the first octet. Neither goes
   * on without it.
   */
  readonly tls?: 'none' | 'start' | 'direct';
  /** Keys shared with this PDP: INTEGRITY is negotiated, and insisted on. */
  readonly keys?: KeyRing;
}

/** A request of a PEP (RFC 2748 3.1). */
export interface PepRequest {
  /** In hex; left out, one is chosen. A known handle makes it an update. */
  readonly handle?: string;
  readonly rType: number;
  readonly mType: number;
  readonly inInterface?: Interface;
  readonly outInterface?: Interface;
  readonly clientSi?: readonly ClientSi[];
  /** Ask, even if this very request was decided already (RFC 2749 3.5). */
  readonly fresh?: boolean;
}

export interface PepOptions {
  /** In order of preference: the first is the primary. */
  readonly pdps: readonly PdpTarget[];
  readonly pepId: string;
  /** Default: RSVP (1). */
  readonly clientType?: number;
  /** Named ClientSI for the Client-Open (RFC 2748 3.6). */
  readonly clientSi?: Uint8Array;
  /**
   * The local PDP: decides while no PDP can be reached (RFC 2748 2.5). What it decides is told to the PDP in LPDP
   * decisions afterwards. Undefined: it cannot either.
   */
  readonly lpdp?: (request: PepRequest) => readonly ContextDecision[] | undefined;
  /** From 0 up to 1: spreads keep-alives and retries. */
  readonly random: () => number;
  /** First sequence number for a PDP; should never repeat for a key (RFC 2748 5). */
  readonly initialSequenceNumber: () => number;
  readonly limits?: Partial<PepLimits>;
}

/** Times in milliseconds. */
export interface PepLimits {
  /** Octets of a message. */
  readonly messageLength: number;
  /** For a connection, for each step of security, for a Client-Accept. */
  readonly openTimeout: number;
  /** For a decision; afterwards the handle is deleted (RFC 2748 3.2). */
  readonly requestTimeout: number;
  /** Between rounds through the list of PDPs; doubles up to the most, less up to a quarter at random. */
  readonly retryLeast: number;
  readonly retryMost: number;
  /**
   * How long decisions are used without a PDP: RSVP's lifetime of a state at the default refresh period, (K + 0.5) *
   * 1.5 * R with K = 3 and R = 30 s (RFC 2205 3.7, RFC 2749 3.5).
   */
  readonly cacheTime: number;
  /** Redirections in a row that are followed. */
  readonly redirects: number;
}

export const PEP_LIMITS: PepLimits = {
  messageLength: 128 * 1024,
  openTimeout: 10_000,
  requestTimeout: 10_000,
  retryLeast: 1000,
  retryMost: 60_000,
  cacheTime: 157_500,
  redirects: 4,
};

/** Who decided. */
export type DecisionSource = 'pdp' | 'cache' | 'lpdp';

/** Why a request has no decision. */
export type RequestFailure =
  /** The PDP answered with an error (RFC 2748 2.2.8). */
  | { readonly kind: 'error'; readonly errorCode: number; readonly errorSubCode: number }
  /** The PDP's answer could not be used; the handle is deleted (RFC 2748 3.4). */
  | { readonly kind: 'malformed'; readonly problem: string }
  /** The decision says what RSVP has no use for; the handle is deleted (RFC 2749 2.4). */
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'deleted' }
  /** No PDP was found for `cacheTime`. */
  | { readonly kind: 'purged' }
  | { readonly kind: 'closed' };

export type PepEffect =
  | { readonly kind: 'connect'; readonly target: PdpTarget }
  | { readonly kind: 'send'; readonly octets: Uint8Array }
  | { readonly kind: 'startTls'; readonly target: PdpTarget }
  /** Close the connection when all is sent. */
  | { readonly kind: 'disconnect'; readonly reason: string }
  /** The client-type is open. `accounting` is the least interval between accounting reports, in seconds. */
  | {
      readonly kind: 'opened';
      readonly target: PdpTarget;
      readonly keepAlive: number;
      readonly accounting: number | undefined;
    }
  | { readonly kind: 'lost'; readonly target: PdpTarget; readonly reason: string }
  | {
      readonly kind: 'decision';
      readonly handle: string;
      readonly decisions: readonly ContextDecision[];
      readonly source: DecisionSource;
      /** Is it the answer to a request of ours? */
      readonly solicited: boolean;
      /** A decision in a configuration context asks for a report (RFC 2748 3.3). */
      readonly reportDue: boolean;
    }
  | { readonly kind: 'failed'; readonly handle: string; readonly failure: RequestFailure }
  /** All our state, or that of a handle, was sent again. */
  | { readonly kind: 'synchronized'; readonly handle: string | undefined };
