import type { PolicyQuestion } from './policy.js';
import type { SentPacket } from './packet.js';
import type { TrafficReservation } from './traffic.js';
import type { EngineEvent } from './event.js';

/** What the edge has to do, in this order. */
export type EngineEffect =
  | { readonly kind: 'send'; readonly packet: SentPacket }
  /** Answer with `engine.decided`. An earlier question with the same id is superseded. */
  | { readonly kind: 'ask'; readonly question: PolicyQuestion }
  /** What was granted is in force (`true`), or could not be (admission, traffic control): COPS Report State. */
  | { readonly kind: 'report'; readonly question: number; readonly success: boolean }
  /** The state behind a question is no more: COPS Delete Request State. */
  | {
      readonly kind: 'forget';
      readonly question: number;
      readonly reason: 'tear' | 'timeout' | 'preempted' | 'route-change' | 'error' | 'shutdown';
    }
  /** Make or change the kernel's part. A failure is told to the engine: `engine.trafficFailed`. */
  | { readonly kind: 'reserve'; readonly reservation: TrafficReservation }
  | { readonly kind: 'release'; readonly reservation: number; readonly interface: number }
  /** For the application's API (RFC 2205 3.11.1's upcalls), for `bandex debug`, counters and logs. */
  | { readonly kind: 'event'; readonly event: EngineEvent };
