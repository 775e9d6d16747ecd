/**
 * The numbers of what we put into the kernel. The root's handle, the number of the RFC, is how a later process knows what is
 * ours; tc reads and writes them as hexadecimal.
 */
export const ROOT = '2205:';

/** Classes: all of the link, then its parts. */
export const LINK_CLASS = '2205:1';
export const BEST_EFFORT_CLASS = '2205:2';
export const SIGNALLING_CLASS = '2205:3';
const FIRST_RESERVATION = 0x10;
const LAST_RESERVATION = 0xfffe;

export function classId(minor: number): string {
  return ROOT + minor.toString(16);
}

/** Hands out the lowest numbers there are, and takes them back. */
export class Numbers {
  readonly #free: number[] = [];
  #next: number;

  constructor(
    first: number,
    private readonly last: number,
  ) {
    this.#next = first;
  }

  /** Undefined: all are in use. */
  take(): number | undefined {
    return this.#free.pop() ?? (this.#next <= this.last ? this.#next++ : undefined);
  }

  giveBack(number: number): void {
    this.#free.push(number);
  }
}

export function reservationMinors(): Numbers {
  return new Numbers(FIRST_RESERVATION, LAST_RESERVATION);
}
