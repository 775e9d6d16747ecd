import type { Flow, TokenBucket } from '../../rsvp/engine/index.js';
import type { Site } from './topology.js';

/** What applications want. The model computes from it what the state must be. */

export interface SessionWish {
  /** As events name it. */
  readonly text: string;
  readonly destination: string;
  readonly port: number;
  /** 0: IPv4, 1: IPv6. */
  readonly family: 0 | 1;
  readonly isMulticast: boolean;
  readonly style: 'FF' | 'SE' | 'WF';
  readonly service: Flow['service'];
  /** Whoever may send. */
  readonly senders: readonly SenderName[];
  /** Where an application may receive. */
  readonly receivers: readonly Site[];
}

export interface SenderName {
  readonly site: Site;
  readonly address: string;
  readonly port: number;
}

export interface ReservationWish {
  readonly flow: Flow;
  readonly senders: readonly SenderName[];
}

/** An application at a site: it has registered a session, may send and may receive. */
export interface ApplicationWish {
  readonly site: Site;
  readonly session: SessionWish;
  readonly sends: Map<SenderName, TokenBucket>;
  /** None: no reservation. */
  reserves: readonly ReservationWish[];
}

export function nameOf({ address, port }: SenderName): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
