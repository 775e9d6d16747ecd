const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `500ms`, `30s`, `5m`, `2h`, `1d`; undefined of anything else. */
export function durationMillis(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  return count === undefined || unit === undefined ? undefined : Number(count) * (UNITS[unit] ?? 0);
}

/** Octets of `128KiB`, `4MiB`, `1GiB` or a plain number; undefined of anything else. */
export function octetCount(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,12})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (count === undefined) return undefined;
  return (
    Number(count) * (unit === undefined ? 1 : unit === 'KiB' ? 1024 : unit === 'MiB' ? 1024 ** 2 : 1024 ** 3)
  );
}

const SCALES: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** Whole bit/s, more than none, of `50Mbit/s`, `50M`, `50Mbps`, `50000000`; undefined of anything else. */
export function bitsPerSecond(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:bit\/s|bps|bit)?$/i.exec(text);
  const value = match === null ? NaN : Number(match[1]) * (SCALES[(match[2] ?? '').toLowerCase()] ?? NaN);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
