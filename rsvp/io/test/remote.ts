import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../wire/index.js';
import type { SentPacket } from '../../engine/packet.js';
import type { HexPacket, Order } from './driver.js';
import type { Namespace } from './namespace.js';

const DRIVER = fileURLToPath(new URL('driver.js', import.meta.url));
const PATIENCE = 10_000;

export type Told = Readonly<Record<string, unknown>> & { readonly is: string };

/** A transport in a process of its own, in a namespace. */
export class Remote {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #told: Told[] = [];
  readonly #ended: Promise<number | null>;
  #wake: () => void = () => undefined;
  #errors = '';

  constructor(namespace: Namespace) {
    this.#process = namespace.node(DRIVER);
    this.#process.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.#told.push(JSON.parse(line) as Told);
      this.#wake();
    });
    this.#ended = new Promise((resolve) => this.#process.once('exit', (code) => resolve(code)));
  }

  static async raw(
    namespace: Namespace,
    options: { intercepts: boolean; receiveBuffer?: number },
  ): Promise<Remote> {
    const remote = new Remote(namespace);
    remote.order({ do: 'raw', ...options });
    await remote.next('started');
    return remote;
  }

  order(order: Order): void {
    this.#process.stdin.write(`${JSON.stringify(order)}\n`);
  }

  send(packets: readonly SentPacket[], times = 1): void {
    const hex = packets.map((packet): HexPacket => ({ ...packet, octets: toHex(packet.octets) }));
    this.order({ do: 'send', packets: hex, times });
  }

  /** The next thing told that `is` this; what is told before it and is something else must not be an error. */
  async next(is: string): Promise<Told> {
    const end = Date.now() + PATIENCE;
    while (true) {
      const at = this.#told.findIndex((told) => told.is === is);
      const [told] = at < 0 ? [] : this.#told.splice(at, 1);
      if (told !== undefined) return told;
      const failed = this.#told.find((one) => one.is === 'error');
      assert.equal(failed, undefined, `${JSON.stringify(failed)} ${this.#errors}`);
      assert.ok(
        Date.now() < end,
        `no \`${is}\` came, but ${JSON.stringify(this.#told).slice(0, 2000)} ${this.#errors}`,
      );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** What was told and not asked for yet. */
  rest(is: string): readonly Told[] {
    return this.#told.filter((told) => told.is === is);
  }

  /** The transport is closed, and the process ends by itself; its exit code. */
  async close(): Promise<number | null> {
    this.order({ do: 'close' });
    const late = setTimeout(() => this.kill(), PATIENCE);
    const code = await this.#ended;
    clearTimeout(late);
    return code;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
