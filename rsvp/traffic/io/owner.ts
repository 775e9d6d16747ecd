import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { TrafficError } from '../control.js';

/**
 * Who controls an interface holds a socket in the abstract namespace, which belongs to the network namespace as the interface
 * does, and goes with its process however that ends. So what a dead process left is told from what a living one has.
 */
export class Ownership {
  readonly #sockets = new Map<string, Server>();

  async take(device: string): Promise<void> {
    if (this.#sockets.has(device)) return;
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'EADDRINUSE'
            ? new TrafficError(`another process controls ${device}`)
            : new TrafficError(`${device}: ${error.message}`),
        ),
      );
      server.listen(`\0bandex-traffic/${device}`, resolve);
    });
    // It alone keeps nobody alive.
    server.unref();
    this.#sockets.set(device, server);
  }

  giveUp(device: string): Promise<void> {
    const server = this.#sockets.get(device);
    this.#sockets.delete(device);
    return new Promise((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  }

  async giveUpAll(): Promise<void> {
    await Promise.all([...this.#sockets.keys()].map((device) => this.giveUp(device)));
  }
}
