import type { TrafficReservation } from '../engine/traffic.js';
import { rateText, sizeText } from './command.js';
import type { ControlledInterface } from './control.js';
import type { TrafficCapabilities, TrafficSettings } from './settings.js';

/** Ethernet's header, without its checksum: what the kernel counts of a frame. */
const ETHERNET = 14;
/** A header of IPv4 alone: no packet is shorter. */
const SHORTEST = 20;
/** What receive offload (GRO) puts together into one packet at most. A queue must take one, or nothing gets through. */
const SUPER_PACKET = 65_536;
/** Links do not vary less than a packet or two. */
const PACKETS_OF_BURST = 2;

/** Priorities in HTB, 0 is served first. */
const SIGNALLING_PRIO = 0;
const GUARANTEED_PRIO = 1;
const CONTROLLED_LOAD_PRIO = 2;
const BEST_EFFORT_PRIO = 3;

/** How a reservation is enforced, worked out from what it says and what the kernel can do. */
export interface Shape {
  /** Octets a second and octets, link headers included. */
  readonly rate: number;
  readonly burst: number;
  /** Most that it may send, whatever is free. */
  readonly ceil: number;
  readonly prio: number;
  readonly queue: number;
  /** Check each packet against the token bucket before it is queued. */
  readonly police?: { readonly rate: number; readonly burst: number; readonly exceed: 'continue' | 'drop' };
  /** Code point of what conforms. */
  readonly mark?: number;
}

/**
 * The kernel counts link headers, a token bucket does not: what goes over in packets of the minimum policed unit must fit
 * (RFC 2210 3.2 has m for that).
 */
export function onLink(octets: number, unit: number, overhead: number): number {
  const m = Math.max(SHORTEST, unit);
  return (octets * (m + overhead)) / m;
}

/**
 * - At the entry, each packet is policed where the kernel can; RFC 2212 7: "policing MUST not be done except at the edge".
 *   What conforms goes first, guaranteed service before controlled load; the rest goes with best effort.
 * - At a branch or merge point the flow is reshaped: it never sends above its rate (RFC 2212 7).
 * - Elsewhere, and where the kernel cannot police, the class has its rate for sure, and for what is beyond competes with best
 *   effort as one flow among equals: never ahead of it, for that would harm best effort (RFC 2211 7, RFC 2212 7).
 */
export function shapeOf(
  reservation: TrafficReservation,
  { rate: link, overhead = ETHERNET, mtu }: ControlledInterface,
  { excess = 'best-effort', mark }: TrafficSettings,
  capabilities: TrafficCapabilities,
): Shape {
  const { service, minimumPolicedUnit: unit, bucket, police } = reservation;
  const rate = onLink(reservation.rate, unit, overhead);
  const burst = Math.max(onLink(bucket, unit, overhead), PACKETS_OF_BURST * (mtu + overhead));
  const isPoliced = police.entry && capabilities.police;
  const isShaped = !isPoliced && (police.branch || police.merge || excess === 'drop');
  const code = service === 'guaranteed' ? mark?.guaranteed : mark?.controlledLoad;
  const isMarked = code !== undefined && police.entry && (isPoliced || isShaped);
  return {
    rate,
    burst,
    ceil: isShaped ? rate : Math.max(rate, link),
    prio:
      isPoliced || isShaped
        ? service === 'guaranteed'
          ? GUARANTEED_PRIO
          : CONTROLLED_LOAD_PRIO
        : BEST_EFFORT_PRIO,
    queue: 2 * burst + SUPER_PACKET,
    ...(isPoliced ? { police: { rate, burst, exceed: excess === 'drop' ? 'drop' : 'continue' } } : {}),
    ...(isMarked ? { mark: code } : {}),
  };
}

/** Parameters of the class. */
export function classText({ rate, ceil, burst, prio }: Shape, controlled: ControlledInterface): string {
  return htbText(rate, ceil, burst, prio, controlled);
}

/** Parameters of the queue in the class. */
export function queueText({ queue }: Shape): string {
  return `bfifo limit ${sizeText(queue)}`;
}

/** The class of all of the link. */
export function linkText(controlled: ControlledInterface): string {
  return htbText(controlled.rate, controlled.rate, 0, undefined, controlled);
}

/** What nobody has reserved is best effort's for sure; it may use all of the link while it is free. */
export function bestEffortText(controlled: ControlledInterface, reserved: number): string {
  const { rate } = controlled;
  return htbText(Math.max(rate - reserved, rate / 100), rate, 0, BEST_EFFORT_PRIO, controlled);
}

export function bestEffortQueueText(
  { rate }: ControlledInterface,
  { bestEffort = 'fifo' }: TrafficSettings,
  { bestEffortQueue }: TrafficCapabilities,
): string {
  if (bestEffort === 'fair') return bestEffortQueue;
  // A tenth of a second: long enough for TCP, short enough for people.
  return `bfifo limit ${sizeText(rate / 10 + SUPER_PACKET)}`;
}

/** Octets a second for signalling. */
export function signallingRate({ rate }: ControlledInterface, { signalling }: TrafficSettings): number {
  return Math.min(signalling ?? Math.max(rate / 50, 4000), rate / 2);
}

/** Above its rate signalling goes before all others, but not without limit: anybody can send protocol 46. */
export function signallingText(controlled: ControlledInterface, settings: TrafficSettings): string {
  const rate = signallingRate(controlled, settings);
  return htbText(rate, Math.min(controlled.rate, 5 * rate), 16_384, SIGNALLING_PRIO, controlled);
}

/**
 * The quantum, what a class may send before its equals come to turn, is one packet: the delay of all is the least. Burst: one
 * timer tick must not be idle (1 ms, for a kernel without high resolution timers), and a packet must fit.
 */
function htbText(
  rate: number,
  ceil: number,
  burst: number,
  prio: number | undefined,
  { mtu, overhead = ETHERNET }: ControlledInterface,
): string {
  const packets = PACKETS_OF_BURST * (mtu + overhead);
  const quantum = Math.min(200_000, Math.max(1000, mtu + overhead));
  return [
    `htb rate ${rateText(rate)} ceil ${rateText(ceil)}`,
    `burst ${sizeText(Math.max(burst, packets, rate / 1000))} cburst ${sizeText(Math.max(packets, ceil / 1000))}`,
    ...(prio === undefined ? [] : [`prio ${prio}`]),
    `quantum ${quantum}`,
  ].join(' ');
}

/** What is done to each packet, as words of a filter; none: nothing. `index` is that of the policer, shared by all filters. */
export function actionText(shape: Shape, family: 4 | 6, index: number, isFirst: boolean): string {
  const { police, mark } = shape;
  const words: string[] = [];
  if (police !== undefined)
    words.push(`action ${isFirst ? policeText(shape, index) : `police index ${index}`}`);
  if (mark !== undefined) {
    // The code point is the upper six bits (RFC 2474 3); the lower two are ECN's.
    const value = `0x${(mark << 2).toString(16)}`;
    words.push(
      family === 4
        ? `action pedit ex munge ip dsfield set ${value} retain 0xfc pipe action csum ip4h ok`
        : `action pedit ex munge ip6 traffic_class set ${value} retain 0xfc ok`,
    );
  }
  return words.join(' ');
}

/** The policer itself. */
export function policeText({ police, mark }: Shape, index: number): string {
  if (police === undefined) return '';
  const { rate, burst, exceed } = police;
  // `mtu`: a packet above it never conforms, and offloads make large ones.
  const verdict = `conform-exceed ${exceed}/${mark === undefined ? 'ok' : 'pipe'}`;
  return `police rate ${rateText(rate)} burst ${sizeText(burst)} mtu 65535 ${verdict} index ${index}`;
}
