import type { NodeInterface } from '../engine/node.js';
import type { ArrivedPacket, SentPacket } from '../engine/packet.js';

/** Where an engine's packets come from and go to. */
export interface Transport {
  /** Throws `RawSocketError` where it cannot be had. */
  start(receiver: TransportReceiver): void;
  /** Never throws for what the network does: what could not be sent is counted and told. */
  send(packets: readonly SentPacket[]): void;
  /** Interfaces have come, gone or changed. */
  setInterfaces?(interfaces: readonly Pick<NodeInterface, 'index' | 'addresses'>[]): void;
  /** After what waits to be sent has gone, or could not go within a second. */
  close(): Promise<void>;
  readonly statistics: TransportStatistics;
}

export interface TransportReceiver {
  /** What has arrived at once. */
  packets(packets: readonly ArrivedPacket[]): void;
  trouble(trouble: TransportTrouble): void;
}

export interface TransportTrouble {
  /** What was tried. */
  readonly doing: 'send' | 'receive' | 'join';
  /** As `ENETUNREACH`. */
  readonly code: string;
  readonly interface?: number;
  readonly destination?: string;
}

export interface TransportStatistics {
  readonly received: number;
  readonly sent: number;
  /** The kernel refused to send them. */
  readonly failed: number;
  /** Our own queue was full, since the kernel's was. */
  readonly overflowed: number;
  /** Arrived, and thrown away by the kernel because nobody read in time. */
  readonly dropped: number;
  /** Intercepted in IPv6, but not a whole message of protocol 46. */
  readonly foreign: number;
}

export const NO_STATISTICS: TransportStatistics = {
  received: 0,
  sent: 0,
  failed: 0,
  overflowed: 0,
  dropped: 0,
  foreign: 0,
};

/** Of several transports together. */
export function addStatistics(all: readonly TransportStatistics[]): TransportStatistics {
  const sum = (key: keyof TransportStatistics): number => all.reduce((total, one) => total + one[key], 0);
  return {
    received: sum('received'),
    sent: sum('sent'),
    failed: sum('failed'),
    overflowed: sum('overflowed'),
    dropped: sum('dropped'),
    foreign: sum('foreign'),
  };
}
