/** RSVP's wire format: octets to objects and back, text and JSON. */
export { FormError, WireError } from './error.js';
export type { WireErrorCode, WireErrorDetails } from './error.js';
export { checkChecksum, checksumOf, find, RsvpCodec } from './message.js';
export type { ChecksumState, RsvpInput, RsvpMessage } from './message.js';
export { object, objectFamily } from './object.js';
export type { AnyObjectType, ObjectHead, ObjectType, WireObject } from './object.js';
export { fromHex, printable, Reader, toHex, Writer } from './octets.js';
export { RSVP, RSVP_OBJECTS } from './rsvp.js';
