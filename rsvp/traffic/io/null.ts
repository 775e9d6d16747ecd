import type { TrafficReservation } from '../../engine/traffic.js';
import { NOTHING_SENT, TrafficError } from '../control.js';
import type { ControlledInterface, TrafficControl, TrafficStatistics } from '../control.js';
import { flowsOf } from '../flow.js';
import { checkReservation } from '../plan.js';

/**
 * No traffic control: reservations are kept in mind and enforced by nobody, for machines without tc and for simulations. It
 * refuses what `TcTrafficControl` refuses, but for what only a kernel knows; nothing is counted.
 */
export class NullTrafficControl implements TrafficControl {
  readonly #interfaces = new Map<number, Map<number, TrafficReservation>>();

  async start(interfaces: readonly ControlledInterface[]): Promise<void> {
    for (const controlled of interfaces) await this.add(controlled);
  }

  add({ name, index }: ControlledInterface): Promise<void> {
    if (this.#interfaces.has(index))
      return Promise.reject(new TrafficError(`${name} is controlled already`, { interface: index }));
    this.#interfaces.set(index, new Map());
    return Promise.resolve();
  }

  remove(index: number): Promise<void> {
    this.#interfaces.delete(index);
    return Promise.resolve();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what is thrown must reject
  async reserve(reservation: TrafficReservation): Promise<void> {
    const { id, interface: index } = reservation;
    const held = this.#interfaces.get(index);
    if (held === undefined)
      throw new TrafficError(`interface ${index} is not controlled`, { reservation: id, interface: index });
    checkReservation(reservation);
    flowsOf(reservation);
    held.set(id, reservation);
  }

  release(id: number, index: number): Promise<void> {
    this.#interfaces.get(index)?.delete(id);
    return Promise.resolve();
  }

  statistics(): Promise<TrafficStatistics> {
    const entries = [...this.#interfaces];
    return Promise.resolve({
      reservations: entries.flatMap(([index, held]) =>
        [...held.keys()].map((reservation) => ({ reservation, interface: index, ...NOTHING_SENT })),
      ),
      interfaces: entries.map(([index]) => ({
        interface: index,
        bestEffort: NOTHING_SENT,
        signalling: NOTHING_SENT,
      })),
    });
  }

  close(): Promise<void> {
    this.#interfaces.clear();
    return Promise.resolve();
  }
}
