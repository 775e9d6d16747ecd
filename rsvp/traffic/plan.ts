import type { TrafficReservation } from '../engine/traffic.js';
import { Classifier } from './classifier.js';
import type { Placed } from './classifier.js';
import type { Command } from './command.js';
import { may, must } from './command.js';
import { TrafficError } from './control.js';
import type { ControlledInterface } from './control.js';
import { flowsOf } from './flow.js';
import type { Flow } from './flow.js';
import {
  BEST_EFFORT_CLASS,
  classId,
  LINK_CLASS,
  reservationMinors,
  ROOT,
  SIGNALLING_CLASS,
} from './handles.js';
import type { TrafficCapabilities, TrafficSettings } from './settings.js';
import {
  actionText,
  bestEffortQueueText,
  bestEffortText,
  classText,
  linkText,
  policeText,
  queueText,
  shapeOf,
  signallingRate,
  signallingText,
} from './shape.js';
import type { Shape } from './shape.js';

interface Held {
  readonly reservation: TrafficReservation;
  readonly minor: number;
  readonly shape: Shape;
  /** By what they match. */
  readonly filters: Map<string, Placed>;
}

/**
 * What tc is to be told for one interface. A plan believes that each command works; where one did not, `abandon` says
 * what to do about it. Commands are for one process of tc that obeys them in order.
 */
export class InterfacePlan {
  readonly #held = new Map<number, Held>();
  readonly #minors = reservationMinors();
  readonly #classifier: Classifier;
  #reserved: number;

  constructor(
    readonly controlled: ControlledInterface,
    private readonly settings: TrafficSettings,
    private readonly capabilities: TrafficCapabilities,
  ) {
    this.#classifier = new Classifier(controlled.name);
    this.#reserved = signallingRate(controlled, settings);
  }

  /** Root, classes of the link, best effort and signalling, and the tables of the classifier. */
  install(): Command[] {
    const { controlled, settings, capabilities } = this;
    const device = `dev ${controlled.name}`;
    const add = (parent: string, id: string, text: string): Command =>
      must(`class add ${device} parent ${parent} classid ${id} ${text}`);
    return [
      must(`qdisc add ${device} root handle ${ROOT} htb default ${BEST_EFFORT_CLASS.slice(ROOT.length)}`),
      add(ROOT, LINK_CLASS, linkText(controlled)),
      add(LINK_CLASS, BEST_EFFORT_CLASS, bestEffortText(controlled, this.#reserved)),
      must(
        `qdisc add ${device} parent ${BEST_EFFORT_CLASS} ${bestEffortQueueText(controlled, settings, capabilities)}`,
      ),
      add(LINK_CLASS, SIGNALLING_CLASS, signallingText(controlled, settings)),
      ...this.#classifier.install(),
    ];
  }

  /** The kernel takes filters, classes and queues away with the root. */
  uninstall(): Command[] {
    return [may(`qdisc del dev ${this.controlled.name} root`)];
  }

  /** Makes a reservation, or changes the one of this id. Throws `TrafficError` where it cannot be done at all. */
  reserve(reservation: TrafficReservation): Command[] {
    checkReservation(reservation);
    const { controlled, settings, capabilities } = this;
    const flows = new Map(flowsOf(reservation).map((flow) => [flowKey(flow), flow]));
    const shape = shapeOf(reservation, controlled, settings, capabilities);
    const before = this.#held.get(reservation.id);
    const minor = before?.minor ?? this.#minors.take();
    if (minor === undefined)
      throw new TrafficError(`${controlled.name} has no class left`, {
        reservation: reservation.id,
        interface: controlled.index,
      });
    const held: Held = { reservation, minor, shape, filters: new Map() };
    this.#held.set(reservation.id, held);
    this.#reserved += shape.rate - (before?.shape.rate ?? 0);
    return before === undefined ? this.#make(held, flows) : this.#change(before, held, flows);
  }

  /** None where it is not known. */
  release(id: number): Command[] {
    const held = this.#held.get(id);
    if (held === undefined) return [];
    this.#held.delete(id);
    this.#minors.giveBack(held.minor);
    this.#reserved -= held.shape.rate;
    return [
      ...[...held.filters.values()].map((placed) => this.#classifier.remove(placed)),
      // A class that filters point to cannot go; its queue goes with it.
      must(`class del dev ${this.controlled.name} classid ${classId(held.minor)}`),
      this.#bestEffort(),
    ];
  }

  /**
   * A command of `reserve` failed. `former` is what was in force before, undefined where there was nothing; the commands
   * put that back as far as the kernel allows.
   */
  abandon(id: number, former: TrafficReservation | undefined): Command[] {
    this.#classifier.doubt();
    const commands = former === undefined ? this.release(id) : this.reserve(former);
    return commands.map(({ line }) => may(line));
  }

  reservation(id: number): TrafficReservation | undefined {
    return this.#held.get(id)?.reservation;
  }

  /** Class and reservation, of all that are held. */
  classes(): { readonly classid: string; readonly reservation: number }[] {
    return [...this.#held.values()].map(({ minor, reservation }) => ({
      classid: classId(minor),
      reservation: reservation.id,
    }));
  }

  #make(held: Held, flows: ReadonlyMap<string, Flow>): Command[] {
    const { minor, shape } = held;
    const device = `dev ${this.controlled.name}`;
    const classid = classId(minor);
    return [
      // What is promised to others is taken from best effort first: the parts are never more than the whole.
      this.#bestEffort(),
      must(
        `class add ${device} parent ${LINK_CLASS} classid ${classid} ${classText(shape, this.controlled)}`,
      ),
      must(`qdisc add ${device} parent ${classid} ${queueText(shape)}`),
      ...this.#place(held, [...flows.values()], true),
    ];
  }

  #change(before: Held, held: Held, flows: ReadonlyMap<string, Flow>): Command[] {
    const { minor, shape } = held;
    const device = `dev ${this.controlled.name}`;
    const classid = classId(minor);
    // Filters carry what is done to packets: another kind of it, and they are all made anew.
    const keeps = JSON.stringify(actionKind(before.shape)) === JSON.stringify(actionKind(shape));
    const isPolicerKept = before.shape.police !== undefined && shape.police !== undefined;
    const stale: Placed[] = [];
    const fresh: Flow[] = [];
    for (const [key, placed] of before.filters) {
      if (keeps && flows.has(key)) held.filters.set(key, placed);
      else stale.push(placed);
    }
    for (const [key, flow] of flows) if (!held.filters.has(key)) fresh.push(flow);
    return [
      this.#bestEffort(),
      must(
        `class change ${device} parent ${LINK_CLASS} classid ${classid} ${classText(shape, this.controlled)}`,
      ),
      must(`qdisc change ${device} parent ${classid} ${queueText(shape)}`),
      ...(isPolicerKept ? [must(`actions change action ${policeText(shape, this.#policer(minor))}`)] : []),
      // New ones first: no packet of a sender that stays is left without.
      ...this.#place(held, fresh, !isPolicerKept),
      ...stale.map((placed) => this.#classifier.remove(placed)),
    ];
  }

  #place({ filters, minor, shape }: Held, flows: readonly Flow[], isFirst: boolean): Command[] {
    return flows.flatMap((flow, i) => {
      const action = actionText(shape, flow.family, this.#policer(minor), isFirst && i === 0);
      const { placed, commands } = this.#classifier.add(flow, classId(minor), action);
      filters.set(flowKey(flow), placed);
      return commands;
    });
  }

  #bestEffort(): Command {
    const { controlled } = this;
    return must(
      `class change dev ${controlled.name} parent ${LINK_CLASS} classid ${BEST_EFFORT_CLASS} ` +
        bestEffortText(controlled, this.#reserved),
    );
  }

  /** Policers are numbered for the node as a whole; below 65,536 are the kernel's own. */
  #policer(minor: number): number {
    return ((this.controlled.index & 0x3fff) << 16) | minor;
  }
}

/** Is what is in force the same in what filters do? */
function actionKind({ police, mark }: Shape): unknown {
  return [police?.exceed, mark];
}

function flowKey(flow: Flow): string {
  const { destination, protocol, destinationPort, source, sourcePort, spi, flowLabel } = flow;
  return [destination, protocol, destinationPort, source, sourcePort, spi, flowLabel].join(' ');
}

/** Throws `TrafficError` for numbers that are none. */
export function checkReservation({
  id,
  interface: out,
  rate,
  bucket,
  minimumPolicedUnit,
}: TrafficReservation): void {
  const numbers = { rate, bucket, minimumPolicedUnit };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value >= 0 && Number.isFinite(value)))
      throw new TrafficError(`${name}: expected a number of octets, got ${value}`, {
        reservation: id,
        interface: out,
      });
  }
}
