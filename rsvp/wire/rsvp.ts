import { RsvpCodec } from './message.js';
import { objectFamily } from './object.js';
import type { AnyObjectType } from './object.js';
import { SessionIpv4, SessionIpv6 } from './objects/session.js';

/** Every RSVP object we know, in the order of class and C-Type. */
export const RSVP_OBJECTS: readonly AnyObjectType[] = [SessionIpv4, SessionIpv6];

export const RSVP = new RsvpCodec(
  objectFamily({ what: 'object', rfc: 'RFC 2205 3.1.2', padded: false }, RSVP_OBJECTS),
);
