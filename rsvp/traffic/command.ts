/** A line for tc. */
export interface Command {
  readonly line: string;
  /** It is no failure if it fails: what is to be made may be there, what is to go may be gone. */
  readonly mayFail?: true;
}

/** `must(...)` is a command that has to work. */
export const must = (line: string): Command => ({ line });
export const may = (line: string): Command => ({ line, mayFail: true });

/** Octets a second as a rate of tc: whole bits a second, never zero. */
export function rateText(octetsPerSecond: number): string {
  return `${Math.max(8, Math.round(octetsPerSecond * 8))}bit`;
}

/** Octets as a size of tc, whose field has 32 bits. */
export function sizeText(octets: number): string {
  return `${Math.min(0xffff_ffff, Math.max(1, Math.ceil(octets)))}b`;
}
