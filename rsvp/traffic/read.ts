import type { ClassStatistics } from './control.js';

/**
 * What `tc -s class show` and `tc qdisc show` print, read. tc's text is the same since its first releases; JSON for classes
 * came late (iproute2 6.2).
 */

/** By class, as `2205:10`. */
export function readClasses(text: string): Map<string, ClassStatistics> {
  const classes = new Map<string, ClassStatistics>();
  for (const block of text.split(/^(?=class )/m)) {
    const [, classid] = /^class \S+ ([0-9a-f]+:[0-9a-f]+)/.exec(block) ?? [];
    if (classid === undefined) continue;
    const sent = /Sent (\d+) bytes (\d+) pkt \(dropped (\d+), overlimits (\d+)/.exec(block);
    if (sent === null) continue;
    const [, octets, packets, drops, overlimits] = sent;
    const [, backlog, unit, queued] = /backlog (\d+)([KMG]?)b (\d+)p/.exec(block) ?? [];
    classes.set(classid, {
      octets: Number(octets),
      packets: Number(packets),
      drops: Number(drops),
      overlimits: Number(overlimits),
      backlogOctets: Number(backlog ?? 0) * (UNITS[unit ?? ''] ?? 1),
      backlogPackets: Number(queued ?? 0),
    });
  }
  return classes;
}

/** tc rounds a backlog that is long. */
const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** The root queueing discipline of an interface. */
export interface Root {
  readonly kind: string;
  /** As `2205:`; `0:` is the kernel's own default. */
  readonly handle: string;
  /** As tc prints it. */
  readonly text: string;
}

export function readRoot(text: string): Root | undefined {
  for (const line of text.split('\n')) {
    const [, kind, handle] = /^qdisc (\S+) ([0-9a-f]+:)(?: dev \S+)? root\b/.exec(line) ?? [];
    if (kind !== undefined && handle !== undefined) return { kind, handle, text: line.trim() };
  }
  return undefined;
}
