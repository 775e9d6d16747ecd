import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type {
  DecisionSource,
  PdpTarget,
  PepEffect,
  PepOptions,
  PepRequest,
  RequestFailure,
} from '../pep/options.js';
import { Pep } from '../pep/pep.js';
import { COPS_PORT, ERROR_NAMES, REASON } from '../wire/codes.js';
import type { REPORT } from '../wire/codes.js';
import type { ContextDecision } from '../wire/decision.js';
import { Alarm } from './alarm.js';
import { plainAddress } from './address.js';
import { TLS_DEFAULTS } from './tls.js';

export interface PepClientOptions extends Omit<PepOptions, 'random' | 'initialSequenceNumber'> {
  /** The PDP's certificate must be for the host that it is known by (RFC 4261 7.2). */
  readonly tls?: ConnectionOptions;
  readonly random?: () => number;
  readonly initialSequenceNumber?: () => number;
  /** Milliseconds; default `Date.now`, because keys have lifetimes. */
  readonly now?: () => number;
}

export interface PepAnswer {
  /** In hex. */
  readonly handle: string;
  readonly decisions: readonly ContextDecision[];
  readonly source: DecisionSource;
}

/** A request that got no decision. */
export class RequestError extends Error {
  constructor(
    readonly handle: string,
    readonly failure: RequestFailure,
  ) {
    super(failureText(failure));
    this.name = 'RequestError';
  }
}

interface PepEvents {
  opened: [event: PepEffect & { kind: 'opened' }];
  lost: [event: PepEffect & { kind: 'lost' }];
  /** A decision that nobody waits for: unsolicited, or made again while synchronizing. */
  decision: [event: PepEffect & { kind: 'decision' }];
  /** A request state that is no more, or is in trouble, and nobody waits for. */
  failed: [event: PepEffect & { kind: 'failed' }];
  synchronized: [event: PepEffect & { kind: 'synchronized' }];
}

interface Waiter {
  readonly resolve: (answer: PepAnswer) => void;
  readonly reject: (error: RequestError) => void;
}

/** A PEP on TCP: binds `Pep` to sockets, timers and promises. It begins to connect at once. */
export class PepClient extends EventEmitter<PepEvents> {
  readonly pep: Pep;
  readonly #now: () => number;
  readonly #alarm: Alarm;
  readonly #waiting = new Map<string, Waiter>();
  #socket: Socket | undefined;
  #isCorked = false;
  /** Sockets that are ending. */
  readonly #ending = new Set<Socket>();

  constructor(readonly options: PepClientOptions) {
    super();
    this.#now = options.now ?? Date.now;
    this.pep = new Pep({
      random: Math.random,
      initialSequenceNumber: () => randomBytes(4).readUInt32BE(),
      ...options,
    });
    this.#alarm = new Alarm(this.#now, () => this.#perform(this.pep.handleTimeout(this.#now())));
    this.#perform(this.pep.start());
  }

  /** Resolves when a PDP has accepted the client-type; at once if it is open. */
  async opened(): Promise<void> {
    if (this.pep.phase !== 'open') await new Promise<void>((resolve) => this.once('opened', () => resolve()));
  }

  /** Asks for a decision; rejects with `RequestError`. */
  request(request: PepRequest): Promise<PepAnswer> {
    return new Promise((resolve, reject) => {
      const { handle, effects } = this.pep.request(this.#now(), request);
      this.#waiting.set(handle, { resolve, reject });
      this.#perform(effects);
    });
  }

  report(
    handle: string,
    type: keyof typeof REPORT,
    details?: { readonly solicited?: boolean; readonly clientSi?: Uint8Array },
  ): void {
    this.#perform(this.pep.report(this.#now(), handle, type, details));
  }

  delete(handle: string, reasonCode: number = REASON.tear, reasonSubCode = 0): void {
    this.#perform(this.pep.delete(this.#now(), handle, reasonCode, reasonSubCode));
  }

  /** Says good-bye and waits until the connection is gone. */
  async close(): Promise<void> {
    this.#perform(this.pep.close(this.#now()));
    this.#alarm.clear();
    await Promise.all(
      Array.from(this.#ending, (socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
  }

  #perform(effects: readonly PepEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
    this.#alarm.set(this.pep.nextTimeout());
  }

  #performOne(effect: PepEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.#connect(effect.target);
        return;
      case 'send':
        this.#send(effect.octets);
        return;
      case 'startTls':
        this.#startTls(effect.target);
        return;
      case 'disconnect':
        this.#disconnect();
        return;
      case 'decision': {
        const waiter = effect.solicited ? this.#takeWaiter(effect.handle) : undefined;
        if (waiter === undefined) this.emit('decision', effect);
        else waiter.resolve({ handle: effect.handle, decisions: effect.decisions, source: effect.source });
        return;
      }
      case 'failed': {
        const waiter = this.#takeWaiter(effect.handle);
        if (waiter === undefined) this.emit('failed', effect);
        else waiter.reject(new RequestError(effect.handle, effect.failure));
        return;
      }
      case 'opened':
        this.emit('opened', effect);
        return;
      case 'lost':
        this.emit('lost', effect);
        return;
      case 'synchronized':
        this.emit('synchronized', effect);
        return;
    }
  }

  #takeWaiter(handle: string): Waiter | undefined {
    const waiter = this.#waiting.get(handle);
    this.#waiting.delete(handle);
    return waiter;
  }

  #connect(target: PdpTarget): void {
    const { host, port = COPS_PORT } = target;
    if (target.tls !== 'direct') {
      const socket = connectTcp({ host, port, noDelay: true });
      this.#watch(socket, 'connect');
      return;
    }
    const socket = connectTls({ ...this.#tlsOptions(target), host, port });
    socket.setNoDelay(true);
    this.#watch(socket, 'secureConnect');
  }

  #startTls(target: PdpTarget): void {
    const raw = this.#socket;
    if (raw === undefined) return;
    raw.removeAllListeners('data');
    this.#socket = connectTls({ ...this.#tlsOptions(target), socket: raw });
    this.#watch(this.#socket, 'secureConnect');
  }

  #tlsOptions(target: PdpTarget): ConnectionOptions {
    const name = isIP(target.host) === 0 ? { servername: target.host } : { host: target.host };
    return { ...TLS_DEFAULTS, ...name, ...this.options.tls };
  }

  #watch(socket: Socket, ready: 'connect' | 'secureConnect'): void {
    this.#socket = socket;
    const isCurrent = (): boolean => this.#socket === socket;
    let reason = 'the PDP has closed the connection';
    socket.once(ready, () => {
      if (!isCurrent()) return;
      this.#perform(
        this.pep.phase === 'handshake'
          ? this.pep.secured(this.#now())
          : this.pep.connected(this.#now(), {
              address: plainAddress(socket.remoteAddress),
              port: socket.remotePort ?? 0,
            }),
      );
    });
    socket.on('data', (chunk) => {
      if (isCurrent()) this.#perform(this.pep.receive(this.#now(), chunk));
    });
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      this.#ending.delete(socket);
      if (!isCurrent()) return;
      this.#socket = undefined;
      this.#perform(this.pep.disconnected(this.#now(), reason));
    });
  }

  /** What is sent within one turn of the event loop goes out in one write. */
  #send(octets: Uint8Array): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    socket.write(octets);
  }

  #disconnect(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    this.#isCorked = false;
    this.#ending.add(socket);
    socket.uncork();
    socket.resume();
    socket.end();
    const grace = setTimeout(() => socket.destroy(), CLOSE_GRACE);
    grace.unref();
    socket.once('close', () => clearTimeout(grace));
  }
}

const CLOSE_GRACE = 1000;

function failureText(failure: RequestFailure): string {
  switch (failure.kind) {
    case 'error':
      return `the PDP answered with error ${failure.errorCode} (${ERROR_NAMES[failure.errorCode] ?? 'unknown'}), sub-code ${failure.errorSubCode}`;
    case 'malformed':
      return `the decision could not be used: ${failure.problem}`;
    case 'unsupported':
      return 'the decision is not one of Install and Remove';
    case 'timeout':
      return 'no decision came in time';
    case 'deleted':
      return 'the request was deleted';
    case 'purged':
      return 'no PDP could be reached before the cached decision ran out';
    case 'closed':
      return 'the PEP was closed';
  }
}
