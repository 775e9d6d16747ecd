/** What the operator says about traffic control. */
export interface TrafficSettings {
  /**
   * What becomes of traffic beyond its token bucket: RFC 2211 7 and RFC 2212 ask for best effort, and RFC 2212 for a way to
   * have it discarded. Undefined: `best-effort`.
   */
  readonly excess?: 'best-effort' | 'drop';
  /** Differentiated services code points, 0 to 63, for conforming packets where they enter. Undefined: left as they are. */
  readonly mark?: { readonly guaranteed?: number; readonly controlledLoad?: number };
  /**
   * How what nobody has reserved for shares what is left: `fifo`, first come, first served, as on a link without us (a small flow
   * loses as much as who floods it); `fair`, flow by flow, by fq_codel or sfq. Undefined: `fifo`.
   */
  readonly bestEffort?: 'fifo' | 'fair';
  /** Octets a second for RSVP and other control traffic (RFC 2205 2.3). Undefined: 2 % of the link, 4,000 at least. */
  readonly signalling?: number;
  /** Remove a queueing discipline that somebody else put on an interface, instead of failing. */
  readonly takeover?: boolean;
}

/** What the kernel can do beyond HTB and u32, found out at the start. */
export interface TrafficCapabilities {
  /** act_police. */
  readonly police: boolean;
  /** act_pedit and act_csum: write a code point. */
  readonly mark: boolean;
  /** The best there is to share best effort by. */
  readonly bestEffortQueue: 'fq_codel' | 'sfq' | 'bfifo';
}

/** The words that the settings need and the kernel has not; none: all is well. */
export function missingCapabilities(settings: TrafficSettings, capabilities: TrafficCapabilities): string[] {
  const isMarking = settings.mark?.guaranteed !== undefined || settings.mark?.controlledLoad !== undefined;
  const isFair = settings.bestEffort !== 'fair' || capabilities.bestEffortQueue !== 'bfifo';
  return [
    ...(isFair ? [] : ['sch_fq_codel', 'sch_sfq']),
    ...(isMarking ? missingToMark(settings, capabilities) : []),
  ];
}

function missingToMark(settings: TrafficSettings, capabilities: TrafficCapabilities): string[] {
  // Only what conforms may be marked. Where the excess is dropped by shaping, all that leaves conforms.
  const needsPolice = settings.excess !== 'drop' && !capabilities.police;
  return [...(capabilities.mark ? [] : ['act_pedit', 'act_csum']), ...(needsPolice ? ['act_police'] : [])];
}

/** Throws `RangeError` for what cannot be meant. */
export function checkSettings({ mark, signalling }: TrafficSettings): void {
  for (const [name, value] of Object.entries(mark ?? {}) as [string, number | undefined][]) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= 63))
      throw new RangeError(`mark.${name}: expected a code point of 0 to 63, got ${value}`);
  }
  if (signalling !== undefined && !(signalling > 0 && Number.isFinite(signalling)))
    throw new RangeError(`signalling: expected octets a second, more than 0, got ${signalling}`);
}
