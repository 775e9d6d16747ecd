/** RSVP: so far, its wire format. */
export * from './wire/index.js';
