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
