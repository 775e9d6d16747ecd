import assert from 'node:assert/strict';
import type { SentPacket } from '../../engine/packet.js';
import type { Advert, ArrivedMessage, Refreshed } from '../advert.js';
import { KeyRing } from '../keys.js';
import type { ExchangeInterface } from '../options.js';
import { portOf, Station } from './station.js';

/** Numbers that look random, the same each time (Lehmer). */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
}

const R = 30_000;
/** RFC 2205 3.7 with K = 3. */
const LIFETIME = 3.5 * 1.5 * R;
const RESV = 2;
const RESV_TEAR = 6;

class State implements Refreshed {
  constructor(
    public value: number,
    public until: number,
  ) {}

  refreshed(now: number): void {
    this.until = now + LIFETIME;
  }
}

/** What an engine does with messages, as little of it as it takes: Resv state by port, with a value in it that changes. */
class Node {
  readonly station: Station;
  readonly told = new Map<number, { value: number; advert: Advert }>();
  readonly held = new Map<number, State>();

  constructor(
    readonly address: string,
    readonly peer: string,
    readonly seed: number,
    settings: Partial<ExchangeInterface>,
    restart = 0,
  ) {
    this.station = new Station(address, settings, {
      random: random(seed + restart),
      epoch: seed + restart,
      firstMessageIdentifier: 0xfffffff0,
      firstSequenceNumber: BigInt(restart) << 32n,
    });
  }

  tell(now: number, port: number, value: number): void {
    const known = this.told.get(port);
    // The Send_TTL stands for what is in the message.
    if (known === undefined) {
      const entry = { value, advert: undefined as unknown as Advert };
      const base = this.station.resv(port, this.peer, R);
      entry.advert = { ...base, message: () => ({ ...base.message(), reserved: entry.value }) };
      this.told.set(port, entry);
    } else known.value = value;
    this.station.exchange.tell(now, this.told.get(port)!.advert);
  }

  tear(now: number, port: number): void {
    const known = this.told.get(port);
    if (known === undefined) return;
    this.told.delete(port);
    this.station.exchange.forget(known.advert);
    this.station.exchange.send(now, this.station.tear(port, this.peer));
  }

  hear(now: number, packet: Parameters<Station['exchange']['receive']>[1]): void {
    for (const arrived of this.station.exchange.receive(now, packet)) this.#apply(now, arrived);
  }

  expire(now: number): void {
    for (const [port, state] of this.held)
      if (state.until <= now) {
        this.held.delete(port);
        this.station.exchange.unbind(state);
      }
  }

  #apply(now: number, arrived: ArrivedMessage): void {
    const { message } = arrived;
    const port = portOf(message);
    let state = this.held.get(port);
    if (state !== undefined && this.station.exchange.order(arrived, state) === 'stale') return;
    if (message.msgType === RESV_TEAR) {
      if (state !== undefined) this.station.exchange.unbind(state);
      this.held.delete(port);
    } else if (message.msgType === RESV) {
      if (state === undefined) this.held.set(port, (state = new State(0, 0)));
      state.value = message.reserved ?? 0;
      state.refreshed(now);
      this.station.exchange.bind(arrived, state);
    }
  }
}

interface Faults {
  readonly loss: number;
  readonly copies: number;
  readonly delay: number;
}

/** Two nodes on a link that loses, copies and reorders, until `rough` is over; then it is quiet, and both have to agree. */
function play(
  seed: number,
  settings: Partial<ExchangeInterface>,
  other: Partial<ExchangeInterface> = settings,
) {
  const dice = random(seed);
  const a = new Node('10.0.0.1', '10.0.0.2', 1000 + seed, settings);
  let b = new Node('10.0.0.2', '10.0.0.1', 2000 + seed, other);
  const flying: { at: number; to: 'a' | 'b'; packet: Parameters<Station['exchange']['receive']>[1] }[] = [];
  let faults: Faults = { loss: 0.3, copies: 0.2, delay: 400 };
  const launch = (now: number, from: Node, to: 'a' | 'b', packets: readonly SentPacket[]): void => {
    for (const packet of packets)
      for (let copy = dice() < faults.copies ? 2 : 1; copy > 0; copy--)
        if (dice() >= faults.loss)
          flying.push({ at: now + dice() * faults.delay, to, packet: from.station.arrival(packet) });
  };
  const step = (now: number): void => {
    for (let i = flying.length - 1; i >= 0; i--) {
      const { at, to, packet } = flying[i]!;
      if (at > now) continue;
      flying.splice(i, 1);
      (to === 'a' ? a : b).hear(now, packet);
    }
    for (const node of [a, b]) {
      node.station.exchange.handleTimeout(now);
      node.expire(now);
      launch(now, node, node === a ? 'b' : 'a', node.station.flush());
    }
  };
  let now = 0;
  for (; now < 300_000; now += 50) {
    for (const node of [a, b]) {
      if (dice() > 0.01) continue;
      const port = 1 + Math.floor(dice() * 20);
      if (dice() < 0.7) node.tell(now, port, 1 + Math.floor(dice() * 250));
      else node.tear(now, port);
    }
    if (now === 150_000) {
      // B loses all that it knew, and tells its own anew with another Epoch.
      const { told } = b;
      b = new Node('10.0.0.2', '10.0.0.1', 2000 + seed, other, 1);
      for (const [port, { value }] of told) b.tell(now, port, value);
    }
    step(now);
  }
  faults = { loss: 0, copies: 0, delay: 20 };
  // What was lost for good has timed out, everything else was refreshed or refused and told again.
  for (const end = now + LIFETIME + 2 * R; now < end; now += 50) step(now);
  const types = new Set<number>();
  for (const node of [a, b]) for (const { octets } of node.station.sent) types.add(octets[1] as number);
  return { a, b, types };
}

const view = (node: Node, side: 'told' | 'held'): string[] =>
  [...node[side]].map(([port, { value }]) => `${port}=${value}`).sort();

function check({ a, b }: { a: Node; b: Node }): void {
  assert.ok(a.told.size > 5);
  assert.deepEqual(view(b, 'held'), view(a, 'told'));
  assert.deepEqual(view(a, 'held'), view(b, 'told'));
  for (const { station, held, told } of [a, b]) {
    const { bound, adverts, unacknowledged } = station.exchange.sizes;
    assert.equal(adverts, told.size);
    assert.ok(bound <= held.size);
    assert.equal(unacknowledged, 0);
  }
}

describe('two exchanges on a link that loses 30 %, copies 20 % and reorders agree when it has been quiet', () => {
  const keys = new KeyRing([
    { id: '000000000001', algorithm: 'hmac-md5', secret: new Uint8Array(16).fill(7) },
  ]);
  const integrity = { send: keys, receive: keys, handshake: 'on' } as const;

  for (const seed of [1, 2, 3, 4])
    it(`by number, seed ${seed} (RFC 2961)`, () => {
      const outcome = play(seed, {});
      check(outcome);
      for (const type of [12, 13, 15]) assert.ok(outcome.types.has(type));
    });

  for (const seed of [5, 6])
    it(`by number, never whole, on a point-to-point link, seed ${seed}`, () => {
      check(play(seed, { wholeEvery: 0, isPointToPoint: true, refreshReduction: 'assumed' }));
    });

  for (const seed of [7, 8])
    it(`where one does without, seed ${seed}: nobody sends it what it does not take (RFC 2961 2)`, () => {
      const outcome = play(seed, {}, { refreshReduction: 'off' });
      check(outcome);
      for (const type of [12, 15]) assert.ok(!outcome.types.has(type));
    });

  for (const seed of [9, 10])
    it(`signed, with a handshake at the start and after the restart, seed ${seed} (RFC 2747)`, () => {
      const outcome = play(seed, { integrity });
      check(outcome);
      for (const type of [25, 26]) assert.ok(outcome.types.has(type));
    });
});
