/** Linux traffic control for reservations: the plan. What talks to tc is in `io/`. */
export { TrafficError } from './control.js';
export type {
  ClassStatistics,
  ControlledInterface,
  InterfaceStatistics,
  ReservationStatistics,
  TrafficControl,
  TrafficStatistics,
} from './control.js';
export type { TrafficCapabilities, TrafficSettings } from './settings.js';
export { InterfacePlan } from './plan.js';
export type { Command } from './command.js';
