/** RSVP's wire format: octets to objects and back, text and JSON. */

// Messages.
export { checkChecksum, checksumOf, find, RsvpCodec } from './message.js';
export type { ChecksumState, RsvpInput, RsvpMessage } from './message.js';
export { MESSAGES, MESSAGE_TYPES, PROTOCOLS, unknownClassAction } from './numbers.js';
export type { MessageType, UnknownClassAction } from './numbers.js';
export { PolicyData, RSVP, rsvpWith } from './rsvp.js';
export type { RsvpExtensions } from './rsvp.js';
export { FormError, WireError } from './error.js';
export type { WireErrorCode, WireErrorDetails } from './error.js';
export { fromHex, printable, Reader, toHex, Writer } from './octets.js';

// Objects and what they hold.
export * from './objects/index.js';
export * from './errors.js';
export * from './intserv.js';
export * from './interfaces.js';
export * from './policy.js';
export * from './route.js';
export * from './style.js';

export { supportTable } from './support.js';

// To declare formats in the same manner.
export { declare, firstOf } from './declare.js';
export type { MemberHead, MemberType, ValueIn } from './declare.js';
export { Family } from './family.js';
export type { Extra, Header, Member, Opaque } from './family.js';
export * as field from './field.js';
export type { Field, Look } from './field.js';
export { layout } from './layout.js';
export type { Fields, Front, InputOf, Layout, Tail, Tails, ValueOf } from './layout.js';
export { object, objectFamily, objectKey } from './object.js';
export type { AnyObjectType, ObjectHead, ObjectType, WireObject } from './object.js';
export * as tail from './tail.js';
