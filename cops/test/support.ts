import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { WireObject } from '../../rsvp/wire/object.js';
import { COPS, Framer, Pdp, Pep } from '../index.js';
import type {
  CopsMessage,
  PdpConnection,
  PdpEffect,
  PdpOptions,
  PdpTarget,
  PepEffect,
  PepOptions,
} from '../index.js';

/** Messages in short, as `DEC+ 1 Handle 00000001, Context 1/2, Decision 1/0`: `+` stands for solicited. */
export function brief(message: CopsMessage): string {
  const objects = message.objects.map((object) => {
    const fields = Object.entries(COPS.objects.toJson(object)).filter(([name]) => !NOT_BRIEF.has(name));
    return `${object.class} ${fields.map(([name, value]) => briefValue(name, value)).join('/')}`;
  });
  const head = `${message.type}${message.solicited ? '+' : ''} ${message.clientType}`;
  return objects.length === 0 ? head : `${head} ${objects.join(', ')}`;
}

const NOT_BRIEF = new Set(['class', 'classNum', 'cType', 'length', 'reserved']);

/** Sub-codes that name an object are written as its C-Num and C-Type. */
function briefValue(name: string, value: unknown): string {
  if (!name.endsWith('SubCode') || Number(value) < 0x100) return String(value);
  return `${Number(value) >> 8}.${Number(value) & 0xff}`;
}

export function decodeAll(octets: Uint8Array): CopsMessage[] {
  const framer = new Framer(1 << 24);
  framer.feed(octets);
  const messages: CopsMessage[] = [];
  while (framer.next()) messages.push(COPS.decode(framer.octets.slice(framer.start, framer.end)));
  assert.equal(framer.left, 0, 'octets behind the last message');
  return messages;
}

export function message(
  opCode: number,
  clientType: number,
  objects: readonly WireObject[] = [],
  flags = 0,
): Uint8Array {
  return COPS.encode({ opCode, clientType, objects, flags });
}

export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

/** A peer on a real socket that says exactly what a test wants. */
export class RawPeer {
  readonly #messages: CopsMessage[] = [];
  readonly #waiting: ((message: CopsMessage | undefined) => void)[] = [];
  readonly #framer = new Framer(1 << 24);
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
  #isClosed = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      const done = (): void => {
        this.#isClosed = true;
        for (const waiter of this.#waiting.splice(0)) waiter(undefined);
        resolve();
      };
      socket.on('end', done);
      socket.on('close', done);
    });
  }

  static over(socket: Socket): RawPeer {
    return new RawPeer(socket);
  }

  static async to(port: number): Promise<RawPeer> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawPeer(socket);
  }

  send(octets: Uint8Array): this {
    this.socket.write(octets);
    return this;
  }

  /** The next message; undefined when the connection has ended before one. */
  next(): Promise<CopsMessage | undefined> {
    const ready = this.#messages.shift();
    if (ready !== undefined || this.#isClosed) return Promise.resolve(ready);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async brief(): Promise<string> {
    const next = await this.next();
    return next === undefined ? 'closed' : brief(next);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#framer.feed(chunk);
    while (this.#framer.next()) {
      const { octets, start, end } = this.#framer;
      const next = COPS.decode(octets.slice(start, end));
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#messages.push(next);
      else waiter(next);
    }
  }
}

/** A PDP's machine with one peer, in virtual time. */
export class PdpBench {
  readonly pdp: Pdp;
  readonly connection: PdpConnection;
  now = 0;
  /** What the peer was sent and has not looked at. */
  sent: CopsMessage[] = [];
  readonly effects: PdpEffect[] = [];

  constructor(options: Partial<PdpOptions> = {}) {
    this.pdp = new Pdp({
      decide: () => ({ command: 'install' }),
      failed: (error) => {
        throw error;
      },
      initialSequenceNumber: () => 1000,
      ...options,
    });
    this.connection = this.pdp.connect(0, { address: '192.0.2.1', port: 1 }) ?? assert.fail('no connection');
  }

  perform(effects: readonly PdpEffect[]): this {
    for (const effect of effects) {
      if (effect.kind === 'send') this.sent.push(...decodeAll(effect.octets));
      else this.effects.push(effect);
    }
    return this;
  }

  receive(...octets: readonly Uint8Array[]): this {
    return this.perform(this.connection.receive(this.now, Buffer.concat(octets)));
  }

  /** What was sent since the last look. */
  said(): string[] {
    return this.sent.splice(0).map(brief);
  }

  get isClosed(): boolean {
    return this.effects.some((effect) => effect.kind === 'close' || effect.kind === 'drop');
  }

  /** Lets time pass, deadline by deadline. */
  run(milliseconds: number): this {
    const end = this.now + milliseconds;
    for (;;) {
      const next = Math.min(this.connection.nextTimeout() ?? Infinity, this.pdp.nextTimeout() ?? Infinity);
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.perform(this.connection.handleTimeout(this.now)).perform(this.pdp.handleTimeout(this.now));
    }
    this.now = end;
    return this;
  }
}

/** A PEP's machine that the test answers, in virtual time. */
export class PepBench {
  readonly pep: Pep;
  now = 0;
  sent: CopsMessage[] = [];
  events: PepEffect[] = [];
  /** The PDPs it asked to connect to, oldest first. */
  readonly targets: PdpTarget[] = [];

  constructor(options: Partial<PepOptions> = {}) {
    this.pep = new Pep({
      pdps: [{ host: '192.0.2.10' }, { host: '192.0.2.20' }],
      pepId: 'pep-1',
      random: () => 0.5,
      initialSequenceNumber: () => 500,
      ...options,
    });
    this.perform(this.pep.start());
  }

  perform(effects: readonly PepEffect[]): this {
    for (const effect of effects) {
      if (effect.kind === 'send') this.sent.push(...decodeAll(effect.octets));
      else if (effect.kind === 'connect') this.targets.push(effect.target);
      else this.events.push(effect);
    }
    return this;
  }

  receive(...octets: readonly Uint8Array[]): this {
    return this.perform(this.pep.receive(this.now, Buffer.concat(octets)));
  }

  connected(address = this.pep.target.host): this {
    return this.perform(this.pep.connected(this.now, { address, port: 3288 }));
  }

  disconnected(): this {
    return this.perform(this.pep.disconnected(this.now, 'gone'));
  }

  said(): string[] {
    return this.sent.splice(0).map(brief);
  }

  told(): PepEffect[] {
    return this.events.splice(0);
  }

  run(milliseconds: number): this {
    const end = this.now + milliseconds;
    for (;;) {
      const next = this.pep.nextTimeout() ?? Infinity;
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.perform(this.pep.handleTimeout(this.now));
    }
    this.now = end;
    return this;
  }
}

/** Resolves once `condition` holds; fails after `milliseconds`. */
export async function until(condition: () => boolean, milliseconds = 5000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > end)
      assert.fail(`it did not come to pass in ${milliseconds} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
