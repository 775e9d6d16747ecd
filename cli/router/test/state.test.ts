import assert from 'node:assert/strict';
import { Engine } from '../../../rsvp/engine/engine.js';
import type { EngineEffect } from '../../../rsvp/engine/effect.js';
import type { NodeInterface } from '../../../rsvp/engine/node.js';
import { RSVP } from '../../../rsvp/wire/index.js';
import { requestMessage } from '../../request/message.js';
import type { RequestTerms } from '../../request/message.js';
import type { Views } from '../control/views.js';
import { RefusalNotes } from '../refusals.js';
import { stateViews } from '../state.js';

const link = (name: string, index: number, address: string, reservable: number): NodeInterface => ({
  name,
  index,
  addresses: [address],
  mtu: 1500,
  isUp: true,
  reservable,
  bandwidth: 1e7,
});
const LINKS = [link('eth0', 2, '10.1.0.2', 1e6), link('eth1', 3, '10.1.1.1', 1e6)];
const SESSION = { address: '10.1.2.2', protocol: 17, port: 5004 };

/** A router between 10.1.0.1, which sends, and 10.1.1.2; what is told to it is at `now`. */
class World {
  now = 0;
  readonly refusals = new RefusalNotes(157_500, () => this.now);
  readonly engine = new Engine({
    routing: {
      route: (destination) => ({ outgoing: [destination === '10.1.2.2' ? 3 : 2] }),
    },
    interfaces: LINKS,
    random: () => 0.5,
  });
  readonly views = stateViews({
    engine: this.engine,
    interfaces: () => LINKS,
    counts: new Map([[2, { received: 1, sent: 2 }]]),
    refusals: this.refusals,
    policy: () => ({ module: 'none', state: '', isReady: true, pending: 0, granted: 0, refused: 0 }),
    statistics: () => ({ received: 1 }),
    spoken: (name) => ({ refreshReduction: name === 'eth0', integrity: false }),
    now: () => this.now,
  });

  path(): void {
    this.#arrives('path', '10.1.0.1', 2, '10.1.2.2', 1e6);
  }

  resv(bandwidth: number): void {
    this.#arrives('resv', '10.1.1.2', 3, '10.1.1.1', bandwidth);
  }

  rows<Name extends keyof Views>(name: Name): Views[Name][] {
    return [...this.views[name]()];
  }

  #arrives(
    message: 'path' | 'resv',
    hop: string,
    index: number,
    destination: string,
    bandwidth: number,
  ): void {
    const terms: RequestTerms = {
      message,
      session: SESSION,
      senders: [{ address: '10.1.0.1', port: 4000 }],
      style: 'ff',
      hop,
      bandwidth: message === 'path' ? 20e6 : bandwidth,
      service: 'controlled-load',
      refresh: 30_000,
      ttl: 64,
      policyData: [],
    };
    const input = requestMessage(terms);
    // The handle of the Path that it answers (RFC 2205 A.2).
    const objects = input.objects.map((object) =>
      object.class === 'RSVP_HOP' && message === 'resv' ? { ...object, logicalInterfaceHandle: 3 } : object,
    );
    const packet = {
      interface: index,
      source: message === 'path' ? '10.1.0.1' : hop,
      destination,
      ttl: 64,
      octets: RSVP.encode({ ...input, objects }),
    };
    this.#perform(this.engine.receive(this.now, packet));
  }

  #perform(effects: readonly EngineEffect[]): void {
    for (const effect of effects) if (effect.kind === 'event') this.refusals.take(effect.event);
  }
}

describe('what `bandex show` is told of an engine', () => {
  it('is path state, with when it was refreshed and when it goes (RFC 2205 3.7)', () => {
    const world = new World();
    world.path();
    world.now = 12_000;
    assert.deepEqual(world.rows('senders'), [
      {
        session: '10.1.2.2/udp/5004',
        sender: '10.1.0.1:4000',
        previousHop: '10.1.0.1',
        incoming: 'eth0',
        outgoing: ['eth1'],
        rate: 2_500_000,
        bucket: 250_000,
        hasNonRsvpHop: false,
        hasPolicyData: false,
        refreshedAgo: 12_000,
        // (K + 0.5) * 1.5 * R, of K = 3 and R = 30 s.
        expiresIn: 157_500 - 12_000,
      },
    ]);
    assert.deepEqual(world.rows('neighbours'), [
      { neighbour: '10.1.0.1', interface: 'eth0', senders: 1, reservations: 0, asked: 0 },
    ]);
  });

  it('is reservations in force, and what is left of the link', () => {
    const world = new World();
    world.path();
    world.resv(2e6);
    const [reservation] = world.rows('reservations');
    assert.ok(reservation !== undefined);
    assert.deepEqual(
      [reservation.state, reservation.style, reservation.nextHop, reservation.outgoing, reservation.rate],
      ['in force', 'FF', '10.1.1.2', 'eth1', 250_000],
    );
    assert.deepEqual(world.rows('sessions'), [
      { session: '10.1.2.2/udp/5004', senders: 1, reservations: 1, reserved: 250_000 },
    ]);
    const [eth0, eth1] = world.rows('interfaces');
    assert.deepEqual([eth0?.reserved, eth0?.received, eth0?.sent, eth0?.refreshReduction], [0, 1, 2, true]);
    assert.deepEqual([eth1?.reserved, eth1?.reservable, eth1?.reservations], [250_000, 1e6, 1]);
    assert.deepEqual(
      world.rows('neighbours').map(({ neighbour, asked, reservations }) => [neighbour, asked, reservations]),
      [
        ['10.1.0.1', 1, 0],
        ['10.1.1.2', 0, 1],
      ],
    );
    const counters = new Map(world.rows('counters').map(({ counter, value }) => [counter, value]));
    assert.deepEqual(
      [counters.get('engine.messages'), counters.get('state.paths'), counters.get('transport.received')],
      [2, 1, 1],
    );
    assert.equal(counters.get('dropped.malformed'), 0);
  });

  it('is what was refused of late, with the reason, until it is granted or would have timed out', () => {
    const world = new World();
    world.path();
    world.resv(9e6);
    const [refused] = world.rows('reservations');
    assert.deepEqual(
      [refused?.state, refused?.nextHop, refused?.outgoing, refused?.rate],
      ['refused', '10.1.1.2', 'eth1', 1_125_000],
    );
    assert.match(refused?.reason ?? '', /1125000 octets\/s asked for on eth1, 1000000 of 1000000 free/);
    world.now = 157_501;
    assert.deepEqual(world.rows('reservations'), []);
    world.now = 1000;
    world.resv(9e6);
    world.resv(1e6);
    assert.deepEqual(
      world.rows('reservations').map(({ state }) => state),
      ['in force'],
    );
  });

  it('holds no more than a thousand refusals', () => {
    const world = new World();
    for (let i = 0; i < 2000; i++)
      world.refusals.take({
        kind: 'policy-refused',
        session: `s${i}`,
        text: '',
        message: 'Resv',
        question: i,
        hop: 'h',
        code: 2,
        value: 3,
        reason: 'no',
      });
    const notes = world.refusals.all();
    assert.deepEqual([notes.length, notes[0]?.session], [1000, 's1000']);
  });
});
