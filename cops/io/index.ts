/** COPS on sockets: a PDP that listens, a PEP that connects. */
export { PepClient, RequestError } from './pep.js';
export type { PepAnswer, PepClientOptions } from './pep.js';
export { PdpServer } from './server.js';
export type { ListenOptions, PdpServerOptions } from './server.js';
