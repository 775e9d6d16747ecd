import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { readFixture } from '../../../fixtures/index.js';
import { decodeCapture } from '../../capture/index.js';
import type { Packet } from '../../capture/index.js';
import { Adspec, ErrorSpecIpv4, find, firstOf, NumberOfIsHops, RSVP, RsvpHopIpv4 } from '../../wire/index.js';
import type { RsvpMessage, WireObject } from '../../wire/index.js';
import { Engine } from '../engine.js';
import type { EngineEffect } from '../effect.js';
import type { Upcall } from '../event.js';
import { flowOf, readFlow } from '../flow.js';
import type { Flow } from '../flow.js';
import type { NodeInterface, Route } from '../node.js';

/** Messages of the KOM RSVP engine, another implementation: we take the place of one of its nodes. */
class Stand {
  readonly engine: Engine;
  readonly sent: { to: string; interface: number; message: RsvpMessage }[] = [];
  readonly upcalls: Upcall['upcall'][] = [];
  rates: number[] = [];
  now = 0;

  constructor(addresses: readonly string[], route: (destination: string) => Route, isHost = false) {
    const interfaces: NodeInterface[] = addresses.map((address, i) => ({
      name: `eth${i}`,
      index: i + 1,
      addresses: [address],
      mtu: 1500,
      isUp: true,
      reservable: 1e12,
      bandwidth: 1e12,
    }));
    this.engine = new Engine({ random: () => 0.5, routing: { route }, interfaces, isHost, isPolicing: true });
  }

  do(effects: readonly EngineEffect[]): this {
    for (const effect of effects) {
      if (effect.kind === 'send') {
        const { destination: to, interface: index, octets } = effect.packet;
        const whole = RSVP.decode(octets);
        for (const message of whole.messages ?? [whole]) this.sent.push({ to, interface: index, message });
      } else if (effect.kind === 'event' && effect.event.kind === 'upcall')
        this.upcalls.push(effect.event.upcall);
      else if (effect.kind === 'reserve') this.rates.push(effect.reservation.rate);
    }
    return this;
  }

  feed({ src: source, dst: destination, ttl, payload: octets }: Packet, index: number): this {
    return this.do(this.engine.receive(this.now, { interface: index, source, destination, ttl, octets }));
  }

  take(type: string): readonly { to: string; interface: number; message: RsvpMessage }[] {
    const taken = this.sent.filter(({ message }) => message.type === type);
    this.sent.length = 0;
    return taken;
  }
}

function frames(name: string): (frame: number) => Packet {
  const packets = decodeCapture(readFixture(`captures/${name}.pcap`));
  return (frame) => {
    const packet = packets.find((one) => one.frame === frame);
    if (packet === undefined) throw new RangeError(`no frame ${frame} in ${name}`);
    return packet;
  };
}

/** Octets of the objects of these classes, in order. */
function octetsOf(message: RsvpMessage, ...classes: readonly string[]): readonly string[] {
  const picked = message.objects.filter((object: WireObject) => classes.includes(object.class));
  return picked.map((object) =>
    Buffer.from(RSVP.encode({ msgType: 1, objects: [object] }).subarray(8)).toString('hex'),
  );
}

function flowIn(packet: Packet): Flow {
  const flowspec = RSVP.decode(packet.payload).objects.find(({ classNum }) => classNum === 9);
  const read = flowspec === undefined ? 0 : readFlow(flowspec);
  assert.ok(typeof read === 'object');
  return flowOf(read);
}

const CHAIN = (destination: string): Route => ({ outgoing: [destination.startsWith('10.9.2.') ? 2 : 1] });

describe('between two nodes of the KOM engine, as the router of its SE chain', () => {
  const r1 = frames('kom-se-chain-r1');
  const r2 = frames('kom-se-chain-r2');
  const stand = (): Stand => new Stand(['10.9.1.254', '10.9.2.254'], CHAIN).feed(r1(1), 1).feed(r1(2), 1);

  it('forwards Paths as the KOM router does (RFC 2205 3.1.3)', () => {
    const paths = stand().take('Path');
    for (const [i, frame] of [1, 2].entries()) {
      const theirs = RSVP.decode(r2(frame).payload);
      const ours = paths[i]!.message;
      const classes = ['SESSION', 'RSVP_HOP', 'SENDER_TEMPLATE', 'SENDER_TSPEC'];
      assert.deepEqual(octetsOf(ours, ...classes), octetsOf(theirs, ...classes));
      assert.equal(ours.ttl, theirs.ttl, 'one less than it came with');
      assert.deepEqual(
        ours.objects.map((object) => object.class),
        theirs.objects.map((object) => object.class),
      );
      const general = find(ours, Adspec)?.services[0]?.parameters ?? [];
      assert.equal(firstOf(general, NumberOfIsHops)?.isHopCount, 2);
    }
  });

  it('merges and forwards its Resv as the KOM router does, confirmation and all (RFC 2205 3.1.4)', () => {
    const one = stand();
    one.sent.length = 0;
    one.feed(r2(3), 2);
    const [resv] = one.take('Resv');
    const theirs = RSVP.decode(r1(3).payload);
    const classes = ['SESSION', 'RSVP_HOP', 'RESV_CONFIRM', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'];
    assert.equal(resv?.to, '10.9.1.1');
    assert.deepEqual(octetsOf(resv.message, ...classes), octetsOf(theirs, ...classes));
    assert.equal(one.rates.length, 1);
  });

  it('a tear of one sender goes on as ResvTear, and the rest is told anew', () => {
    const one = stand().feed(r2(3), 2);
    one.sent.length = 0;
    one.feed(r2(9), 2).feed(r2(10), 2);
    const tears = one.sent.filter(({ message }) => message.type === 'ResvTear');
    assert.equal(tears.length, 1);
    const theirs = RSVP.decode(r1(9).payload);
    assert.deepEqual(
      octetsOf(tears[0]!.message, 'SESSION', 'RSVP_HOP', 'STYLE', 'FILTER_SPEC'),
      octetsOf(theirs, 'SESSION', 'RSVP_HOP', 'STYLE', 'FILTER_SPEC'),
    );
    const [resv] = one.take('Resv');
    assert.deepEqual(
      octetsOf(resv!.message, 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'),
      octetsOf(RSVP.decode(r1(10).payload), 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'),
    );
    one.feed(r2(12), 2);
    assert.equal(one.engine.stateCount.reservations, 0);
    assert.equal(one.take('ResvTear').length, 1);
  });

  it('passes its ResvConf on to the receiver (RFC 2205 3.1.9)', () => {
    const one = stand().feed(r2(3), 2);
    one.sent.length = 0;
    one.feed(r1(4), 1);
    const [conf] = one.take('ResvConf');
    assert.deepEqual([conf?.to, conf?.interface], ['10.9.2.2', 2]);
    const theirs = RSVP.decode(r2(4).payload);
    const classes = ['SESSION', 'ERROR_SPEC', 'RESV_CONFIRM', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'];
    assert.deepEqual(octetsOf(conf!.message, ...classes), octetsOf(theirs, ...classes));
  });

  it('its Srefresh keeps the reservation (RFC 2961 5)', () => {
    const one = stand().feed(r2(3), 2);
    const expiry = () => [...one.engine.reservations()][0]?.expiresAt;
    const before = expiry();
    assert.equal(before, 26_250, '(K + 0.5) * 1.5 * R with R = 5 s');
    one.now = 6000;
    one.feed(r2(8), 2);
    assert.equal(expiry(), 32_250);
  });
});

describe('with one node of the KOM engine, in the place of the other', () => {
  const ff = frames('kom-ff-2node');
  const session = { destination: '10.9.0.2', protocol: 17, port: 5000 };
  const sender = { address: '10.9.0.1', port: 6000 };

  it('as the receiver: hears its Path, asks as the KOM receiver does, is confirmed, hears its PathTear', () => {
    const one = new Stand(['10.9.0.2'], (to) => ({ outgoing: to === '10.9.0.2' ? [] : [1] }), true);
    const { application, effects } = one.engine.session(0, session);
    one.do(effects).feed(ff(1), 1);
    assert.deepEqual(
      one.upcalls.map(({ type }) => type),
      ['PATH_EVENT'],
    );
    const flows = [{ flow: flowIn(ff(2)), senders: [sender] }];
    one.do(one.engine.reserve(0, application, { style: 'FF', flows, confirm: true }));
    const [resv] = one.take('Resv');
    const theirs = RSVP.decode(ff(2).payload);
    const classes = ['SESSION', 'RSVP_HOP', 'RESV_CONFIRM', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'];
    assert.deepEqual(octetsOf(resv!.message, ...classes), octetsOf(theirs, ...classes));
    one.feed(ff(3), 1);
    assert.equal(one.upcalls.at(-1)?.type, 'RESV_CONFIRM');
    one.feed(ff(9), 1);
    const last = one.upcalls.at(-1);
    assert.ok(last?.type === 'PATH_EVENT' && last.state === 'gone');
  });

  it('as the sender: takes its Resv and confirms it as the KOM sender does', () => {
    const one = new Stand(['10.9.0.1'], (to) => ({ outgoing: to === '10.9.0.1' ? [] : [1] }), true);
    const { application } = one.engine.session(0, session);
    const tspec = RSVP.decode(ff(1).payload).objects.find(({ classNum }) => classNum === 12)!;
    one.do(one.engine.sender(0, application, { ...sender, tspec, ttl: 127 }));
    const [path] = one.take('Path');
    const theirs = RSVP.decode(ff(1).payload);
    const classes = ['SESSION', 'RSVP_HOP', 'SENDER_TEMPLATE', 'SENDER_TSPEC'];
    assert.deepEqual(octetsOf(path!.message, ...classes), octetsOf(theirs, ...classes));
    one.feed(ff(2), 1);
    assert.equal(one.upcalls.at(-1)?.type, 'RESV_EVENT');
    const [conf] = one.take('ResvConf');
    const confirmation = RSVP.decode(ff(3).payload);
    const parts = ['SESSION', 'ERROR_SPEC', 'RESV_CONFIRM', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'];
    assert.deepEqual(octetsOf(conf!.message, ...parts), octetsOf(confirmation, ...parts));
    assert.equal(find(conf!.message, ErrorSpecIpv4)?.errorNodeAddress, '10.9.0.1');
  });

  it('as the sender of a WF chain: guaranteed service with SCOPE, then its tear', () => {
    const wf = frames('kom-wf-chain-r1');
    const one = new Stand(['10.9.1.1'], (to) => ({ outgoing: to === '10.9.1.1' ? [] : [1] }), true);
    const { application } = one.engine.session(0, { destination: '10.9.2.2', protocol: 17, port: 5001 });
    const tspec = RSVP.decode(wf(1).payload).objects.find(({ classNum }) => classNum === 12)!;
    for (const port of [6000, 6001])
      one.do(one.engine.sender(0, application, { address: '10.9.1.1', port, tspec }));
    one.feed(wf(3), 1);
    const [reservation] = [...one.engine.reservations()];
    assert.deepEqual([reservation?.style, reservation?.flow.service], ['WF', 'guaranteed']);
    assert.deepEqual(reservation?.scope, ['10.9.1.1']);
    assert.equal(one.rates.at(-1), reservation.flow.reservedRate);
    const [conf] = one.take('ResvConf');
    assert.deepEqual(
      octetsOf(conf!.message, 'ERROR_SPEC', 'RESV_CONFIRM', 'STYLE', 'FLOWSPEC'),
      octetsOf(RSVP.decode(wf(4).payload), 'ERROR_SPEC', 'RESV_CONFIRM', 'STYLE', 'FLOWSPEC'),
    );
    one.feed(wf(9), 1);
    assert.equal(one.engine.stateCount.reservations, 0);
    const hop = find(RSVP.decode(wf(9).payload), RsvpHopIpv4);
    assert.equal(hop?.logicalInterfaceHandle, 1);
  });
});
