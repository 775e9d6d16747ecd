import type { TrafficReservation } from '../../engine/traffic.js';
import type { Command } from '../command.js';
import { NOTHING_SENT, TrafficError } from '../control.js';
import type {
  ControlledInterface,
  InterfaceStatistics,
  ReservationStatistics,
  TrafficControl,
  TrafficStatistics,
} from '../control.js';
import { BEST_EFFORT_CLASS, ROOT, SIGNALLING_CLASS } from '../handles.js';
import { InterfacePlan } from '../plan.js';
import { readClasses, readRoot } from '../read.js';
import type { Root } from '../read.js';
import { checkSettings, missingCapabilities } from '../settings.js';
import type { TrafficCapabilities, TrafficSettings } from '../settings.js';
import { Ownership } from './owner.js';
import { probe } from './probe.js';
import { TcProcess } from './tc.js';

export interface TcOptions extends TrafficSettings {
  /** How tc is called. Undefined: `['tc']`. */
  readonly tc?: readonly string[];
}

/** Traffic control by the kernel, through one process of tc. */
export class TcTrafficControl implements TrafficControl {
  readonly #tc: TcProcess;
  readonly #plans = new Map<number, InterfacePlan>();
  readonly #owned = new Ownership();
  /** By interface and reservation: what is under way, so that one follows the other. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  #capabilities: TrafficCapabilities | undefined;

  constructor(private readonly options: TcOptions = {}) {
    checkSettings(options);
    this.#tc = new TcProcess(options.tc);
  }

  /** Undefined before there is an interface. */
  get capabilities(): TrafficCapabilities | undefined {
    return this.#capabilities;
  }

  async start(interfaces: readonly ControlledInterface[]): Promise<void> {
    try {
      for (const controlled of interfaces) await this.add(controlled);
    } catch (error) {
      await this.close().catch(() => undefined);
      throw error;
    }
  }

  async add(controlled: ControlledInterface): Promise<void> {
    const { name, index, rate } = controlled;
    checkInterface(controlled);
    if (this.#plans.has(index)) throw new TrafficError(`${name} is controlled already`, { interface: index });
    if (!(rate > 0 && Number.isFinite(rate)))
      throw new TrafficError(`${name}: expected the rate of the link, got ${rate}`, { interface: index });
    await this.#owned.take(name);
    try {
      // A new process has no old interface in mind.
      await this.#tc.end();
      await this.#clear(controlled);
      const capabilities = (this.#capabilities ??= await probe(this.#tc, name));
      const missing = missingCapabilities(this.options, capabilities);
      if (missing.length > 0)
        throw new TrafficError(
          `the configuration asks for what the kernel has not: ${missing.join(', ')} (traffic: marks, bestEffort)`,
        );
      const plan = new InterfacePlan(controlled, this.options, capabilities);
      const failure = await this.#run(plan.install());
      if (failure !== undefined) {
        await this.#run(plan.uninstall());
        throw new TrafficError(`${name}: ${failure.message}`, { interface: index, command: failure.command });
      }
      this.#plans.set(index, plan);
    } catch (error) {
      await this.#owned.giveUp(name);
      throw error;
    }
  }

  async remove(index: number): Promise<void> {
    const plan = this.#plans.get(index);
    if (plan === undefined) return;
    this.#plans.delete(index);
    await this.#run(plan.uninstall());
    await this.#owned.giveUp(plan.controlled.name);
    await this.#tc.end();
  }

  reserve(reservation: TrafficReservation): Promise<void> {
    const { id, interface: index } = reservation;
    return this.#after(index, id, async () => {
      const plan = this.#plans.get(index);
      if (plan === undefined)
        throw new TrafficError(`interface ${index} is not controlled`, { reservation: id, interface: index });
      const former = plan.reservation(id);
      let failure;
      try {
        failure = await this.#run(plan.reserve(reservation));
      } catch (error) {
        // Out of numbers, or tc is lost: what the plan believes is put right all the same.
        if (plan.reservation(id) === reservation)
          await this.#run(plan.abandon(id, former)).catch(() => undefined);
        throw error;
      }
      if (failure === undefined) return;
      await this.#run(plan.abandon(id, former));
      throw new TrafficError(failure.message, {
        reservation: id,
        interface: index,
        command: failure.command,
      });
    });
  }

  release(id: number, index: number): Promise<void> {
    return this.#after(index, id, async () => {
      const plan = this.#plans.get(index);
      const failure = plan === undefined ? undefined : await this.#run(plan.release(id));
      if (failure !== undefined)
        throw new TrafficError(failure.message, {
          reservation: id,
          interface: index,
          command: failure.command,
        });
    });
  }

  async statistics(): Promise<TrafficStatistics> {
    const perInterface = await Promise.all([...this.#plans.values()].map((plan) => this.#read(plan)));
    return {
      reservations: perInterface.flatMap(({ reservations }) => reservations),
      interfaces: perInterface.map(({ totals }) => totals),
    };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
    const left: string[] = [];
    for (const plan of this.#plans.values()) {
      const { name } = plan.controlled;
      await this.#run(plan.uninstall());
      if ((await this.#rootOf(name))?.handle === ROOT) left.push(name);
    }
    this.#plans.clear();
    await this.#tc.end();
    await this.#owned.giveUpAll();
    if (left.length > 0) throw new TrafficError(`could not remove the classes of ${left.join(', ')}`);
  }

  /** The first command that had to work and did not. */
  async #run(commands: readonly Command[]): Promise<{ message: string; command: string } | undefined> {
    if (commands.length === 0) return undefined;
    const { failures } = await this.#tc.run(commands.map(({ line }) => line));
    for (const [i, message] of failures) {
      const command = commands[i];
      if (command !== undefined && command.mayFail === undefined)
        return { message: `${oneLine(message)} (tc ${command.line})`, command: command.line };
    }
    return undefined;
  }

  /** Removes what a dead process of ours left; anything else only where that is asked for. */
  async #clear({ name, index }: ControlledInterface): Promise<void> {
    const root = await this.#rootOf(name);
    if (root === undefined)
      throw new TrafficError(`${name}: there is no such interface`, { interface: index });
    if (root.handle === '0:') return;
    const isOurs = root.handle === ROOT;
    if (!isOurs && this.options.takeover !== true)
      throw new TrafficError(
        `${name} has a queueing discipline that is not ours, \`${root.text}\`; remove it, or ask for \`takeover\``,
        { interface: index },
      );
    const failure = await this.#run([{ line: `qdisc del dev ${name} root` }]);
    if (failure !== undefined) throw new TrafficError(`${name}: ${failure.message}`, { interface: index });
  }

  async #rootOf(name: string): Promise<Root | undefined> {
    return readRoot((await this.#tc.run([`qdisc show dev ${name}`])).output);
  }

  async #read(
    plan: InterfacePlan,
  ): Promise<{ readonly reservations: ReservationStatistics[]; readonly totals: InterfaceStatistics }> {
    const { name, index } = plan.controlled;
    const { output } = await this.#tc.run([`class show dev ${name}`]);
    const classes = readClasses(output);
    const of = (classid: string) => classes.get(classid) ?? NOTHING_SENT;
    return {
      reservations: plan
        .classes()
        // One that is being made, or whose interface has just gone, has none yet or no more.
        .filter(({ classid }) => classes.has(classid))
        .map(({ classid, reservation }) => ({ reservation, interface: index, ...of(classid) })),
      totals: { interface: index, bestEffort: of(BEST_EFFORT_CLASS), signalling: of(SIGNALLING_CLASS) },
    };
  }

  #after<T>(index: number, id: number, work: () => Promise<T>): Promise<T> {
    const key = `${index}/${id}`;
    const before = this.#underWay.get(key);
    const now = before === undefined ? work() : before.then(work, work);
    this.#underWay.set(key, now);
    const done = (): void => {
      if (this.#underWay.get(key) === now) this.#underWay.delete(key);
    };
    now.then(done, done);
    return now;
  }
}

/** Names of interfaces are words of a command line. */
function checkInterface({ name, index }: ControlledInterface): void {
  if (!/^[^\s/#\\"']{1,15}$/.test(name))
    throw new TypeError(`interface: expected the name of an interface, got \`${name}\``);
  if (!Number.isInteger(index) || index <= 0)
    throw new TypeError(`interface ${name}: expected its index, got ${index}`);
}

function oneLine(text: string): string {
  return text
    .split('\n')
    .filter((line) => line !== 'We have an error talking to the kernel')
    .join('; ');
}
