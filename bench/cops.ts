import { fork } from 'node:child_process';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { COPS, Context, Handle, InIntIpv4, OP, PepId, SignaledClientSi } from '../cops/index.js';

/**
 * COPS decisions a second over loopback TCP: the PDP in a process of its own, one thread; the requests come from here.
 * The sender writes ready-made octets and finds the answers by their lengths, so that the PDP is what is measured.
 */
export interface CopsBenchOptions {
  /** URL of a module whose `decide` judges; default: everything is installed. */
  readonly decide?: string;
  /** The contents of the ClientSI of the request with this handle; default: 48 octets. */
  readonly clientSi?: (handle: number) => Uint8Array;
  /** Of each measurement, without warming up. Default 2. */
  readonly seconds?: number;
  /** How long each server runs before it is measured, seconds. Default 0.5. */
  readonly warmUp?: number;
}

export interface CopsBenchResult {
  readonly name: string;
  readonly perSecond: number;
  /** Microseconds from writing a request to reading its answer; of the oldest request in each read. */
  readonly p50: number;
  readonly p99: number;
}

/** What the fastest codec that was measured answers (Java, buffered I/O), a second. */
const JAVA: Readonly<Record<string, number>> = {
  '1 connection, 1 deep': 13_400,
  '1 connection, 64 deep': 469_000,
};

export async function main(options: CopsBenchOptions = {}): Promise<readonly CopsBenchResult[]> {
  const results: CopsBenchResult[] = [];
  console.log('COPS decisions over loopback TCP, PDP in one thread');
  for (const [connections, depth] of [
    [1, 1],
    [1, 64],
    [100, 1],
    [100, 16],
  ] as const) {
    const result = await measure(connections, depth, options);
    results.push(result);
    const java = options.decide === undefined ? JAVA[result.name] : undefined;
    console.log(
      `  ${result.name.padEnd(24)} ${Math.round(result.perSecond).toLocaleString('en').padStart(9)}/s   ` +
        `p50 ${result.p50.toFixed(0).padStart(5)} µs   p99 ${result.p99.toFixed(0).padStart(5)} µs` +
        (java === undefined ? '' : `   (Java codec: ${java.toLocaleString('en')}/s)`),
    );
  }
  return results;
}

async function measure(
  connections: number,
  depth: number,
  options: CopsBenchOptions,
): Promise<CopsBenchResult> {
  const script = fileURLToPath(new URL('./cops-server.js', import.meta.url));
  const child = fork(script, options.decide === undefined ? [] : [options.decide]);
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (message) => resolve((message as { port: number }).port));
      child.once('exit', (code) => reject(new Error(`the PDP ended with exit code ${code ?? 'none'}`)));
    });
    const requests = readyMade(options.clientSi ?? (() => SMALL));
    const senders = Array.from({ length: connections }, () => new Sender(port, depth, requests));
    await Promise.all(senders.map((sender) => sender.open()));
    const seconds = options.seconds ?? 2;
    await pause((options.warmUp ?? 0.5) * 1000);
    const [answered, start] = [total(senders), process.hrtime.bigint()];
    for (const sender of senders) sender.times.length = 0;
    await pause(seconds * 1000);
    const took = Number(process.hrtime.bigint() - start) / 1e9;
    const perSecond = (total(senders) - answered) / took;
    const times = Float64Array.from(senders.flatMap((sender) => sender.times)).sort();
    for (const sender of senders) sender.socket.destroy();
    const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
    return {
      name: `${connections} connection${connections === 1 ? '' : 's'}, ${depth} deep`,
      perSecond,
      p50: at(0.5),
      p99: at(0.99),
    };
  } finally {
    child.disconnect();
  }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
const total = (senders: readonly Sender[]): number =>
  senders.reduce((sum, sender) => sum + sender.answered, 0);

/** Handles in use on a connection. */
const HANDLES = 1024;

interface ReadyMade {
  /** `HANDLES` requests, twice, so that any run of that many lies in one piece. */
  readonly octets: Buffer;
  readonly size: number;
}

const SMALL = new Uint8Array(48).fill(0x5a);

function readyMade(clientSi: (handle: number) => Uint8Array): ReadyMade {
  const all = Array.from({ length: HANDLES }, (_, i) => {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(i);
    return COPS.encode({
      opCode: OP.REQ,
      clientType: 1,
      objects: [
        Handle.make({ handle }),
        Context.make({ rType: 7, mType: 2 }),
        InIntIpv4.make({ address: '192.0.2.1', ifindex: 3 }),
        SignaledClientSi.make({ data: clientSi(i) }),
      ],
    });
  });
  const size = all[0]?.length ?? 0;
  if (all.some((octets) => octets.length !== size))
    throw new RangeError('clientSi: all must be of one length');
  return { octets: Buffer.concat([...all, ...all]), size };
}

/** One connection that keeps `depth` requests under way. */
class Sender {
  readonly socket: Socket;
  readonly times: number[] = [];
  answered = 0;
  #next = 0;
  /** When the requests under way were written, oldest at `#oldest`. */
  readonly #sentAt: number[];
  #oldest = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    port: number,
    readonly depth: number,
    readonly requests: ReadyMade,
  ) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#sentAt = new Array<number>(depth).fill(0);
  }

  /** Opens the client-type and sends the first requests. */
  async open(): Promise<void> {
    const { socket } = this;
    socket.write(COPS.encode({ opCode: OP.OPN, clientType: 1, objects: [PepId.make({ pepId: 'bench' })] }));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#send(this.depth, performance.now());
  }

  #send(count: number, now: number): void {
    const { octets, size } = this.requests;
    for (let i = 0; i < count; i++) this.#sentAt[(this.#oldest + i) % this.depth] = now;
    this.socket.write(octets.subarray(this.#next * size, (this.#next + count) * size));
    this.#next = (this.#next + count) % HANDLES;
  }

  #read(chunk: Buffer): void {
    const octets = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const now = performance.now();
    let at = 0;
    let count = 0;
    while (octets.length - at >= 8) {
      const length = octets.readUInt32BE(at + 4);
      if (octets.length - at < length) break;
      if (octets[at + 1] !== OP.DEC || octets[at + 18] !== 2) throw new Error('not a decision');
      at += length;
      count++;
    }
    this.#rest = octets.subarray(at);
    if (count === 0) return;
    this.times.push((now - (this.#sentAt[this.#oldest] ?? 0)) * 1000);
    this.answered += count;
    this.#send(count, now);
    this.#oldest = (this.#oldest + count) % this.depth;
  }
}
