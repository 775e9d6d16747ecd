/** RSVP: its wire format, the soft-state engine of a node, and the exchange with its neighbours. */
export * from './wire/index.js';
export * from './engine/index.js';
export * from './exchange/index.js';
