import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { randomBytes } from 'node:crypto';
import type { PdpConnection } from '../pdp/connection.js';
import { Pdp } from '../pdp/pdp.js';
import type { PdpEffect, SessionFilter } from '../pdp/pdp.js';
import type { PdpOptions, Peer } from '../pdp/options.js';
import type { PdpRequest } from '../pdp/request.js';
import type { ContextDecision } from '../wire/decision.js';
import type { PdpAddress } from '../wire/writer.js';
import { Alarm } from './alarm.js';
import { plainAddress } from './address.js';
import { TLS_DEFAULTS, tlsPeer } from './tls.js';

export interface PdpServerOptions extends PdpOptions {
  /** For connections that are upgraded (`startTls`) and for ports that speak TLS from the first octet. */
  readonly tls?: TlsOptions;
  /** Milliseconds; default `Date.now`, because keys have lifetimes. */
  readonly now?: () => number;
}

export interface ListenOptions {
  readonly port: number;
  /** Default: all addresses. */
  readonly host?: string;
  /** TLS from the first octet; with `requestCert` and a `ca` in the TLS options it is mutual. */
  readonly tls?: boolean;
}

/** After a Client-Close the peer has this long to close, in milliseconds. */
const CLOSE_GRACE = 1000;

/** A PDP on TCP: binds `Pdp` to sockets and timers. */
export class PdpServer {
  readonly pdp: Pdp;
  readonly #now: () => number;
  readonly #listeners: Server[] = [];
  readonly #links = new Map<PdpConnection, Link>();
  readonly #alarm: Alarm;
  /** Does the handshakes of `startTls`; it listens nowhere. */
  #tls: Server | undefined;
  readonly #upgrades = new Map<string, (socket: TLSSocket) => void>();

  constructor(readonly options: PdpServerOptions) {
    if ((options.startTls ?? 'none') !== 'none' && options.tls === undefined) {
      throw new TypeError('options.tls: needed with `startTls`');
    }
    this.#now = options.now ?? Date.now;
    this.pdp = new Pdp({ initialSequenceNumber: () => randomBytes(4).readUInt32BE(), ...options });
    this.#alarm = new Alarm(this.#now, () => this.perform(this.pdp.handleTimeout(this.#now())));
  }

  get connectionCount(): number {
    return this.#links.size;
  }

  /** Does the handshake on a connection that began without TLS (RFC 4261 5). */
  #upgrade(raw: Socket, secured: (socket: TLSSocket) => void): void {
    const name = fourTuple(raw);
    this.#upgrades.set(name, secured);
    raw.once('close', () => this.#upgrades.delete(name));
    this.#tls ??= this.#createTlsServer((socket) => {
      const then = this.#upgrades.get(fourTuple(socket));
      if (then === undefined) socket.destroy();
      else then(socket);
    });
    this.#tls.emit('connection', raw);
  }

  #createTlsServer(onSocket: (socket: TLSSocket) => void): Server {
    const handshakeTimeout = this.pdp.limits.openTimeout;
    const server = createTlsServer(
      { ...TLS_DEFAULTS, ...this.options.tls, noDelay: true, handshakeTimeout },
      onSocket,
    );
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.options.refused?.(peerOf(socket), `TLS: ${error.message}`);
      socket.destroy();
    });
    return server;
  }

  async listen(options: ListenOptions): Promise<AddressInfo> {
    const onSocket = (socket: Socket): void => this.#accept(socket);
    if (options.tls === true && this.options.tls === undefined)
      throw new TypeError('options.tls: needed for a TLS port');
    const server =
      options.tls === true ? this.#createTlsServer(onSocket) : createServer({ noDelay: true }, onSocket);
    server.maxConnections = this.pdp.limits.connections;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: options.port, host: options.host, backlog: 1024 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => this.options.failed?.(error));
    this.#listeners.push(server);
    return server.address() as AddressInfo;
  }

  /** Sends an unsolicited decision to every installed request with this handle (hex); returns how many there are. */
  revise(
    pepId: string,
    handle: string,
    decision: ContextDecision | readonly ContextDecision[],
    clientType?: number,
  ): number {
    const requests = this.pdp.find(pepId, handle, clientType);
    for (const request of requests) this.reviseRequest(request, decision);
    return requests.length;
  }

  reviseRequest(request: PdpRequest, decision: ContextDecision | readonly ContextDecision[]): void {
    this.perform(this.pdp.revise(this.#now(), request, decision));
  }

  /** Asks PEPs for all their requests, or for the one with `handle`. */
  synchronize(filter: SessionFilter = {}, handle?: string): void {
    if (handle === undefined) {
      this.perform(this.pdp.synchronize(this.#now(), filter));
      return;
    }
    if (filter.pepId === undefined) throw new TypeError('filter.pepId: needed with `handle`');
    for (const request of this.pdp.find(filter.pepId, handle, filter.clientType)) {
      this.perform(this.pdp.synchronizeRequest(this.#now(), request));
    }
  }

  redirect(address: PdpAddress, filter?: SessionFilter): void {
    this.perform(this.pdp.redirect(this.#now(), address, filter));
  }

  /** Stops listening, tells every PEP, and waits until the connections are gone. */
  async close(redirect?: PdpAddress): Promise<void> {
    const closed = this.#listeners.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    this.#listeners.length = 0;
    this.perform(this.pdp.shutDown(this.#now(), redirect));
    await Promise.all(closed);
    this.#alarm.clear();
  }

  /** Does what the machines ask for. */
  perform(effects: readonly PdpEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
    this.#alarm.set(this.pdp.nextTimeout());
  }

  #performOne(effect: PdpEffect): void {
    const link = this.#links.get(effect.connection);
    switch (effect.kind) {
      case 'send':
        link?.send(effect.octets);
        return;
      case 'await': {
        const { connection, request } = effect;
        effect.decision.then(
          (decision) => this.#answered(connection, () => connection.answer(this.#now(), request, decision)),
          (error: unknown) => {
            this.options.failed?.(error);
            this.#answered(connection, () => connection.answer(this.#now(), request, undefined));
          },
        );
        return;
      }
      case 'pause':
        link?.hold(true);
        return;
      case 'resume':
        link?.hold(false);
        return;
      case 'more':
        link?.proceed();
        return;
      case 'startTls':
        link?.startTls(effect.head);
        return;
      case 'close':
        link?.end();
        return;
      case 'drop':
        link?.drop();
        return;
    }
  }

  #answered(connection: PdpConnection, answer: () => readonly PdpEffect[]): void {
    this.perform(answer());
    this.#links.get(connection)?.arm();
  }

  #accept(socket: Socket): void {
    const tls = socket instanceof TLSSocket ? { tls: tlsPeer(socket) } : {};
    const connection = this.pdp.connect(this.#now(), { ...peerOf(socket), ...tls });
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    const link = new Link(socket, connection, this.#now, (effects) => this.perform(effects), {
      upgrade: (raw, secured) => this.#upgrade(raw, secured),
      gone: () => this.#links.delete(connection),
    });
    this.#links.set(connection, link);
  }
}

interface LinkOptions {
  readonly upgrade: (socket: Socket, secured: (socket: TLSSocket) => void) => void;
  readonly gone: () => void;
}

/** One socket and its machine. */
class Link {
  #socket: Socket;
  #isHeld = false;
  #isBlocked = false;
  readonly #alarm: Alarm;

  constructor(
    socket: Socket,
    readonly connection: PdpConnection,
    readonly now: () => number,
    readonly perform: (effects: readonly PdpEffect[]) => void,
    readonly options: LinkOptions,
  ) {
    this.#socket = socket;
    this.#alarm = new Alarm(now, () => {
      this.perform(this.connection.handleTimeout(this.now()));
      this.arm();
    });
    this.#listen(socket);
    this.arm();
  }

  arm(): void {
    this.#alarm.set(this.connection.nextTimeout());
  }

  send(octets: Uint8Array): void {
    if (this.#socket.destroyed || this.#socket.write(octets)) return;
    this.#isBlocked = true;
    this.#flow();
    this.perform(this.connection.blocked(this.now(), this.#socket.writableLength));
  }

  /** Reading stops while decisions are pending, or while the peer takes nothing. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#flow();
  }

  /** In a turn of its own, so that one busy peer leaves room for the others. */
  proceed(): void {
    if (this.#isBlocked) return;
    setImmediate(() => {
      this.perform(this.connection.proceed(this.now()));
      this.arm();
    });
  }

  /** Gives the socket, with the first octets of the handshake back in it, to the TLS server. */
  startTls(head: Uint8Array): void {
    const raw = this.#socket;
    raw.removeAllListeners('data').removeAllListeners('drain');
    raw.pause();
    raw.unshift(head);
    this.options.upgrade(raw, (socket) => {
      this.#socket = socket;
      this.#listen(socket);
      this.perform(this.connection.secured(this.now(), tlsPeer(socket)));
      this.arm();
    });
  }

  end(): void {
    const socket = this.#socket;
    this.#alarm.clear();
    // What a closing peer still sends is read and forgotten, so that it gets our last words and no reset.
    this.#isHeld = this.#isBlocked = false;
    this.#flow();
    socket.end();
    const grace = setTimeout(() => socket.destroy(), CLOSE_GRACE);
    grace.unref();
    socket.once('close', () => clearTimeout(grace));
  }

  drop(): void {
    this.#alarm.clear();
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => {
      this.perform(this.connection.receive(this.now(), chunk));
      this.arm();
    });
    socket.on('drain', () => {
      this.#isBlocked = false;
      this.#flow();
      this.perform(this.connection.drained(this.now()));
      this.arm();
    });
    let reason = 'the peer has closed the connection';
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      this.#alarm.clear();
      this.options.gone();
      this.perform(this.connection.disconnected(this.now(), reason));
    });
  }

  #flow(): void {
    if (this.#isHeld || this.#isBlocked) this.#socket.pause();
    else this.#socket.resume();
  }
}

function fourTuple(socket: Socket): string {
  return [socket.localAddress, socket.localPort, socket.remoteAddress, socket.remotePort].join(' ');
}

function peerOf(socket: Socket): Peer {
  return {
    address: plainAddress(socket.remoteAddress),
    port: socket.remotePort ?? 0,
    local: { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 },
  };
}
