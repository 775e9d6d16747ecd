/** The clearing centre at its edge: database, HTTPS server, client, the loop that deposits. */
export { ClearingClient, ClearingRefused, ClearingUnavailable } from './client.js';
export type { ClearingClientOptions } from './client.js';
export { depositAll } from './depositor.js';
export type { DepositAllOptions, DepositCounts, DepositTaker } from './depositor.js';
export { DEFAULT_SERVER_LIMITS, MAX_DEPOSITS } from './limits.js';
export type { ServerLimits } from './limits.js';
export { openClearing } from './open.js';
export type { OpenClearing } from './open.js';
export { ClearingServer } from './server.js';
export type { ClearingLog, ClearingServerOptions } from './server.js';
