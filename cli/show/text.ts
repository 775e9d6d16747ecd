const RATES = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'] as const;

/** `1.5 Mbit/s` of octets a second. */
export function rateText(octets: number): string {
  let bits = octets * 8;
  let i = 0;
  while (bits >= 1000 && i < RATES.length - 1) {
    bits /= 1000;
    i++;
  }
  return `${bits >= 100 || Number.isInteger(bits) ? Math.round(bits) : bits.toFixed(bits >= 10 ? 1 : 2)} ${RATES[i] ?? ''}`;
}

/** `250 ms`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function durationText(millis: number): string {
  if (millis < 1000) return `${Math.max(0, Math.round(millis))} ms`;
  const seconds = Math.round(millis / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
