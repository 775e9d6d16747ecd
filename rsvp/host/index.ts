/** The application's side of RSVP: sessions that send and reserve (RFC 2205 3.11.1). */
export type { ReserveRequest, SenderRequest } from '../engine/api.js';
export { HostSession } from './session.js';
export type { HostEvent, HostNode } from './session.js';
