/** Linux traffic control for reservations: what talks to tc. */
export { TcTrafficControl } from './control.js';
export type { TcOptions } from './control.js';
export { NullTrafficControl } from './null.js';
