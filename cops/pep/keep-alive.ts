/** The keep-alives of one connection, from the PEP's side (RFC 2748 3.9, 4.6). */
export class KeepAlive {
  /** "The minimum of all KA Timer values specified in all received CAT messages", in seconds; 0 for none. */
  seconds = 0;
  /** When to send the next KA. */
  sendAt: number | undefined;
  /** When something must have been heard. */
  heardBy: number | undefined;

  constructor(readonly random: () => number) {}

  /** A Client-Accept said `seconds`. */
  accept(seconds: number): void {
    if (seconds !== 0 && (this.seconds === 0 || seconds < this.seconds)) this.seconds = seconds;
  }

  /** "Randomly within one-fourth to three-fourths the minimum KA Timer interval" (RFC 2748 4.6). */
  schedule(now: number): void {
    this.sendAt = this.seconds === 0 ? undefined : now + this.seconds * 1000 * (0.25 + this.random() / 2);
  }

  heard(now: number): void {
    if (this.seconds !== 0) this.heardBy = now + this.seconds * 1000;
  }
}
