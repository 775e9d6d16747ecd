import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { encodeTestPacket, headersOf } from './packet.js';

export interface GeneratorOptions {
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  /** Octets of IP packets a second. */
  readonly rate: number;
  /** Octets of an IP packet. */
  readonly size: number;
  readonly failed: (error: Error) => void;
}

/** Milliseconds. The shorter, the more even: packets in bursts find queues full together, and empty together. */
const TICK = 1;
/** What a process that was held up for longer has missed is not made up for. */
const MOST_BEHIND = 200;

/** Sends numbered UDP packets at a rate, from the address and port that the Path names. */
export class TrafficGenerator {
  readonly #stream = randomBytes(4).readUInt32BE();
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #due = 0;
  #last = 0;

  constructor(private readonly options: GeneratorOptions) {
    this.#socket = createSocket(options.from.address.includes(':') ? 'udp6' : 'udp4');
    this.#socket.on('error', options.failed);
  }

  get sent(): number {
    return this.#sent;
  }

  async start(): Promise<void> {
    const { address, port } = this.options.from;
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address, port }, () => {
        this.#socket.off('error', reject);
        resolve();
      });
    });
    this.#last = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #tick(): void {
    const { rate, size, to } = this.options;
    const now = performance.now();
    this.#due += (Math.min(now - this.#last, MOST_BEHIND) / 1000) * (rate / size);
    this.#last = now;
    const payload = size - headersOf(to.address);
    for (; this.#due >= 1; this.#due--) {
      const packet = { stream: this.#stream, sequence: this.#sent++, micros: Math.floor(now * 1000) };
      // A packet that the kernel has no room for is a lost one: that is what is measured.
      this.#socket.send(encodeTestPacket(packet, payload), to.port, to.address, () => undefined);
    }
  }
}
