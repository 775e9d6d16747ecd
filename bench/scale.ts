import { cpuUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Table from 'cli-table3';
import { Engine } from '../rsvp/engine/index.js';
import type { ArrivedPacket, EngineEffect } from '../rsvp/engine/index.js';
import { RSVP } from '../rsvp/wire/index.js';
import {
  acknowledgments,
  destinationOf,
  HOPS,
  path,
  REFRESH_PERIOD,
  resv,
  senderOf,
  srefreshes,
} from './scale-peers.js';

/** Messages of a kind that are made beforehand and then handled at one go: only the latter is measured. */
const BATCH = 1000;
/** One in so many refreshes is whole, as the exchange does it. */
const WHOLE_EVERY = 20;
/** Steps of virtual time that a refresh period is cut into. */
const STEPS = 300;

/**
 * One router with many reservations (FF, unicast, a session each) between two neighbours that hold no state: what it takes to
 * set them up, to hold them, and to keep them alive. Processor time and heap are the router's own; beside them what the codec
 * alone takes for the same messages, which no engine can save.
 */
export function main(reservations = 100_000): void {
  console.log(
    `${reservations.toLocaleString('en')} reservations through one router, R = ${REFRESH_PERIOD / 1000} s`,
  );
  new Scale(2000, true).run();
  const table = new Table({
    head: ['', 'without refresh reduction', 'with (RFC 2961)'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const figures = [false, true].map((numbered) => new Scale(reservations, numbered).run());
  for (const name of Object.keys(figures[0] ?? {}) as (keyof Figures)[])
    table.push([NAMES[name], ...figures.map((figure) => figure[name])]);
  console.log(table.toString());
}

interface Figures {
  readonly setUps: string;
  readonly setUp: string;
  readonly setUpRatio: string;
  readonly heap: string;
  readonly share: string;
  readonly shareRatio: string;
  readonly messages: string;
}

const NAMES: Readonly<Record<keyof Figures, string>> = {
  setUps: 'set up, reservations/s',
  setUp: 'µs a reservation',
  setUpRatio: 'against the codec alone',
  heap: 'heap, octets a reservation',
  share: 'kept alive, share of a core',
  shareRatio: 'against the codec alone',
  messages: 'messages/s in and out',
};

class Scale {
  readonly #engine: Engine;
  #now = 0;
  /** Microseconds of processor that the router has taken. */
  #spent = 0;
  #codec = 0;
  #received = 0;
  #out: Uint8Array[] = [];
  #sent = 0;

  constructor(
    readonly reservations: number,
    readonly numbered: boolean,
  ) {
    this.#engine = new Engine({
      routing: { route: (to) => ({ outgoing: [to.startsWith('10.64') || to.startsWith('10.65') ? 2 : 1] }) },
      interfaces: [
        { ...LINK, name: 'eth1', index: 1, addresses: [HOPS.left] },
        { ...LINK, name: 'eth2', index: 2, addresses: [HOPS.right] },
      ],
      random: Math.random,
      exchangeInterface: () => (numbered ? LEARNED : OFF),
    });
  }

  run(): Figures {
    const { reservations } = this;
    const before = heapUsed();
    this.#setUp();
    const setUp = this.#spent / reservations;
    const setUpCodec = this.#codec / reservations;
    const heap = (heapUsed() - before) / reservations;
    if (this.#engine.stateCount.traffics !== reservations)
      throw new Error(`${this.#engine.stateCount.traffics} reservations in force, expected ${reservations}`);
    // A Path is refreshed whole once, within 1.5 R, before it is by number: then its next hop is known.
    this.#refresh();
    this.#refresh();
    this.#spent = this.#codec = this.#received = this.#sent = 0;
    this.#refresh();
    const { traffics } = this.#engine.stateCount;
    if (traffics !== reservations) throw new Error(`${reservations - traffics} reservations were lost`);
    const share = this.#spent / (REFRESH_PERIOD * 1000);
    return {
      setUps: Math.round(1e6 / setUp).toLocaleString('en'),
      setUp: setUp.toFixed(1),
      setUpRatio: `x ${(setUp / setUpCodec).toFixed(1)}`,
      heap: Math.round(heap).toLocaleString('en'),
      share: `${(share * 100).toFixed(1)} %`,
      shareRatio: `x ${(this.#spent / this.#codec).toFixed(1)}`,
      messages: `${Math.round(this.#received / 30)} + ${Math.round(this.#sent / 30)}`,
    };
  }

  #setUp(): void {
    for (let first = 0; first < this.reservations; first += BATCH) {
      const end = Math.min(this.reservations, first + BATCH);
      const paths: ArrivedPacket[] = [];
      const resvs: ArrivedPacket[] = [];
      for (let n = first; n < end; n++) {
        paths.push(arrivedPath(n, this.numbered));
        resvs.push(fromNext(resv(n, this.numbered)));
      }
      // Spread over a refresh period, as reservations come in life.
      this.#now += (REFRESH_PERIOD * BATCH) / this.reservations;
      this.#handle(paths);
      this.#acknowledge(fromNext);
      this.#handle(resvs);
      this.#acknowledge(fromPrevious);
    }
  }

  /** One R: both neighbours refresh all that they have told. */
  #refresh(): void {
    const { reservations, numbered } = this;
    const begin = this.#now;
    for (let step = 0; step < STEPS; step++) {
      this.#now = begin + (REFRESH_PERIOD * (step + 1)) / STEPS;
      const first = Math.floor((reservations * step) / STEPS);
      const end = Math.floor((reservations * (step + 1)) / STEPS);
      const arriving: ArrivedPacket[] = [];
      for (let n = first; n < end; n++) {
        if (numbered && n % WHOLE_EVERY !== 0) continue;
        arriving.push(arrivedPath(n, numbered), fromNext(resv(n, numbered)));
      }
      if (numbered)
        for (const octets of srefreshes(first, end)) arriving.push(fromPrevious(octets), fromNext(octets));
      this.#handle(arriving);
      this.#acknowledge(fromNext);
    }
  }

  #handle(packets: readonly ArrivedPacket[]): void {
    const engine = this.#engine;
    const start = cpuUsage();
    const effects: (readonly EngineEffect[])[] = [engine.handleTimeout(this.#now)];
    for (const packet of packets) effects.push(engine.receive(this.#now, packet));
    this.#spent += since(start);
    this.#out = effects.flatMap((some) =>
      some.flatMap((effect) => (effect.kind === 'send' ? [effect.packet.octets] : [])),
    );
    this.#received += packets.length;
    this.#sent += this.#out.length;
    this.#measureCodec(packets);
  }

  /** Decodes what came and encodes what went. */
  #measureCodec(packets: readonly ArrivedPacket[]): void {
    const messages = this.#out.map((octets) => RSVP.decode(octets));
    const start = cpuUsage();
    for (const { octets } of packets) kept = RSVP.decode(octets);
    for (const message of messages) kept = RSVP.encode(message);
    this.#codec += since(start);
  }

  #acknowledge(from: (octets: Uint8Array) => ArrivedPacket): void {
    if (this.numbered) this.#handle(acknowledgments(this.#out).map(from));
  }
}

const LEARNED = { refreshReduction: 'learned' } as const;
const OFF = { refreshReduction: 'off' } as const;
const LINK = { mtu: 1500, isUp: true, reservable: 1e12, bandwidth: 1e12 };

function arrivedPath(n: number, numbered: boolean): ArrivedPacket {
  const addresses = { source: senderOf(n), destination: destinationOf(n) };
  return { interface: 1, ...addresses, ttl: 63, octets: path(n, numbered) };
}

function fromPrevious(octets: Uint8Array): ArrivedPacket {
  return { interface: 1, source: HOPS.previous, destination: HOPS.left, ttl: 255, octets };
}

function fromNext(octets: Uint8Array): ArrivedPacket {
  return { interface: 2, source: HOPS.next, destination: HOPS.right, ttl: 255, octets };
}

/** Microseconds, of this process. */
function since(start: NodeJS.CpuUsage): number {
  const { user, system } = cpuUsage(start);
  return user + system;
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Keeps results alive, so that no work is optimised away. */
let kept: unknown;
export const last = (): unknown => kept;
