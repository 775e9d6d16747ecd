/** What clients can make the server hold, and for how long. Times are milliseconds. */
export interface ServerLimits {
  /** Octets of a request's body. */
  readonly body: number;
  readonly connections: number;
  /** For the head of a request, TLS included; for all of it. */
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  /** A connection on which nothing goes either way. */
  readonly idleTimeout: number;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  body: 4 << 20,
  connections: 256,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  idleTimeout: 60_000,
};

/** Of one request. */
export const MAX_DEPOSITS = 1000;
