/** RSVP on Linux: packets, interfaces and routes of the kernel, and an engine among them. */
export { Alarm } from './alarm.js';
export {
  isForwarding,
  KernelNetwork,
  type InterfaceSettings,
  type KernelNetworkOptions,
  type NetworkChange,
} from './kernel-network.js';
export { RawSocketError } from './native.js';
export { RawTransport, type RawTransportOptions } from './raw.js';
export type { NextHop, StaticMulticastRoute } from './route-table.js';
export {
  EngineRunner,
  type DecidingPolicy,
  type ReservingTraffic,
  type RunnableEngine,
  type RunnerOptions,
} from './runner.js';
export {
  addStatistics,
  type Transport,
  type TransportReceiver,
  type TransportStatistics,
  type TransportTrouble,
} from './transport.js';
export { GROUP, PU, PU_PRIME, UdpTransport, type UdpInterface, type UdpTransportOptions } from './udp.js';
