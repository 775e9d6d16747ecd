import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { AuthUser, CredentialAsciiId, find, PolicyData, RsvpHopIpv6, SessionIpv6 } from '../../wire/index.js';
import { B, flow, line, Network, reserveAlong, tspec } from './network.js';

describe("the application's side (RFC 2205 3.11.1)", () => {
  it('RELEASE at the receiver tears the reservation down along the way', () => {
    const net = line(['s', 'r1', 'r2', 'd']);
    reserveAlong(net, 's', 'd', 2);
    const target = net.at('d');
    target.do(target.rsvp.release(net.now, target.upcalls()[0]!.application));
    net.runFor(100);
    for (const name of ['r1', 'r2']) {
      assert.equal(net.at(name).kernel.size, 0, name);
      assert.equal(net.at(name).rsvp.stateCount.paths, 1, 'path state stays');
    }
    const last = net.at('s').upcalls('RESV_EVENT').at(-1);
    assert.ok(last?.upcall.type === 'RESV_EVENT' && last.upcall.flow === undefined, 'the sender hears of it');
  });

  it('a later RESERVE changes the earlier one', () => {
    const net = line(['s', 'r1', 'd']);
    const { sender } = reserveAlong(net, 's', 'd', 2);
    const target = net.at('d');
    const { application } = target.upcalls()[0]!;
    const flows = [{ flow: flow(1), senders: [{ address: sender, port: 6000 }] }];
    target.do(target.rsvp.reserve(net.now, application, { style: 'SE', flows }));
    net.runFor(100);
    assert.deepEqual(net.at('r1').reserved('d'), [1 * B]);
    assert.equal([...net.at('r1').rsvp.reservations()][0]?.style, 'SE');
  });

  it('a reservation that waits for its sender is told when that appears, and again when it comes back', () => {
    const net = line(['s', 'r1', 'd']);
    const [source, target] = [net.at('s'), net.at('d')];
    const destination = target.interfaces[0]!.addresses[0]!;
    const address = source.interfaces[0]!.addresses[0]!;
    const receiving = net.session('d', destination);
    const flows = [{ flow: flow(1), senders: [{ address, port: 6000 }] }];
    target.do(target.rsvp.reserve(0, receiving, { style: 'FF', flows }));
    const sending = net.session('s', destination);
    for (let i = 0; i < 2; i++) {
      source.do(source.rsvp.sender(net.now, sending, { address, port: 6000, tspec: tspec(1) }));
      net.runFor(100);
      assert.deepEqual(net.at('r1').reserved('d'), [1 * B]);
      source.do(source.rsvp.withdrawSender(net.now, sending, { address, port: 6000 }));
      net.runFor(100);
      assert.deepEqual(net.at('r1').reserved('d'), []);
    }
  });

  it('sender and receiver on one node meet without a message', () => {
    const net = line(['s', 'r1', 'd']);
    const node = net.at('s');
    const address = node.interfaces[0]!.addresses[0]!;
    const application = net.session('s', address);
    node.do(node.rsvp.sender(0, application, { address, port: 6000, tspec: tspec(1) }));
    const flows = [{ flow: flow(1), senders: [{ address, port: 6000 }] }];
    node.do(node.rsvp.reserve(0, application, { style: 'FF', flows, confirm: true }));
    net.runFor(100);
    assert.equal(net.log.length, 0);
    assert.deepEqual(
      node.upcalls().map(({ upcall }) => upcall.type),
      ['RESV_CONFIRM'],
    );
  });

  it('POLICY_DATA comes from a callback each time that there is something new to tell', () => {
    const net = line(['s', 'r1', 'd']);
    const [source, target] = [net.at('s'), net.at('d')];
    const destination = target.interfaces[0]!.addresses[0]!;
    const address = source.interfaces[0]!.addresses[0]!;
    const [sending, receiving] = [net.session('s', destination), net.session('d', destination)];
    let calls = 0;
    const policyData = () => {
      const value = `check ${calls++}`;
      return [
        PolicyData.make({ elements: [AuthUser.make({ attributes: [CredentialAsciiId.make({ value })] })] }),
      ];
    };
    source.do(source.rsvp.sender(0, sending, { address, port: 6000, tspec: tspec(1) }));
    net.runFor(100);
    const flows = [{ flow: flow(1), senders: [{ address, port: 6000 }] }];
    target.do(target.rsvp.reserve(net.now, receiving, { style: 'FF', flows, policyData }));
    net.runFor(300_000);
    assert.equal(calls, 1, 'refreshes say the same');
    source.do(source.rsvp.sender(net.now, sending, { address, port: 6000, tspec: tspec(2) }));
    net.runFor(100);
    assert.equal(calls, 2);
    assert.ok(find(net.messages('r1', 's', 'Resv').at(-1)!, PolicyData) !== undefined, 'it goes all the way');
  });

  it("an application's mistakes are RangeErrors", () => {
    const net = line(['s', 'r1', 'd']);
    const { rsvp } = net.at('s');
    const destination = net.at('d').interfaces[0]!.addresses[0]!;
    const application = net.session('s', destination);
    assert.throws(() => rsvp.session(0, { destination, protocol: 17, port: 5000 }), /registered already/);
    assert.throws(() => rsvp.session(0, { destination, protocol: 17, port: 0 }), /3\.2/);
    assert.throws(() => rsvp.sender(0, 99, { address: '10.0.1.1', port: 1, tspec: tspec(1) }), /no(ne| )/);
    assert.throws(
      () => rsvp.sender(0, application, { address: '::1', port: 1, tspec: tspec(1) }),
      /IP version/,
    );
    assert.throws(
      () => rsvp.sender(0, application, { address: '10.0.1.1', port: 1, tspec: tspec(-1) }),
      /tspec/,
    );
    const senders = [{ address: '10.0.1.1', port: 1 }];
    assert.throws(
      () => rsvp.reserve(0, application, { style: 'WF', flows: [{ flow: flow(1), senders }] }),
      /WF/,
    );
    assert.throws(() => rsvp.reserve(0, application, { style: 'FF', flows: [] }), /flows/);
  });

  it('shutdown tears down what hangs on the node (RFC 2205 2.4)', () => {
    const net = line(['s', 'r1', 'r2', 'd']);
    reserveAlong(net, 's', 'd', 2);
    const router = net.at('r1');
    router.do(router.rsvp.shutdown(net.now));
    net.runFor(100);
    assert.equal(net.at('r2').rsvp.stateCount.paths, 0);
    assert.equal(net.at('r2').kernel.size, 0);
    assert.equal(net.at('s').rsvp.stateCount.reservations, 0);
    assert.equal(router.kernel.size, 0);
  });
});

describe('a network', () => {
  it('of IPv6 does the same', () => {
    const net = line(['s', 'r1', 'r2', 'd']);
    const [source, target] = [net.at('s'), net.at('d')];
    const destination = target.interfaces[0]!.addresses[1]!;
    const address = source.interfaces[0]!.addresses[1]!;
    const [sending, receiving] = [net.session('s', destination), net.session('d', destination)];
    source.do(source.rsvp.sender(0, sending, { address, port: 6000, tspec: tspec(1) }));
    net.runFor(100);
    const flows = [{ flow: flow(1), senders: [{ address, port: 6000 }] }];
    target.do(target.rsvp.reserve(net.now, receiving, { style: 'FF', flows, confirm: true }));
    net.runFor(100);
    assert.deepEqual(net.at('r1').reserved('r2'), [1 * B]);
    assert.equal(target.upcalls('RESV_CONFIRM').length, 1);
    const [path] = net.messages('r1', 'r2', 'Path');
    assert.ok(find(path!, SessionIpv6) !== undefined);
    assert.equal(find(path!, RsvpHopIpv6)?.hopAddress, net.at('r1').address('r2', 6));
  });

  it('with a router that does not know RSVP reserves around it, and says so (RFC 2205 2.9)', () => {
    const net = new Network();
    net.host('s').router('r1').plain('x').router('r2').host('d');
    net.link(['s', 'r1']).link(['r1', 'x']).link(['x', 'r2']).link(['r2', 'd']).start();
    reserveAlong(net, 's', 'd', 2);
    assert.deepEqual(net.at('r1').reserved('x'), [2 * B]);
    assert.equal([...net.at('r2').rsvp.senders()][0]?.isAfterNonRsvpHop, true);
  });

  it('survives the loss of every third packet (RFC 2205 2.3)', () => {
    const net = line(['s', 'r1', 'r2', 'd']);
    let count = 0;
    for (const [a, b] of [
      ['s', 'r1'],
      ['r1', 'r2'],
      ['r2', 'd'],
    ] as const)
      net.lose(a, b, () => count++ % 3 === 0);
    reserveAlong(net, 's', 'd', 2);
    net.runFor(600_000);
    assert.deepEqual(net.at('r1').reserved('r2'), [2 * B]);
    assert.deepEqual(net.at('r2').reserved('d'), [2 * B]);
  });
});
