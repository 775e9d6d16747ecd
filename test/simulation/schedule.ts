import { sql } from 'kysely';
import { credentialDigest } from '../../policy/keynote/index.js';
import type { Books, PaymentPolicy } from '../../policy/payment/index.js';
import type { ClearingSchema } from '../../policy/clearing/index.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import { StoredBooks } from '../../policy/stores/io/books.js';
import type { Store } from '../../policy/stores/store.js';
import { AUTHORIZATION, CheckPolicy } from './checks.js';
import type { Check } from './checks.js';
import { alwaysRunning, PAYERS, SimulatedClearing } from './clearing.js';
import { checkBooks } from './final.js';
import { Model } from './model.js';
import type { Mutation } from './mutations.js';
import { SimulatedPdp, TIMES } from './pdp.js';
import type { PdpWorld } from './pdp.js';
import { SimulatedPep } from './pep.js';
import { Scheduler } from './scheduler.js';
import { NO_TROUBLES, TroubledStore } from './store.js';
import type { Troubles } from './store.js';

const TROUBLE = 20_000;
/** After this whoever was stopped goes on, and slow transactions are done. */
const CALM = TROUBLE + 18_000;
/** Long enough for a dead PDP to be swept, and for what is held to be released. */
const END = CALM + 20_000;
const ACTIONS = 14;
const TABLES = ['nonces', 'grants', 'credentials', 'holders', 'instances', 'totals'];

const HARSH: Troubles = { before: 0.04, aborted: 0.03, unknown: 0.04, twice: 0.03, slow: 0.015 };

export interface Databases {
  readonly books: Store<BooksSchema>;
  readonly clearing: Store<ClearingSchema>;
}

/** One random history of three policy servers, two or three routers, their customers, and the clearing centre. */
export class Schedule {
  readonly scheduler: Scheduler;
  readonly model = new Model(TIMES.hold, process.env['BANDEX_SEED'] !== undefined);
  readonly pdps: SimulatedPdp[] = [];
  readonly peps: SimulatedPep[];
  readonly clearing: SimulatedClearing;
  readonly #checks: readonly Check[];
  readonly #reservations: readonly string[];
  readonly #policy = new CheckPolicy(credentialDigest(AUTHORIZATION));
  readonly #world: PdpWorld;
  #troubles: Troubles;
  #ids = 0;
  #instances = 0;
  #connections = 0;

  static async run(databases: Databases, seed: number, mutation?: Mutation): Promise<void> {
    await databases.books.transaction(async (db) => {
      for (const table of TABLES) await sql.raw(`delete from ${table}`).execute(db);
    });
    await new Schedule(databases, seed, mutation).#run();
  }

  private constructor(
    private readonly databases: Databases,
    seed: number,
    mutation: Mutation | undefined,
  ) {
    const scheduler = (this.scheduler = new Scheduler(seed));
    this.#troubles = scheduler.chance(0.7) ? HARSH : NO_TROUBLES;
    this.#checks = Array.from({ length: 4 }, (_, n) => this.#check(`s${seed}-n${n}`));
    this.#reservations = ['A', 'B', 'C'].map((name) => `s${seed}-${name}`);
    const ran = async (): Promise<void> => {
      await mutation?.afterTransaction?.(databases.books);
      await this.#noteSwept();
    };
    this.#world = {
      ...{
        scheduler,
        store: databases.books,
        policy: this.#policy as unknown as PaymentPolicy,
        model: this.model,
      },
      troubles: () => this.#troubles,
      ran,
      newId: () => `s${seed}-g${++this.#ids}`,
      disguise: (books): Books => mutation?.disguise?.(books) ?? books,
    };
    const servers = scheduler.pick([1, 2, 2, 3]);
    for (let n = 0; n < servers; n++) this.#startPdp();
    this.peps = ['pep-1', 'pep-2', 'pep-3'].slice(0, scheduler.pick([2, 3])).map(
      (name) =>
        new SimulatedPep(
          name,
          scheduler,
          this.model,
          () => this.pdps,
          () => ++this.#connections,
        ),
    );
    const depositor = new StoredBooks(
      new TroubledStore(databases.books, alwaysRunning(scheduler), () => this.#troubles, ran),
      { instance: 'depositor' },
    );
    this.clearing = new SimulatedClearing(
      scheduler,
      databases.clearing,
      mutation?.disguiseDepositor?.(depositor) ?? depositor,
      this.model,
      () => this.#troubles,
    );
  }

  async #run(): Promise<void> {
    const { scheduler } = this;
    for (let n = 0; n < ACTIONS; n++) scheduler.at(scheduler.between(200, TROUBLE), () => this.#act());
    await this.#until(TROUBLE);
    await this.#calm();
    await this.#until(END);
    await checkBooks(this.databases, this);
    this.#told();
  }

  async #until(time: number): Promise<void> {
    await this.scheduler.runUntil(time, () => this.#told());
  }

  #told(): void {
    if (this.model.problem === undefined) return;
    this.model.problem.message += ['', ...this.model.story].join('\n');
    throw this.model.problem;
  }

  /** Everything works again; routers ask once more for what they have. */
  async #calm(): Promise<void> {
    this.#troubles = NO_TROUBLES;
    this.clearing.isQuiet = true;
    for (const pep of this.peps) pep.isQuiet = true;
    if (!this.pdps.some((pdp) => pdp.isAlive && !pdp.isLeaving)) this.#startPdp();
    await this.#until(CALM);
    for (const pep of this.peps) for (const handle of [...pep.states.keys()]) pep.refresh(handle);
  }

  #check(nonce: string): Check {
    const { scheduler } = this;
    const payers = scheduler.chance(0.15) ? [...PAYERS] : [scheduler.pick(PAYERS)];
    return {
      ...{ nonce, payers, amount: scheduler.pick(['0.44', '1', '2.5']), limited: scheduler.chance(0.2) },
      duration: scheduler.chance(0.35) ? scheduler.pick([4, 10, 25, 100]) : undefined,
    };
  }

  #startPdp(): void {
    this.pdps.push(new SimulatedPdp(`i${++this.#instances}`, this.#world));
  }

  #act(): void {
    const { scheduler } = this;
    const chance = scheduler.random();
    const pep = scheduler.pick(this.peps);
    const handle = scheduler.pick([...pep.states.keys()]) as string | undefined;
    if (chance < 0.5 || handle === undefined) this.#ask(pep, scheduler.chance(0.3) ? handle : undefined);
    else if (chance < 0.58) pep.refresh(handle);
    else if (chance < 0.66) pep.delete(handle);
    else if (chance < 0.76) pep.cut();
    else this.#trouble(scheduler.pick(this.pdps));
  }

  /** Each reservation has checks of its own, as customers mean it; now and then another one's is shown. */
  #ask(pep: SimulatedPep, handle: string | undefined): void {
    const { scheduler } = this;
    const at = Math.floor(scheduler.random() * this.#reservations.length);
    const own = this.#checks[scheduler.chance(0.5) ? at : (at + 1) % this.#checks.length] as Check;
    const check = scheduler.chance(0.7) ? own : scheduler.pick(this.#checks);
    pep.ask({ reservation: this.#reservations[at] as string, check }, handle);
  }

  #trouble(pdp: SimulatedPdp): void {
    const { scheduler } = this;
    const chance = scheduler.random();
    if (chance < 0.4) {
      if (!pdp.isAlive) return;
      pdp.crash();
      if (scheduler.chance(0.8)) scheduler.later(100, 8000, () => this.#startPdp());
    } else if (chance < 0.6) pdp.stop(scheduler.between(100, scheduler.chance(0.5) ? 3000 : 17_000));
    else if (chance < 0.68) {
      pdp.leave();
      scheduler.later(100, 3000, () => this.#startPdp());
    } else if (chance < 0.74) this.#revoke(pdp);
    else this.clearing.crash(scheduler.pick(['csc', 'depositor']));
  }

  /** A credential counts no more. */
  #revoke(pdp: SimulatedPdp): void {
    this.#policy.revoked.add(this.scheduler.pick(this.#checks).nonce);
    for (const each of this.pdps)
      void each.whenRunning((isAlive) => {
        if (isAlive && (each === pdp || this.scheduler.chance(0.8)))
          void each.cashier.reevaluate(this.scheduler.now);
      });
  }

  isRevoked(nonce: string): boolean {
    return this.#policy.revoked.has(nonce);
  }

  /** Of whom the database has forgotten that they are alive: another PDP took them for dead. */
  async #noteSwept(): Promise<void> {
    if (this.pdps.length < 2) return;
    const { rows } = await sql<{ id: string }>`select id from instances`.execute(this.databases.books.db);
    const known = new Set(rows.map(({ id }) => id));
    for (const pdp of this.pdps) pdp.noteKnown(known.has(pdp.name));
  }
}
