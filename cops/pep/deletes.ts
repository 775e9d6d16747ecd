/**
 * Handles that a PDP must be told are deleted: those deleted while it was away, and those whose DRQ was perhaps lost with
 * the connection. COPS does not confirm a DRQ, but TCP keeps the order: a PDP that answers what was sent later has read it.
 */
export class Deletes {
  /** Messages sent that will be answered. */
  #sent = 0;
  /** Handle to the number of messages sent before its DRQ, oldest first. */
  readonly #unconfirmed = new Map<string, number>();
  readonly #untold = new Set<string>();

  /** Something that will be answered is sent; returns what to `confirm` then. */
  sending(): number {
    return ++this.#sent;
  }

  /** What was sent as `number` has its answer. */
  confirm(number: number): void {
    for (const [handle, before] of this.#unconfirmed) {
      if (before >= number) return;
      this.#unconfirmed.delete(handle);
    }
  }

  /** A DRQ is sent. */
  told(handle: string): void {
    this.#unconfirmed.delete(handle);
    this.#unconfirmed.set(handle, this.#sent);
  }

  /** There is nobody to send a DRQ to; or the one who will get it is not the last whose state was complete. */
  untold(handle: string): void {
    this.#untold.add(handle);
  }

  /** The connection is gone. */
  lost(): void {
    for (const handle of this.#unconfirmed.keys()) this.#untold.add(handle);
    this.#unconfirmed.clear();
  }

  /** What the PDP must be told. */
  take(): readonly string[] {
    const handles = [...this.#untold];
    this.#untold.clear();
    return handles;
  }

  clear(): void {
    this.#untold.clear();
    this.#unconfirmed.clear();
  }
}
