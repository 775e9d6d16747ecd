/**
 * What happened, for whoever watches: the application's API, `bandex debug`, counters, logs. An event names a session as
 * text (`10.0.0.1/udp/5004`), so that it means the same after the state is gone. A closed union: each kind says what an
 * engineer asks ("which hop lost it", "policy or capacity, and how much was free", "who pre-empted me", "which refresh was lost",
 * "why does authentication fail").
 */
export type EngineEvent = { readonly kind: string; readonly session?: string; readonly text: string };
