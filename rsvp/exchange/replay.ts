/**
 * The sequence numbers of one sender and key that were seen last (RFC 2747 4.2 step 6). A number is good that is greater than
 * all, modulo 2^64; or one that was overtaken, not below the list and not on it.
 */
export class SequenceWindow {
  /** In order, at most `size`. */
  readonly #seen: bigint[];

  /** Begins with a number that is known to be fresh: of an Integrity Response, or of the first message accepted. */
  constructor(
    first: bigint,
    readonly size: number,
  ) {
    this.#seen = [first];
  }

  accept(number: bigint): boolean {
    const seen = this.#seen;
    let at = seen.length;
    while (at > 0 && isLess(number, seen[at - 1] as bigint)) at--;
    if (at > 0 && seen[at - 1] === number) return false;
    // Below everything: nothing says that it is not a replay.
    if (at === 0) return false;
    seen.splice(at, 0, number);
    if (seen.length > this.size) seen.shift();
    return true;
  }
}

/** Modulo 2^64, as TCP compares its numbers (RFC 2747 3). */
function isLess(a: bigint, b: bigint): boolean {
  return BigInt.asIntN(64, a - b) < 0n;
}
