import type { Scheduler } from './scheduler.js';
import type { SimulatedPdp } from './pdp.js';
import type { SimulatedPep } from './pep.js';

/** A COPS connection: each direction keeps its order; when it is cut, what was under way is lost. */
export class Connection {
  isCut = false;
  #toPdp = 0;
  #toPep = 0;

  constructor(
    readonly id: number,
    readonly pepId: string,
    private readonly scheduler: Scheduler,
    private readonly pep: SimulatedPep,
    readonly pdp: SimulatedPdp,
  ) {
    this.toPdp(() => pdp.accept(this));
  }

  toPdp(tell: (pdp: SimulatedPdp) => void): void {
    const { scheduler, pdp } = this;
    this.#toPdp = Math.max(this.#toPdp, scheduler.now + scheduler.between(0.5, 40));
    scheduler.at(this.#toPdp, () =>
      pdp.whenRunning((isAlive) => {
        // Nobody is there any more: the first segment says so.
        if (!isAlive) this.cut();
        else if (!this.isCut) tell(pdp);
      }),
    );
  }

  toPep(tell: (pep: SimulatedPep) => void): void {
    const { scheduler } = this;
    this.#toPep = Math.max(this.#toPep, scheduler.now + scheduler.between(0.5, 40));
    scheduler.at(this.#toPep, () => {
      if (!this.isCut) tell(this.pep);
    });
  }

  /** Each end hears of it in its own time. */
  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    const { scheduler, pdp } = this;
    scheduler.later(0, 400, () =>
      pdp.whenRunning((isAlive) => {
        if (isAlive) pdp.lost(this);
      }),
    );
    scheduler.later(0, 400, () => this.pep.lost(this));
  }
}
