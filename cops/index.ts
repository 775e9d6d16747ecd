/** COPS (RFC 2748, 2749, 4261): the wire format, and the machines of a PDP and a PEP. Sockets are in `bandex/cops/io`. */
export * from './wire/codes.js';
export { isDecisionError } from './wire/decision.js';
export type { Command, ContextDecision, Decision, DecisionError, RequestContext } from './wire/decision.js';
export type { Fault } from './wire/fault.js';
export { Framer } from './wire/framer.js';
export { check } from './wire/grammar.js';
export { KeyRing } from './wire/integrity.js';
export type { CopsKey } from './wire/integrity.js';
export { COPS, CopsCodec } from './wire/message.js';
export type { CopsInput, CopsMessage } from './wire/message.js';
export * from './wire/objects.js';
export { rsvpObjects, rsvpOctets } from './wire/rsvp-contents.js';
export { MessageView } from './wire/view.js';
export type { PdpAddress } from './wire/writer.js';

export { PDP_LIMITS } from './pdp/options.js';
export type { EndOfRequest, PdpHooks, PdpLimits, PdpOptions, PdpReport, Peer } from './pdp/options.js';
export { Pdp } from './pdp/pdp.js';
export type { PdpEffect, SessionFilter } from './pdp/pdp.js';
export type { PdpConnection } from './pdp/connection.js';
export { PdpRequest } from './pdp/request.js';
export type { ClientSi, Interface } from './pdp/request.js';
export { PdpSession } from './pdp/session.js';

export { PEP_LIMITS } from './pep/options.js';
export type {
  DecisionSource,
  PdpTarget,
  PepEffect,
  PepLimits,
  PepOptions,
  PepRequest,
  RequestFailure,
} from './pep/options.js';
export { Pep } from './pep/pep.js';
