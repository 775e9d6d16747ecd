import { readFileSync } from 'node:fs';

/** What the driver says, in octets a second; undefined where it does not. */
export function linkSpeed(name: string): number | undefined {
  try {
    const megabits = Number(readFileSync(`/sys/class/net/${name}/speed`, 'utf8'));
    return megabits > 0 ? megabits * 125_000 : undefined;
  } catch {
    return undefined;
  }
}
