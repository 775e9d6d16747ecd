import { Cashier } from '../../policy/payment/index.js';
import type { Books, PaymentPolicy, Verdict } from '../../policy/payment/index.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import { StoredBooks } from '../../policy/stores/io/books.js';
import type { Store } from '../../policy/stores/store.js';
import type { Asked } from './checks.js';
import { requestOf } from './checks.js';
import type { Connection } from './connection.js';
import { Entry } from './model.js';
import type { Model, Server } from './model.js';
import type { Scheduler } from './scheduler.js';
import { TroubledStore } from './store.js';
import type { Owner, Troubles } from './store.js';

/** Virtual milliseconds: those of `bandex pdp`, shortened alike. */
export const TIMES = {
  hold: 6000,
  dead: 10_000,
  beat: 3500,
  sweep: 5500,
  look: 2500,
  /** How long a PDP keeps the states of a PEP that is away. */
  retention: 8000,
  resume: 1_000_000,
  timeout: 5000,
} as const;

export interface PdpWorld {
  readonly scheduler: Scheduler;
  readonly store: Store<BooksSchema>;
  readonly policy: PaymentPolicy;
  readonly model: Model;
  readonly troubles: () => Troubles;
  readonly ran: () => Promise<void>;
  readonly newId: () => string;
  /** What a mutation does to the books. */
  readonly disguise: (books: StoredBooks) => Books;
}

interface State {
  readonly holder: string;
  readonly pepId: string;
  readonly handle: string;
  readonly entry: Entry;
  connection: Connection | undefined;
  asked: Asked;
  isPending: boolean;
  /** Can be told of a Remove, as `PdpService` remembers it. */
  isHolder: boolean;
  revision: boolean;
  generation: number;
  readonly queue: (() => void)[];
}

/**
 * A policy server: the cashier and the books as they are, and around them what `PdpServer`, `PdpService` and `Till` do, on
 * virtual time. It can be stopped, and killed at any instant.
 */
export class SimulatedPdp implements Owner, Server {
  readonly books: StoredBooks;
  readonly cashier: Cashier;
  readonly scheduler: Scheduler;
  crashedAt: number | undefined;
  sweptAt: number | undefined;
  lastSweptAt: number | undefined;
  /** Does the database know of it? */
  #isKnown = false;
  #beatAt = 0;
  isListening = false;
  #backlog: (() => void)[] | undefined;
  readonly #states = new Map<string, State>();
  readonly connections = new Set<Connection>();
  #serial = 0;
  #isFrozen = false;

  constructor(
    readonly name: string,
    private readonly world: PdpWorld,
  ) {
    const { scheduler, store, troubles, ran, policy } = world;
    this.scheduler = scheduler;
    this.books = new StoredBooks(new TroubledStore(store, this, troubles, ran), {
      ...{ instance: name, resume: TIMES.resume, timeout: TIMES.timeout },
      timing: {
        defer: (run) => this.#later(0, 3, run),
        after: (milliseconds, run) => {
          let isCancelled = false;
          this.#later(milliseconds, milliseconds, () => {
            if (!isCancelled) run();
          });
          return () => (isCancelled = true);
        },
      },
    });
    this.cashier = new Cashier({
      policy,
      books: world.disguise(this.books),
      newId: world.newId,
      holdTimeout: TIMES.hold,
      removed: (holder, verdict) => this.#removed(holder, verdict),
      sleep: (milliseconds) => new Promise((resolve) => this.#later(milliseconds, milliseconds + 1, resolve)),
      failed: () => undefined,
    });
    void this.#start();
  }

  get isAlive(): boolean {
    return this.crashedAt === undefined;
  }

  get isLeaving(): boolean {
    return this.#isFrozen;
  }

  /** Another PDP may have taken us for dead: nothing was certainly heard of us for so long. */
  isOverdue(now: number): boolean {
    return this.#isKnown && now - this.#beatAt > TIMES.dead - 1000;
  }

  /** Whether the database says that we are alive, just now. */
  noteKnown(isKnown: boolean): void {
    if (this.#isKnown && !isKnown) {
      this.sweptAt = this.lastSweptAt = this.scheduler.now;
      this.world.model.tell(this.scheduler.now, `${this.name} is taken for dead`);
      this.world.model.swept(this);
    }
    this.#isKnown = isKnown;
  }

  get isStopped(): boolean {
    return this.#backlog !== undefined;
  }

  whenRunning(run: (isAlive: boolean) => void | Promise<void>): void | Promise<void> {
    if (this.#backlog === undefined || !this.isAlive) return run(this.isAlive);
    this.#backlog.push(() => void run(this.isAlive));
    return undefined;
  }

  /** SIGKILL. */
  crash(): void {
    this.crashedAt = this.scheduler.now;
    this.world.model.tell(this.crashedAt, `${this.name} crashes`);
    this.isListening = false;
    for (const connection of this.connections) connection.cut();
    for (const run of this.#backlog ?? []) run();
    this.#backlog = undefined;
  }

  /** SIGSTOP, and SIGCONT later. */
  stop(milliseconds: number): void {
    if (this.#backlog !== undefined || !this.isAlive) return;
    this.#backlog = [];
    this.world.model.tell(this.scheduler.now, `${this.name} is stopped for ${milliseconds.toFixed(0)} ms`);
    this.scheduler.at(this.scheduler.now + milliseconds, () => {
      const backlog = this.#backlog ?? [];
      this.#backlog = undefined;
      // In order, a little apart: one process does one thing after another.
      backlog.forEach((run, i) => this.#later(i / 100, i / 100, run));
    });
  }

  /** SIGTERM. */
  leave(): void {
    if (!this.isListening || this.isStopped) return;
    this.world.model.tell(this.scheduler.now, `${this.name} leaves`);
    this.cashier.freeze();
    this.#isFrozen = true;
    this.isListening = false;
    for (const connection of this.connections) connection.cut();
    this.#later(5000, 5000, () => (this.crashedAt ??= this.scheduler.now));
  }

  // What PEPs say. All of it comes while the process runs.

  accept(connection: Connection): void {
    if (!this.isListening) {
      connection.cut();
      return;
    }
    this.connections.add(connection);
    // States that were kept for this PEP are its again; what it does not ask for anew has ended.
    for (const state of this.#states.values()) {
      if (state.pepId !== connection.pepId) continue;
      state.connection = connection;
    }
  }

  request(connection: Connection, handle: string, asked: Asked): void {
    let state = this.#find(connection, handle);
    if (state === undefined) {
      const holder = String(++this.#serial);
      const entry = new Entry(this, `${this.name}/${connection.pepId}/${handle}`);
      this.world.model.entries.add(entry);
      state = {
        ...{ holder, pepId: connection.pepId, handle, entry, connection, asked },
        ...{ isPending: false, isHolder: false, revision: false, generation: connection.id, queue: [] },
      };
      this.#states.set(holder, state);
    }
    const found = state;
    found.generation = connection.id;
    this.#do(found, () => this.#decide(found, asked));
  }

  report(connection: Connection, handle: string, isSuccess: boolean): void {
    const state = this.#find(connection, handle);
    if (state === undefined) return;
    this.#do(state, () => {
      if (isSuccess) this.world.model.heard(this.scheduler.now, state.entry);
      else this.world.model.failed(this.scheduler.now, state.entry);
      this.cashier.report(state.holder, isSuccess, this.scheduler.now);
    });
  }

  delete(connection: Connection, handle: string): void {
    const state = this.#find(connection, handle);
    if (state !== undefined) this.#end(state);
  }

  /** The PEP has told us of all that it has. */
  synchronized(connection: Connection): void {
    for (const state of this.#states.values())
      if (state.connection === connection && state.generation !== connection.id) this.#end(state);
  }

  lost(connection: Connection): void {
    this.connections.delete(connection);
    for (const state of this.#states.values()) {
      if (state.connection !== connection) continue;
      state.connection = undefined;
      this.#later(TIMES.retention, TIMES.retention + 100, () => {
        if (state.connection === undefined && this.#states.get(state.holder) === state) this.#end(state);
      });
    }
  }

  /** Holders that the books should know, and how many of them were told Install last. */
  held(): { readonly name: string; readonly isInstalled: boolean; readonly reservation: string }[] {
    return Array.from(this.#states.values(), ({ holder, entry }) => ({
      ...{ name: `${this.name}/${holder}`, isInstalled: entry.isInstalled, reservation: entry.reservation },
    }));
  }

  #find(connection: Connection, handle: string): State | undefined {
    for (const state of this.#states.values())
      if (state.connection === connection && state.handle === handle) return state;
    return undefined;
  }

  /** Nothing about a request is told while its decision is pending. */
  #do(state: State, run: () => void): void {
    if (state.isPending) state.queue.push(run);
    else run();
  }

  #end(state: State): void {
    this.#states.delete(state.holder);
    this.#do(state, () => {
      this.world.model.ended(this.scheduler.now, state.entry);
      this.cashier.forget(state.holder, this.scheduler.now);
    });
  }

  #decide(state: State, asked: Asked): void {
    const { now } = this.scheduler;
    state.asked = asked;
    this.world.model.asked(now, state.entry, asked);
    const verdict = this.cashier.decide(requestOf(asked, state.holder, state.pepId, state.handle), now);
    if (!('then' in verdict)) {
      this.#tell(state, asked, verdict);
      return;
    }
    state.isPending = true;
    void verdict.then((later) => {
      if (!this.isAlive) return;
      state.isPending = false;
      this.#tell(state, asked, later);
      if (state.revision) this.#takeBack(state, 'revised');
      while (!state.isPending) {
        const next = state.queue.shift();
        if (next === undefined) break;
        next();
      }
    });
  }

  #tell(state: State, asked: Asked, verdict: Verdict): void {
    const { model } = this.world;
    if (verdict.payment !== undefined) state.isHolder = true;
    if (verdict.granted) model.installed(this.scheduler.now, state.entry, asked);
    else model.removed(this.scheduler.now, state.entry, asked, verdict.refusal?.reason ?? 'refused', true);
    this.#send(state, verdict.granted, true);
  }

  /** The cashier takes back what it granted. */
  #removed(holder: string, verdict: Verdict): void {
    const state = this.#states.get(holder);
    if (state?.isHolder !== true) return;
    state.isHolder = false;
    const reason = verdict.refusal?.reason ?? 'refused';
    if (state.isPending) state.revision = true;
    else this.#takeBack(state, reason);
  }

  #takeBack(state: State, reason: string): void {
    state.revision = false;
    this.world.model.removed(this.scheduler.now, state.entry, state.asked, reason, false);
    this.#send(state, false, false);
  }

  #send({ connection, handle }: State, isInstall: boolean, isSolicited: boolean): void {
    connection?.toPep((pep) => pep.decided(handle, isInstall, isSolicited));
  }

  /** What `Till` does on real time. */
  async #start(): Promise<void> {
    for (;;) {
      try {
        const { now } = this.scheduler;
        await this.books.beat(now);
        this.#isKnown = true;
        this.#beatAt = now;
        break;
      } catch {
        // A process that does not come up is started again.
      }
    }
    if (this.#isFrozen || !this.isAlive) return;
    this.isListening = true;
    this.#every(TIMES.beat, () => this.#beat());
    this.#every(TIMES.sweep, async () => {
      await this.books.sweep(this.scheduler.now - TIMES.dead, this.scheduler.now);
    });
    this.#ring();
  }

  async #beat(): Promise<void> {
    const { now } = this.scheduler;
    const isAlive = await this.books.beat(now);
    this.#beatAt = now;
    if (isAlive) return;
    await this.cashier.renew(this.scheduler.now);
    this.sweptAt = undefined;
    this.world.model.renewed(this.scheduler.now, this);
    this.world.model.tell(this.scheduler.now, `${this.name} has renewed what it holds`);
  }

  #every(milliseconds: number, run: () => Promise<void>): void {
    let isRunning = false;
    const next = (): void => {
      this.#later(milliseconds, milliseconds + 50, () => {
        if (this.#isFrozen) return;
        next();
        if (isRunning) return;
        isRunning = true;
        run()
          .catch(() => undefined)
          .finally(() => (isRunning = false))
          .catch(() => undefined);
      });
    };
    next();
  }

  #ring(): void {
    const { now } = this.scheduler;
    const wait = Math.max(0, Math.min((this.cashier.nextTimeout(now) ?? Infinity) - now, TIMES.look));
    this.#later(wait, wait + 20, () => {
      if (this.#isFrozen) return;
      void this.cashier.handleTimeout(this.scheduler.now).then(() => this.#ring());
    });
  }

  #later(low: number, high: number, run: () => void): void {
    this.scheduler.later(low, high, () =>
      this.whenRunning((isAlive) => {
        if (isAlive) run();
      }),
    );
  }
}
