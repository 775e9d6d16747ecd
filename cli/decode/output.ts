const CHUNK = 1 << 16;
/** Octets of UTF-8 that a UTF-16 unit may need. */
const WIDEST = 3;

/**
 * Text and octets on their way to a stream, collected into large writes. Text is encoded where it comes to lie: a
 * string is not joined with others before, which for a capture's worth of text costs more than decoding it.
 */
export class Output {
  #chunk = Buffer.allocUnsafe(CHUNK);
  #at = 0;
  #full: Buffer[] = [];

  constructor(private readonly stream: NodeJS.WritableStream = process.stdout) {}

  text(text: string): void {
    this.#reserve(text.length * WIDEST);
    this.#at += this.#chunk.write(text, this.#at);
  }

  octets(octets: Uint8Array): void {
    this.#reserve(octets.length);
    this.#chunk.set(octets, this.#at);
    this.#at += octets.length;
  }

  /** Passes full chunks on; the promise, where there is one, must be awaited before more is written. */
  pause(): Promise<void> | undefined {
    return this.#full.length === 0 ? undefined : this.#pass();
  }

  /** Passes everything on. */
  flush(): Promise<void> | undefined {
    this.#close(0);
    return this.#pass();
  }

  #reserve(size: number): void {
    if (this.#at + size > this.#chunk.length) this.#close(size);
  }

  #close(size: number): void {
    if (this.#at > 0) this.#full.push(this.#chunk.subarray(0, this.#at));
    this.#chunk = Buffer.allocUnsafe(Math.max(CHUNK, size));
    this.#at = 0;
  }

  #pass(): Promise<void> | undefined {
    let ready = true;
    for (const chunk of this.#full) ready = this.stream.write(chunk);
    this.#full = [];
    return ready ? undefined : new Promise((resolve) => this.stream.once('drain', resolve));
  }
}
