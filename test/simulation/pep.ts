import type { Asked } from './checks.js';
import { Connection } from './connection.js';
import type { Model } from './model.js';
import type { SimulatedPdp } from './pdp.js';
import type { Scheduler } from './scheduler.js';

/** How long decisions are used without a PDP (RFC 2749 3.5), in the measure of `TIMES`. */
const CACHE_TIME = 13_000;

interface RouterState {
  asked: Asked;
  isInstalled: boolean;
  isAwaited: boolean;
  /** It was reported that `asked` is installed. */
  isSuccess: boolean;
}

/** A router as a PEP: asks, reports or does not, loses its connections, and brings its state to the next PDP. */
export class SimulatedPep {
  readonly states = new Map<string, RouterState>();
  #connection: Connection | undefined;
  #lostAt = 0;
  #handles = 0;
  isQuiet = false;

  constructor(
    readonly name: string,
    private readonly scheduler: Scheduler,
    private readonly model: Model,
    private readonly pdps: () => readonly SimulatedPdp[],
    private readonly newConnectionId: () => number,
  ) {
    this.#connectLater(500);
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  get isSettled(): boolean {
    return this.#connection !== undefined && [...this.states.values()].every(({ isAwaited }) => !isAwaited);
  }

  /** A new request; or, with a handle, another payment or another reservation for an old one. */
  ask(asked: Asked, handle = String(++this.#handles)): void {
    const state = this.states.get(handle);
    if (state === undefined) {
      const fresh = { asked, isInstalled: false, isAwaited: false, isSuccess: false };
      this.states.set(handle, fresh);
      this.#request(handle, fresh);
    } else if (!state.isAwaited) {
      state.asked = asked;
      state.isSuccess = false;
      this.#request(handle, state);
    }
  }

  refresh(handle: string): void {
    const state = this.states.get(handle);
    if (state !== undefined && !state.isAwaited) this.#request(handle, state);
  }

  delete(handle: string): void {
    if (!this.states.delete(handle)) return;
    this.#connection?.toPdp((pdp) => pdp.delete(this.#connection as Connection, handle));
  }

  cut(): void {
    this.#connection?.cut();
  }

  decided(handle: string, isInstall: boolean, isSolicited: boolean): void {
    const state = this.states.get(handle);
    if (state === undefined) return;
    if (isSolicited) state.isAwaited = false;
    state.isInstalled = isInstall;
    const { scheduler } = this;
    if (!isInstall) {
      state.isSuccess = false;
      if (!this.isQuiet && scheduler.chance(0.5)) scheduler.later(0, 3000, () => this.delete(handle));
    } else if (state.isSuccess) this.#report(handle, true);
    else {
      const chance = this.isQuiet ? 0 : scheduler.random();
      const { asked } = state;
      const isSame = (): boolean => state.asked === asked && state.isInstalled && !state.isAwaited;
      if (chance < 0.75)
        scheduler.later(0, chance < 0.1 && !this.isQuiet ? 9000 : 500, () => {
          if (isSame()) this.#report(handle, true);
        });
      else if (chance < 0.87)
        scheduler.later(0, 500, () => {
          if (!isSame()) return;
          this.#report(handle, false);
          this.delete(handle);
        });
    }
  }

  lost(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#lostAt = this.scheduler.now;
    this.#connectLater(this.isQuiet || this.scheduler.chance(0.8) ? 2000 : 16_000);
  }

  #report(handle: string, isSuccess: boolean): void {
    const state = this.states.get(handle);
    if (state === undefined) return;
    state.isSuccess = isSuccess;
    if (isSuccess) this.model.reported(this.scheduler.now, state.asked.reservation);
    const connection = this.#connection;
    connection?.toPdp((pdp) => pdp.report(connection, handle, isSuccess));
  }

  #request(handle: string, state: RouterState): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    state.isAwaited = true;
    const { asked } = state;
    connection.toPdp((pdp) => pdp.request(connection, handle, asked));
  }

  #connectLater(most: number): void {
    this.scheduler.later(20, most, () => {
      const up = this.pdps().filter(
        (pdp) => pdp.isListening && (!pdp.isStopped || this.scheduler.chance(0.3)),
      );
      if (up.length === 0) this.#connectLater(2000);
      else this.#connect(this.scheduler.pick(up));
    });
  }

  #connect(pdp: SimulatedPdp): void {
    if (this.scheduler.now - this.#lostAt > CACHE_TIME) this.states.clear();
    const connection = new Connection(this.newConnectionId(), this.name, this.scheduler, this, pdp);
    this.#connection = connection;
    for (const [handle, state] of this.states) this.#request(handle, state);
    connection.toPdp(() => pdp.synchronized(connection));
  }
}
