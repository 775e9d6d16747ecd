/** An instant, exact to the nanosecond, since 1970-01-01T00:00:00Z. */
export interface Timestamp {
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanoseconds: number;
}

/** Exact decimal seconds: six digits behind the point, nine where they are needed. */
export function timestampText({ seconds, nanoseconds }: Timestamp): string {
  const micros = nanoseconds / 1000;
  return Number.isInteger(micros)
    ? `${seconds}.${digits(micros, 6)}`
    : `${seconds}.${digits(nanoseconds, 9)}`;
}

/** Milliseconds, for comparing with `now`; exact to a microsecond or so. */
export function timestampMillis({ seconds, nanoseconds }: Timestamp): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

export function timestampOfMillis(millis: number): Timestamp {
  const seconds = Math.floor(millis / 1000);
  return { seconds, nanoseconds: Math.min(999_999_999, Math.round((millis - seconds * 1000) * 1e6)) };
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** How an interface of a pcapng section counts time (options if_tsresol and if_tsoffset). */
export interface Clock {
  readonly unitsPerSecond: bigint;
  /** The same where a timestamp can be worked out in doubles, without loss. */
  readonly exactUnits: number | undefined;
  /** Seconds to add. */
  readonly offset: number;
}

export function clockOf(unitsPerSecond: bigint, offset: number): Clock {
  const exact = unitsPerSecond > 0n && 1_000_000_000n % unitsPerSecond === 0n;
  return { unitsPerSecond, exactUnits: exact ? Number(unitsPerSecond) : undefined, offset };
}

/** The instant that `high * 2^32 + low` units are. */
export function timestampOf(high: number, low: number, clock: Clock): Timestamp {
  const units = clock.exactUnits;
  if (units === undefined) return slowTimestampOf(high, low, clock);
  // Long division in digits of 16 bits: every intermediate value is exact in a double.
  let rest = high % units;
  let seconds = Math.floor(high / units) * 0x1_0000_0000;
  let digit = rest * 0x1_0000 + (low >>> 16);
  seconds += Math.floor(digit / units) * 0x1_0000;
  rest = digit % units;
  digit = rest * 0x1_0000 + (low & 0xffff);
  seconds += Math.floor(digit / units);
  rest = digit % units;
  return { seconds: seconds + clock.offset, nanoseconds: rest * (1e9 / units) };
}

function slowTimestampOf(high: number, low: number, clock: Clock): Timestamp {
  const units = (BigInt(high) << 32n) | BigInt(low);
  return {
    seconds: Number(units / clock.unitsPerSecond) + clock.offset,
    nanoseconds: Number(((units % clock.unitsPerSecond) * 1_000_000_000n) / clock.unitsPerSecond),
  };
}
