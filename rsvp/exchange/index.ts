/** What lies between an engine's state and packets: refreshes, their reduction, authentication. */
export type { Advert, ArrivedMessage, Refreshed } from './advert.js';
export type { MessageOrder } from './bindings.js';
export { CAUSES } from './effect.js';
export type { Cause, ExchangeEffect, Notice } from './effect.js';
export { Exchange } from './exchange.js';
export { KeyRing } from './keys.js';
export type { IntegrityAlgorithm, IntegrityKey } from './keys.js';
export type { ExchangeInterface, ExchangeOptions, InterfaceIntegrity, Retransmission } from './options.js';
export type { Outgoing } from './outgoing.js';
