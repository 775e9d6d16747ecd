import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  Adspec,
  AvailablePathBandwidth,
  BREAK_BIT,
  ComposedCtot,
  ComposedDtot,
  find,
  MinimumPathLatency,
  NumberOfIsHops,
  PathMtu,
  firstOf,
} from '../../wire/index.js';
import type { Parameter, ServiceFragment, WireObject } from '../../wire/index.js';
import { defaultAdspec, updateAdspec } from '../adspec.js';
import type { NodeInterface } from '../node.js';
import { line, tspec } from './network.js';
import { One, S } from './one.js';

const LINK: NodeInterface = {
  name: 'eth0',
  index: 1,
  addresses: ['10.0.0.1'],
  mtu: 1400,
  isUp: true,
  reservable: 1e6,
  bandwidth: 1.25e6,
  latency: 500,
};

function update(adspec: WireObject, more: Partial<NodeInterface> = {}, isAfterNonRsvpHop = false): Fragments {
  return fragmentsOf(
    updateAdspec(adspec, { interface: { ...LINK, ...more }, isAfterNonRsvpHop, isIsHop: true }),
  );
}

type Fragments = ReadonlyMap<number, ServiceFragment>;

function fragmentsOf(adspec: WireObject): Fragments {
  assert.ok(Adspec.is(adspec));
  return new Map(adspec.services.map((fragment) => [fragment.number, fragment]));
}

function parametersOf(fragments: Fragments, service: number): readonly Parameter[] {
  return fragments.get(service)?.parameters ?? [];
}

const NAMES: Readonly<Record<number, string>> = {
  1: 'Default General Parameters',
  2: 'Guaranteed',
  5: 'Controlled-Load',
};

function make(services: readonly Partial<ServiceFragment>[]): WireObject {
  return Adspec.make({
    version: 0,
    services: services.map((one) => ({
      service: NAMES[one.number ?? 1] ?? 'unknown',
      number: 1,
      flags: 0,
      length: 0,
      parameters: [],
      ...one,
    })),
  });
}

describe('ADSPEC (RFC 2210 3.3, RFC 2215 3)', () => {
  it('counts hops, takes the least bandwidth and MTU, adds latencies', () => {
    const general = parametersOf(update(defaultAdspec()), 1);
    assert.equal(firstOf(general, NumberOfIsHops)?.isHopCount, 1);
    assert.equal(firstOf(general, AvailablePathBandwidth)?.pathBandwidth, 1.25e6);
    assert.equal(firstOf(general, MinimumPathLatency)?.minimumPathLatency, 500);
    assert.equal(firstOf(general, PathMtu)?.pathMtu, 1400);
  });

  it('a latency that is not known makes the sum unknown; the sum is clamped (RFC 2215 3.4)', () => {
    const latency = (adspec: WireObject, more: Partial<NodeInterface>) =>
      firstOf(parametersOf(update(adspec, more), 1), MinimumPathLatency)?.minimumPathLatency;
    const known = Object.entries(LINK).filter(([name]) => name !== 'latency');
    const unknown = Object.fromEntries(known) as unknown as NodeInterface;
    const updated = updateAdspec(defaultAdspec(), {
      interface: unknown,
      isAfterNonRsvpHop: false,
      isIsHop: true,
    });
    const general = parametersOf(fragmentsOf(updated), 1);
    assert.equal(firstOf(general, MinimumPathLatency)?.minimumPathLatency, 0xffffffff);
    const almost = make([{ parameters: [MinimumPathLatency.make({ minimumPathLatency: 0xfffffffe })] }]);
    assert.equal(latency(almost, {}), 0xffffffff);
  });

  it('break bits: a hop without RSVP behind or before us, and services that are not known', () => {
    assert.equal(update(defaultAdspec()).get(1)?.flags, 0);
    assert.equal(update(defaultAdspec(), {}, true).get(1)?.flags, BREAK_BIT);
    assert.equal(update(defaultAdspec(), { isBroken: true }).get(1)?.flags, BREAK_BIT);
    const unknown = { ...make([{ number: 1 }, { number: 77, body: new Uint8Array(4) } as never]) };
    assert.equal(update(unknown).get(77)?.flags, BREAK_BIT);
  });

  it('guaranteed service: C and D are added; a fragment that is only a header is filled, its break bit kept', () => {
    const terms = parametersOf(update(defaultAdspec()), 2);
    assert.equal(firstOf(terms, ComposedCtot)?.ctot, 1400, 'C: a packet of the largest size');
    assert.equal(firstOf(terms, ComposedDtot)?.dtot, 1120, 'D: its time on the wire, in microseconds');
    const empty = update(make([{ number: 1 }, { number: 2, flags: BREAK_BIT }])).get(2);
    assert.equal(empty?.flags, BREAK_BIT);
    assert.equal(empty.parameters?.length, 4);
  });

  it('a service that the sender leaves out stays out', () => {
    assert.deepEqual([...update(make([{ number: 1 }, { number: 5 }])).keys()], [1, 5]);
  });

  it('what a service overrides is composed alike (RFC 2210 3.3.5)', () => {
    const adspec = make([
      { number: 1 },
      { number: 5, parameters: [AvailablePathBandwidth.make({ pathBandwidth: 2e6 })] },
    ]);
    assert.equal(firstOf(parametersOf(update(adspec), 5), AvailablePathBandwidth)?.pathBandwidth, 1.25e6);
  });

  it('is updated at each hop of a path, and arrives at the receiver', () => {
    const net = line(['s', 'r1', 'r2', 'd'], { latency: 100, mtu: 1300, bandwidth: 1e6 });
    const source = net.at('s');
    const destination = net.at('d').interfaces[0]!.addresses[0]!;
    const application = net.session('s', destination);
    net.session('d', destination);
    const address = source.interfaces[0]!.addresses[0]!;
    source.do(source.rsvp.sender(0, application, { address, port: 6000, tspec: tspec(1) }));
    net.runFor(100);
    const [upcall] = net.at('d').upcalls('PATH_EVENT');
    assert.ok(upcall?.upcall.type === 'PATH_EVENT' && upcall.upcall.adspec !== undefined);
    const general = parametersOf(fragmentsOf(upcall.upcall.adspec), 1);
    assert.equal(firstOf(general, NumberOfIsHops)?.isHopCount, 2, 'both routers');
    assert.equal(firstOf(general, MinimumPathLatency)?.minimumPathLatency, 300, 'three links');
    assert.equal(firstOf(general, PathMtu)?.pathMtu, 1300);
  });
});

describe('hops without RSVP (RFC 2205 3.8)', () => {
  it('show in a TTL below Send_TTL, and set the break bit downstream', () => {
    const one = new One().path('a', S[1], { adspec: defaultAdspec(), sendTtl: 63, ttl: 60 });
    assert.equal([...one.engine.senders()][0]?.isAfterNonRsvpHop, true);
    const [path] = one.take('Path');
    assert.equal(fragmentsOf(find(path!.message, Adspec)!).get(1)?.flags, BREAK_BIT);
    assert.deepEqual([path?.ttl, path?.message.ttl], [59, 59], 'RFC 2209: one less than it came with');
  });

  it('do not show where there are none', () => {
    const one = new One().path('a', S[1], { adspec: defaultAdspec(), sendTtl: 63, ttl: 63 });
    assert.equal([...one.engine.senders()][0]?.isAfterNonRsvpHop, false);
  });
});
