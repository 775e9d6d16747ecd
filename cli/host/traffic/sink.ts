import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { Meter } from './meter.js';
import type { Sample } from './meter.js';
import { decodeTestPacket, headersOf } from './packet.js';

/** Octets that may wait in the kernel: what is lost there was not lost by the network. */
const RECEIVE_BUFFER = 4 << 20;

/** Receives test traffic of a session, and says every second how much came and how much is missing. */
export class TrafficSink {
  readonly meter = new Meter();
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;
  #began = 0;

  constructor(
    private readonly at: { readonly address: string; readonly port: number },
    private readonly sampled: (sample: Sample) => void,
    failed: (error: Error) => void,
  ) {
    this.#socket = createSocket({
      type: at.address.includes(':') ? 'udp6' : 'udp4',
      reuseAddr: isGroup(at.address),
    });
    this.#socket.on('error', failed);
    this.#socket.on('message', (octets, { address }) => {
      const packet = decodeTestPacket(octets);
      if (packet !== undefined) this.meter.take(packet, octets.length + headersOf(address));
    });
  }

  /** Milliseconds since it began. */
  get now(): number {
    return performance.now() - this.#began;
  }

  async start(): Promise<void> {
    const { address, port } = this.at;
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address, port }, () => {
        this.#socket.off('error', reject);
        resolve();
      });
    });
    if (isGroup(address)) this.#socket.addMembership(address);
    this.#socket.setRecvBufferSize(RECEIVE_BUFFER);
    this.#began = performance.now();
    this.#timer = setInterval(() => this.sampled(this.meter.sample(this.now)), 1000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

function isGroup(address: string): boolean {
  if (address.includes(':')) return /^ff/i.test(address);
  const first = Number.parseInt(address, 10);
  return first >= 224 && first < 240;
}
