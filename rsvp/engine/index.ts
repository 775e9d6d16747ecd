/** The soft-state engine of one node: RFC 2205 with the processing rules of RFC 2209. */
export { defaultAdspec, updateAdspec } from './adspec.js';
export type { Advertisement } from './adspec.js';
export type { ReserveRequest, SenderRequest } from './api.js';
export type { PolicyDataSource } from './policy-data.js';
export type { EngineEffect } from './effect.js';
export { Engine } from './engine.js';
export type * from './event.js';
export {
  compareFlows,
  flowOf,
  flowspecOf,
  flowText,
  glb,
  limitFlow,
  lub,
  rateOf,
  readFlow,
  readTspec,
  tspecOf,
} from './flow.js';
export type { Comparison, Flow, QosService, TokenBucket } from './flow.js';
export type { SessionName } from './identity.js';
export type { NodeInterface, Route, Routing } from './node.js';
export type { EngineOptions, Limits } from './options.js';
export type { ArrivedPacket, SentPacket } from './packet.js';
export type { PolicyAnswer, PolicyQuestion } from './policy.js';
export type { StyleName } from './style.js';
export type { TrafficReservation } from './traffic.js';
export type {
  InterfaceView,
  ReservationView,
  SenderView,
  SessionView,
  StateCount,
  TrafficView,
  UpstreamView,
} from './view.js';
