import { RSVP } from '../../rsvp/wire/index.js';

/** What the commands know of RSVP. */
export const RSVP_CODEC = RSVP;
