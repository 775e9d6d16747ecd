import type { Decision } from '../cops/index.js';
import { PdpServer } from '../cops/io/index.js';
import type { PdpRequest } from '../cops/index.js';

/**
 * The PDP that `bench/cops.ts` runs in a process of its own. Its one argument is the URL of a module that exports
 * `decide`; without it every request is installed.
 */
interface Decider {
  readonly decide: (request: PdpRequest) => Decision | Promise<Decision>;
}

const INSTALL: Decision = { command: 'install' };
const [url] = process.argv.slice(2);
const { decide } = url === undefined ? { decide: () => INSTALL } : ((await import(url)) as Decider);
const server = new PdpServer({ decide, keepAlive: 0 });
const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port });
process.on('disconnect', () => process.exit(0));
