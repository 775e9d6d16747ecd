/** setTimeout counts milliseconds in 31 bits. */
const LONGEST = 2 ** 31 - 1;

/** One timer for a deadline that keeps moving: moving it later costs nothing. It does not keep the process alive. */
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
    if (deadline !== undefined && deadline < this.#armedFor) this.#arm(deadline);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#deadline = undefined;
    this.#armedFor = Infinity;
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
