import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** Passes TCP connections on to a port that changes when its process is started again; and cuts them at random. */
export class CuttingProxy {
  cuts = 0;
  isCutting = true;
  port = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(
    private readonly target: () => number,
    private readonly random: () => number,
    /** How long a connection lasts on average, milliseconds. */
    private readonly lifetime: number,
  ) {
    this.#server = createServer((client) => this.#pass(client));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #pass(client: Socket): void {
    const port = this.target();
    if (port === 0) {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port, noDelay: true });
    client.setNoDelay(true);
    const pair = [client, server];
    const timer = this.#cutLater(pair);
    const end = (): void => {
      clearTimeout(timer);
      for (const socket of pair) {
        socket.destroy();
        this.#sockets.delete(socket);
      }
    };
    for (const socket of pair) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.pipe(server);
    server.pipe(client);
  }

  /** Also in the middle of a message: what has not arrived is lost. */
  #cutLater(pair: readonly Socket[]): NodeJS.Timeout | undefined {
    if (!this.isCutting) return undefined;
    const wait = -Math.log(1 - this.random()) * this.lifetime;
    return setTimeout(() => {
      if (!this.isCutting) return;
      this.cuts++;
      for (const socket of pair) socket.destroy();
    }, wait);
  }
}
