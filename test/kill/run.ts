import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../../policy/stores/test/postgres.js';
import type { Cluster } from '../../policy/stores/test/postgres.js';
import { seeded } from '../simulation/scheduler.js';
import { Restarted } from './process.js';
import { CuttingProxy } from './proxy.js';
import { Routers } from './routers.js';
import { Town } from './town.js';
import { outstanding, verify } from './verify.js';
import type { Found } from './verify.js';

export interface KillOptions {
  readonly engine: 'sqlite' | 'postgresql';
  /** Of each role, at least. */
  readonly kills: number;
  readonly seed: number;
  /** How often PostgreSQL itself crashes. */
  readonly databaseCrashes?: number;
  readonly progress?: (line: string) => void;
}

export type Role = 'pdp' | 'clearing' | 'depositor';

export interface KillReport extends Found {
  readonly kills: Readonly<Record<Role, number>>;
  readonly databaseCrashes: number;
  readonly cuts: number;
  readonly attempts: number;
  readonly unanswered: number;
  /** Starts that were given up because PostgreSQL could not be reached. */
  readonly failedStarts: number;
  /** How long a start takes on average, milliseconds. */
  readonly startMillis: Readonly<Record<Role, number>>;
  readonly seconds: number;
}

const TIMES = { hold: 4, dead: 8, timeout: 4 } as const;
/** Time between a start and the kill: up to this, milliseconds, on top of what a start takes now and then. */
const LIFE = 1500;
const SLOWEST = 60_000;

/** Two policy servers, a clearing centre and a depositor are killed over and over, under load; then all is counted. */
export async function killRun(options: KillOptions): Promise<KillReport> {
  const run = await KillRun.start(options);
  try {
    return await run.run();
  } finally {
    await run.stop();
  }
}

class KillRun {
  readonly #random: () => number;
  readonly #processes: { readonly role: Role; readonly process: Restarted }[] = [];
  readonly #proxies: CuttingProxy[] = [];
  #routers: Routers | undefined;
  #town: Town | undefined;
  #crashes = 0;
  #isEnding = false;
  readonly #started = performance.now();

  static async start(options: KillOptions): Promise<KillRun> {
    return new KillRun(options, options.engine === 'postgresql' ? await startCluster() : undefined);
  }

  private constructor(
    private readonly options: KillOptions,
    private readonly cluster: Cluster | undefined,
  ) {
    this.#random = seeded(options.seed);
  }

  async run(): Promise<KillReport> {
    const { cluster } = this;
    const own = { books: cluster?.database() ?? '', clearing: cluster?.database() ?? '' };
    const town = (this.#town = new Town(own.clearing === '' ? 'clearing.db' : own.clearing, TIMES));
    const places =
      cluster === undefined ? { books: town.file('books.db'), clearing: town.file('clearing.db') } : own;
    // What goes to PostgreSQL goes over a proxy as well.
    const database = cluster === undefined ? places.books : await this.#through(places.books);
    const pdps = ['a', 'b'].map((name) => this.#add('pdp', `pdp-${name}`, town.pdp(name, database)));
    const centre = this.#add('clearing', 'clearing', town.clearing());
    const toCentre = await this.#proxy(() => centre.port, 400);
    const url = (): string => `http://127.0.0.1:${toCentre.port}`;
    this.#add('depositor', 'depositor', town.depositor(database, url));
    const ports = await Promise.all(pdps.map((pdp) => this.#proxy(() => pdp.port, 1500)));
    await Promise.all(this.#processes.map(({ process }) => process.ready(SLOWEST)));
    const routers = (this.#routers = new Routers(
      ports.map(({ port }) => port),
      this.#random,
    ));

    await Promise.all([
      ...this.#processes.map(({ process, role }) => this.#killing(process, role)),
      this.#crashing(),
    ]);
    await this.#calm(routers, places.books);
    const found = await verify(places, routers.attempts, town.audit());
    return this.#report(routers, found);
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#routers?.close();
    await Promise.all(this.#processes.map(({ process }) => process.stop()));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    this.cluster?.stop();
    this.#town?.remove();
  }

  #add(role: Role, name: string, args: () => readonly string[]): Restarted {
    const process = new Restarted(name, args);
    this.#processes.push({ role, process });
    return process;
  }

  async #proxy(target: () => number, lifetime: number): Promise<CuttingProxy> {
    const proxy = await new CuttingProxy(target, this.#random, lifetime).listen();
    this.#proxies.push(proxy);
    return proxy;
  }

  async #through(place: string): Promise<string> {
    const url = new URL(place);
    const port = Number(url.port);
    url.port = String((await this.#proxy(() => port, 3000)).port);
    return url.href;
  }

  #kills(role: Role): number {
    return this.#processes.reduce((all, one) => all + (one.role === role ? one.process.kills : 0), 0);
  }

  /** Kills it at any instant: now and then before it is up, mostly at work. */
  async #killing(process: Restarted, role: Role): Promise<void> {
    while (this.#kills(role) < this.options.kills && !this.#isEnding) {
      if (this.#random() < 0.85) await process.ready(SLOWEST);
      await sleep(this.#random() ** 2 * LIFE);
      process.kill();
      this.#tell();
      // The next may begin before it is gone for the operating system.
      await sleep(5);
    }
  }

  async #crashing(): Promise<void> {
    const { cluster, options } = this;
    if (cluster === undefined) return;
    while (this.#crashes < (options.databaseCrashes ?? 3)) {
      await sleep(3000 + this.#random() * 6000);
      cluster.crash();
      await sleep(this.#random() * 1000);
      cluster.start();
      this.#crashes++;
    }
  }

  /** No more trouble: until nothing is held or due any more. */
  async #calm(routers: Routers, books: string): Promise<void> {
    const { progress } = this.options;
    for (const proxy of this.#proxies) proxy.isCutting = false;
    await routers.rest();
    await Promise.all(this.#processes.map(({ process }) => process.ready(SLOWEST)));
    await routers.settled();
    const until = performance.now() + SLOWEST;
    // PDPs that were killed are taken for dead, and what their routers had ends or is held elsewhere.
    await sleep((TIMES.dead + TIMES.hold + 12) * 1000);
    for (;;) {
      const { due, held } = await outstanding(books);
      progress?.(`quiet: ${due} due, ${held} held`);
      if ((due === 0 && held === 0) || performance.now() > until) return;
      await sleep(1000);
    }
  }

  #tell(): void {
    const { progress, kills } = this.options;
    const counts = (['pdp', 'clearing', 'depositor'] as const).map((role) => `${role} ${this.#kills(role)}`);
    progress?.(`${counts.join(', ')} of ${kills} kills; ${this.#routers?.attempts.length ?? 0} requests`);
  }

  #report(routers: Routers, found: Found): KillReport {
    const mean = (role: Role): number => {
      const own = this.#processes.filter((one) => one.role === role).map(({ process }) => process);
      const millis = own.reduce((all, { startMillis }) => all + startMillis, 0);
      return Math.round(
        millis /
          Math.max(
            1,
            own.reduce((all, { readies }) => all + readies, 0),
          ),
      );
    };
    const each = (of: (role: Role) => number): Record<Role, number> => ({
      pdp: of('pdp'),
      clearing: of('clearing'),
      depositor: of('depositor'),
    });
    const failures = this.#processes.flatMap(({ process }) => process.failures);
    const failedStarts = this.#processes.flatMap(({ process }) => process.failedStarts);
    if (this.cluster === undefined) failures.push(...failedStarts);
    return {
      ...found,
      problems: [...found.problems, ...failures],
      kills: each((role) => this.#kills(role)),
      databaseCrashes: this.#crashes,
      cuts: this.#proxies.reduce((all, { cuts }) => all + cuts, 0),
      attempts: routers.attempts.length,
      unanswered: routers.unanswered,
      failedStarts: failedStarts.length,
      startMillis: each(mean),
      seconds: Math.round((performance.now() - this.#started) / 1000),
    };
  }
}
