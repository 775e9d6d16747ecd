import type { Decision, PdpConnection, PdpEffect, PdpOptions, PepEffect, PepOptions } from '../index.js';
import { Pdp, Pep } from '../index.js';

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A decision that comes later: the network says when. */
export class Later implements PromiseLike<Decision> {
  constructor(readonly decision: Decision) {}
  then<T, U>(fulfilled?: ((decision: Decision) => T | PromiseLike<T>) | null): PromiseLike<T | U> {
    return Promise.resolve(this.decision).then(fulfilled);
  }
}

/**
 * PEPs, PDPs and TCP between them in virtual time. A connection keeps the order of octets in each direction, and nothing
 * else is certain: how they are cut into chunks, when they arrive, when timers ring and decisions are made, when an end
 * hears that the other has gone, and whether.
 */
export class Network {
  now = 0;
  readonly #events: (readonly [time: number, number: number, run: () => void])[] = [];
  #count = 0;
  #ran = 0;
  readonly wires = new Set<Wire>();

  constructor(readonly random: () => number) {}

  /** From `low` up to `high`. */
  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  pick<T>(all: readonly T[]): T | undefined {
    return all[Math.floor(this.random() * all.length)];
  }

  /** Runs at `time`; in the order of calling among those of one time. */
  at(time: number, run: () => void): void {
    const events = this.#events;
    const event = [Math.max(time, this.now), this.#count++, run] as const;
    let child = events.push(event) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!isEarlier(event, events[parent])) break;
      events[child] = events[parent] as typeof event;
      child = parent;
    }
    events[child] = event;
  }

  later(low: number, high: number, run: () => void): void {
    this.at(this.now + this.between(low, high), run);
  }

  /** Lets time pass. */
  runUntil(end: number): void {
    for (let next = this.#events[0]; next !== undefined && next[0] <= end; next = this.#events[0]) {
      this.#remove();
      if (++this.#ran > MOST_EVENTS)
        throw new Error(`${MOST_EVENTS} events by ${this.now} ms: nothing comes to rest`);
      this.now = next[0];
      next[2]();
    }
    this.now = end;
  }

  #remove(): void {
    const events = this.#events;
    const last = events.pop();
    if (last === undefined || events.length === 0) return;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= events.length) break;
      if (isEarlier(events[child + 1], events[child])) child++;
      if (!isEarlier(events[child], last)) break;
      events[parent] = events[child] as typeof last;
      parent = child;
    }
    events[parent] = last;
  }
}

/** Far more than any history needs. */
const MOST_EVENTS = 50_000;

type Event = readonly [number, number, () => void];

function isEarlier(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

/** Rings a machine's timer, late by a little, and sometimes for nothing. */
class Clock {
  #armed: number | undefined;
  #isStopped = false;

  constructor(
    readonly network: Network,
    readonly next: () => number | undefined,
    readonly ring: () => void,
  ) {}

  stop(): void {
    this.#isStopped = true;
  }

  arm(): void {
    const next = this.#isStopped ? undefined : this.next();
    if (next === undefined || (this.#armed !== undefined && this.#armed <= next)) return;
    this.#armed = next;
    this.network.at(next + (this.network.random() < 0.2 ? this.network.between(0, 30) : 0), () => {
      if (this.#armed !== next || this.#isStopped) return;
      this.#armed = undefined;
      this.ring();
      this.arm();
    });
  }
}

/** What an end of a TCP connection is told. */
interface End {
  receive(octets: Uint8Array): void;
  gone(): void;
}

/** One direction of a TCP connection. */
class Direction {
  readonly chunks: Uint8Array[] = [];
  isHeld = false;
  isEnded = false;
  #free = 0;

  constructor(
    readonly wire: Wire,
    readonly to: () => End | undefined,
  ) {}

  send(octets: Uint8Array): void {
    const { network } = this.wire;
    for (let at = 0; at < octets.length;) {
      const size = network.random() < 0.7 ? octets.length : 1 + Math.floor(network.random() * 40);
      this.#arrive(octets.slice(at, at + size));
      at += size;
    }
  }

  /** The sender has closed: the receiver hears it after all that was sent. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#arrive(undefined);
  }

  #arrive(chunk: Uint8Array | undefined): void {
    const { network } = this.wire;
    this.#free = Math.max(this.#free, network.now + network.between(0.1, 40));
    network.at(this.#free, () => {
      if (this.wire.isSilent || this.wire.isCut) return;
      if (chunk !== undefined) {
        this.chunks.push(chunk);
        this.flow();
      } else if (!this.isHeld) this.to()?.gone();
      else this.chunks.push(new Uint8Array(0));
    });
  }

  flow(): void {
    while (!this.isHeld) {
      const chunk = this.chunks.shift();
      if (chunk === undefined) return;
      if (chunk.length === 0) this.to()?.gone();
      else this.to()?.receive(chunk);
    }
  }
}

/** A TCP connection between a PEP and a PDP. */
export class Wire {
  pep: End | undefined;
  pdp: End | undefined;
  readonly toPdp = new Direction(this, () => this.pdp);
  readonly toPep = new Direction(this, () => this.pep);
  /** Nothing gets through any more, and nobody is told. */
  isSilent = false;
  isCut = false;

  constructor(readonly network: Network) {
    network.wires.add(this);
  }

  /** Each end hears of it in its own time; what was under way is lost. */
  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const side of ['pep', 'pdp'] as const) {
      this.network.later(0, 300, () => {
        this[side]?.gone();
        this.close(side);
      });
    }
  }

  /** An end is done with it. */
  close(side: 'pep' | 'pdp'): void {
    this[side] = undefined;
    (side === 'pep' ? this.toPdp : this.toPep).end();
    if (this.pep === undefined && this.pdp === undefined) this.network.wires.delete(this);
  }
}

/** A PDP that can be taken down and started again, without what it remembered. */
export class SimulatedPdp {
  pdp: Pdp;
  isUp = true;
  readonly #wires = new Map<PdpConnection, Wire>();
  #clock: Clock;

  constructor(
    readonly network: Network,
    readonly host: string,
    readonly options: () => PdpOptions,
  ) {
    this.pdp = new Pdp(options());
    this.#clock = this.#newClock();
  }

  /** Tells its PEPs, or does not. */
  stop(isGraceful: boolean): void {
    if (isGraceful) this.perform(this.pdp.shutDown(this.network.now));
    else for (const wire of this.#wires.values()) wire.cut();
    this.#wires.clear();
    this.#clock.stop();
    this.isUp = false;
  }

  start(): void {
    this.isUp = true;
    this.pdp = new Pdp(this.options());
    this.#clock = this.#newClock();
  }

  accept(wire: Wire, peer: string): boolean {
    const { network, pdp } = this;
    const local = { address: this.host, port: 3288 };
    const connection = this.isUp ? pdp.connect(network.now, { address: peer, port: 1, local }) : undefined;
    if (connection === undefined) return false;
    this.#wires.set(connection, wire);
    const clock = new Clock(
      network,
      () => connection.nextTimeout(),
      () => this.perform(connection.handleTimeout(network.now)),
    );
    const told = (effects: readonly PdpEffect[]): void => {
      this.perform(effects);
      clock.arm();
    };
    wire.pdp = {
      receive: (octets) => {
        told(connection.receive(network.now, octets));
        if (network.random() < 0.02 && wire.pdp !== undefined) {
          wire.toPdp.isHeld = true;
          told(connection.blocked(network.now, 1));
          network.later(0, 200, () => {
            told(connection.drained(network.now));
            wire.toPdp.isHeld = false;
            wire.toPdp.flow();
          });
        }
      },
      gone: () => told(connection.disconnected(network.now, 'gone')),
    };
    clock.arm();
    return true;
  }

  perform(effects: readonly PdpEffect[]): void {
    const { network } = this;
    for (const effect of effects) {
      const { connection } = effect;
      const wire = this.#wires.get(connection);
      switch (effect.kind) {
        case 'send':
          wire?.toPep.send(effect.octets);
          break;
        case 'await': {
          const { request } = effect;
          const { decision } = effect.decision as unknown as { readonly decision: Decision };
          network.later(0, 3000, () => this.perform(connection.answer(network.now, request, decision)));
          break;
        }
        case 'more':
          network.later(0, 5, () => this.perform(connection.proceed(network.now)));
          break;
        case 'close':
          wire?.close('pdp');
          this.#wires.delete(connection);
          break;
        case 'drop':
          wire?.cut();
          this.#wires.delete(connection);
          break;
        // Decisions under way are few here: what comes meanwhile waits in the machine.
        case 'pause':
        case 'resume':
        case 'startTls':
          throw new Error(`${effect.kind} was not to be expected`);
      }
    }
    this.#clock.arm();
  }

  #newClock(): Clock {
    const { pdp, network } = this;
    return new Clock(
      network,
      () => pdp.nextTimeout(),
      () => this.perform(pdp.handleTimeout(network.now)),
    );
  }
}

/** A PEP that finds its PDPs on the network. */
export class SimulatedPep {
  readonly pep: Pep;
  #wire: Wire | undefined;
  #isRunning = true;
  readonly #clock: Clock;

  constructor(
    readonly network: Network,
    readonly pdps: readonly SimulatedPdp[],
    options: PepOptions,
    readonly told: (effect: PepEffect) => void,
  ) {
    const pep = (this.pep = new Pep(options));
    this.#clock = new Clock(
      network,
      () => pep.nextTimeout(),
      () => this.perform(pep.handleTimeout(network.now)),
    );
    this.perform(pep.start());
  }

  /** Power fails. */
  crash(): void {
    this.#isRunning = false;
    this.#clock.stop();
    this.#wire?.cut();
    if (this.#wire !== undefined) this.#wire.pep = undefined;
    this.#wire = undefined;
  }

  perform(effects: readonly PepEffect[]): void {
    if (!this.#isRunning) return;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'connect':
          this.#connect(effect.target.host);
          break;
        case 'send':
          this.#wire?.toPdp.send(effect.octets);
          break;
        case 'disconnect':
          this.#wire?.close('pep');
          this.#wire = undefined;
          break;
        default:
          this.told(effect);
      }
    }
    this.#clock.arm();
  }

  #connect(host: string): void {
    const { network, pep } = this;
    const wire = (this.#wire = new Wire(network));
    const isCurrent = (): boolean => this.#wire === wire;
    const gone = (): void => {
      if (!isCurrent()) return;
      wire.close('pep');
      this.#wire = undefined;
      this.perform(pep.disconnected(network.now, 'gone'));
    };
    wire.pep = {
      receive: (octets) => {
        if (isCurrent()) this.perform(pep.receive(network.now, octets));
      },
      gone,
    };
    network.later(0.1, 50, () => {
      if (!isCurrent()) return;
      const pdp = this.pdps.find((each) => each.host === host);
      if (pdp?.accept(wire, 'pep') === true)
        this.perform(pep.connected(network.now, { address: host, port: 3288 }));
      else gone();
    });
  }
}
