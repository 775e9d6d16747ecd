import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** `/metrics`, `/-/healthy` and `/-/ready`, as Prometheus and its friends ask for them. */
export class HealthServer {
  readonly #server: Server;

  constructor(registry: Registry, isReady: () => boolean) {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0];
      if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 405, 'only GET');
      else if (path === '/-/healthy') answer(response, 200, 'healthy');
      else if (path === '/-/ready')
        answer(response, isReady() ? 200 : 503, isReady() ? 'ready' : 'not ready');
      else if (path === '/metrics') {
        registry.metrics().then(
          (text) => answer(response, 200, text, registry.contentType),
          (error: unknown) => answer(response, 500, String(error)),
        );
      } else answer(response, 404, 'try /metrics, /-/healthy or /-/ready');
    });
    this.#server.headersTimeout = 5000;
    this.#server.requestTimeout = 5000;
    this.#server.maxConnections = 64;
  }

  async listen(address: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, address, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    return this.#server.address() as AddressInfo;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body.endsWith('\n') ? body : `${body}\n`);
}
