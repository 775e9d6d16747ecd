import { cpuUsage, memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Exchange, KeyRing } from '../rsvp/exchange/index.js';
import type { Advert, ArrivedMessage, ExchangeInterface, Refreshed } from '../rsvp/exchange/index.js';
import { FilterSpecIpv4, find, Flowspec, RSVP, RsvpHopIpv4, SessionIpv4, Style } from '../rsvp/wire/index.js';

/**
 * What it costs to keep 100,000 reservations alive between a node and four neighbours, R = 30 s: CPU time for 30 seconds of
 * virtual time when everything has been told, both ends together, and the memory that each state takes in the exchanges. By
 * number (RFC 2961), the same signed (RFC 2747), and by whole messages. The engines on both sides are left out.
 */
export function main(): void {
  const title = `${STATES} reservations, ${NEIGHBOURS} neighbours, R = 30 s`;
  console.log(`${title}   CPU s of 30 s   of a core   packets   octets/s   octets a state`);
  const base: ExchangeInterface = { mtu: 1500, refreshReduction: 'assumed' };
  // The first alone is weighed: what it leaves behind would blur the others.
  measure('by number, never whole', { ...base, wholeEvery: 0 }, true);
  measure('by number, one in 20 whole', base);
  const keys = new KeyRing([{ id: '000000000001', algorithm: 'hmac-md5', secret: new Uint8Array(16) }]);
  measure('by number, one in 20 whole, signed', {
    ...base,
    integrity: { send: keys, receive: keys, handshake: 'off' },
  });
  measure('by whole messages', { ...base, refreshReduction: 'off' });
}

const STATES = 100_000;
const NEIGHBOURS = 4;
const HERE = '10.0.0.1';
const there = (i: number): string => `10.0.0.${2 + (i % NEIGHBOURS)}`;

/** Both ends, and the packets between them: nothing is lost, nothing takes time. */
class World {
  now = 0;
  packets = 0;
  octets = 0;
  readonly here: Exchange;
  readonly others = new Map<string, Exchange>();
  refreshed = 0;

  constructor(settings: ExchangeInterface) {
    this.here = exchangeOf(settings, 1);
    for (let i = 0; i < NEIGHBOURS; i++) this.others.set(there(i), exchangeOf(settings, 2 + i));
  }

  deliver(arrived: (to: Exchange, message: ArrivedMessage) => void): void {
    for (let isQuiet = false; !isQuiet;) {
      isQuiet = true;
      for (const [source, exchange] of [[HERE, this.here] as const, ...this.others]) {
        for (const effect of exchange.effects()) {
          if (effect.kind !== 'send') continue;
          isQuiet = false;
          const { destination, ttl, octets } = effect.packet;
          this.packets++;
          this.octets += octets.length + 20;
          const to = destination === HERE ? this.here : (this.others.get(destination) as Exchange);
          const packet = { interface: 1, source, destination, ttl, octets };
          for (const message of to.receive(this.now, packet)) arrived(to, message);
        }
      }
    }
  }

  run(until: number, arrived: (to: Exchange, message: ArrivedMessage) => void): void {
    while (true) {
      let next = Infinity;
      for (const exchange of [this.here, ...this.others.values()])
        next = Math.min(next, exchange.nextTimeout() ?? Infinity);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      for (const exchange of [this.here, ...this.others.values()]) exchange.handleTimeout(this.now);
      this.deliver(arrived);
    }
    this.now = until;
  }
}

function exchangeOf(settings: ExchangeInterface, seed: number): Exchange {
  let state = seed;
  return new Exchange({
    codec: RSVP,
    interface: () => settings,
    random: () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff,
    epoch: seed,
    firstMessageIdentifier: 1,
    firstSequenceNumber: 1n,
    secret: new Uint8Array([seed]),
  });
}

/** The message is made anew each time, as an engine makes it from its state. */
class Reservation implements Advert {
  readonly interface = 1;
  readonly routerAlert = false;
  readonly ttl = 255;
  readonly refreshPeriod = 30_000;

  constructor(
    readonly number: number,
    readonly destination: string,
  ) {}

  get neighbour(): string {
    return this.destination;
  }

  message(): ReturnType<Advert['message']> {
    const destAddress = `10.${64 + (this.number >> 16)}.${(this.number >> 8) & 255}.${this.number & 255}`;
    return {
      msgType: 2,
      objects: [
        SessionIpv4.make({ destAddress, protocolId: 17, flags: 0, dstPort: 5004 }),
        RsvpHopIpv4.make({ hopAddress: HERE, logicalInterfaceHandle: 1 }),
        Style.make({ flags: 0, optionVector: 0b01010 }),
        Flowspec.make(FLOWSPEC),
        FilterSpecIpv4.make({ srcAddress: '10.1.0.1', srcPort: 5004 }),
      ],
    };
  }
}

const FLOWSPEC = RSVP.decode(
  // A Resv with a controlled-load FLOWSPEC alone (RFC 2210 3.2.2).
  Buffer.from(
    '1002 0000 ff00 002c 0024 0902 0000 0007 0500 0006 7f00 0005 47f42400 44bb8000 47f42400 00000040 000005dc'.replaceAll(
      ' ',
      '',
    ),
    'hex',
  ),
).objects[0] as ReturnType<typeof Flowspec.make>;

function measure(name: string, settings: ExchangeInterface, weigh = false): void {
  const world = new World(settings);
  const adverts = Array.from({ length: STATES }, (_, i) => new Reservation(i, there(i)));
  const states: (Refreshed & { at: number })[] = adverts.map(() => ({
    at: 0,
    refreshed(now) {
      this.at = now;
    },
  }));
  const arrived = (to: Exchange, message: ArrivedMessage): void => {
    const { destAddress = '' } = find(message.message, SessionIpv4) ?? {};
    const [, a = 0, b = 0, c = 0] = destAddress.split('.').map(Number);
    const state = states[((a - 64) << 16) | (b << 8) | c];
    if (state === undefined) return;
    state.refreshed(world.now);
    to.bind(message, state);
  };
  const before = weigh ? heap() : undefined;
  for (const advert of adverts) {
    world.here.tell(world.now, advert);
    if (advert.number % 100 === 99) world.deliver(arrived);
  }
  world.run(60_000, arrived);
  // Told at once, they are all over the period by now.
  const held = before === undefined ? undefined : heap() - before;
  world.packets = world.octets = 0;
  const cpu = cpuUsage();
  world.run(90_000, arrived);
  const { user, system } = cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  const late = states.filter(({ at }) => world.now - at > 45_100).length;
  if (late > 0) throw new Error(`${late} states were not refreshed in 1.5 R`);
  console.log(
    [
      name.padEnd(56),
      seconds.toFixed(2).padStart(15),
      `${((seconds / 30) * 100).toFixed(1)} %`.padStart(11),
      String(world.packets).padStart(9),
      Math.round(world.octets / 30)
        .toString()
        .padStart(10),
      (held === undefined ? '' : String(Math.round(held / STATES))).padStart(14),
    ].join(' '),
  );
}

function heap(): number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
}
