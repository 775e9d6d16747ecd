/** setTimeout counts milliseconds in 31 bits. */
const LONGEST = 2 ** 31 - 1;

/**
 * One timer for a deadline that keeps moving. Moving it later costs nothing: the timer fires at the old time and is
 * set again. It does not keep the process alive.
 */
export class Alarm {
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;
  #deadline: number | undefined;

  constructor(
    readonly now: () => number,
    readonly ring: () => void,
  ) {}

  set(deadline: number | undefined): void {
    this.#deadline = deadline;
    if (deadline === undefined || deadline >= this.#armedFor) return;
    this.#arm(deadline);
  }

  clear(): void {
    this.#deadline = undefined;
    this.#armedFor = Infinity;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(deadline: number): void {
    clearTimeout(this.#timer);
    this.#armedFor = deadline;
    const delay = Math.min(Math.max(0, Math.ceil(deadline - this.now())), LONGEST);
    this.#timer = setTimeout(() => this.#fire(), delay);
    this.#timer.unref();
  }

  #fire(): void {
    this.#armedFor = Infinity;
    const deadline = this.#deadline;
    if (deadline === undefined) return;
    if (deadline > this.now()) this.#arm(deadline);
    else this.ring();
  }
}
