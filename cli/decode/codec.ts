import { PAYMENT_RSVP } from '../../policy/payment/element.js';

/** What the commands know of RSVP: everything in `rsvp/wire`, and the payment element. */
export const RSVP_CODEC = PAYMENT_RSVP;
