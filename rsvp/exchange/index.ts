/** What lies between an engine's state and packets: refreshes, their reduction, authentication. */
export type { Advert, ArrivedMessage, Refreshed } from './advert.js';
export type { MessageOrder } from './bindings.js';
export { CAUSES } from './effect.js';
export type { Cause, ExchangeEffect } from './effect.js';
export { Exchange } from './exchange.js';
export type { ExchangeInterface, ExchangeOptions } from './options.js';
export type { Outgoing } from './outgoing.js';
