import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { B, flow, Network, reserveAlong, tspec } from './network.js';
import { One, RECEIVER, S } from './one.js';

/** Two ways from r1 to r3, by r2 and by r4. */
function diamond(): Network {
  const net = new Network();
  net.host('s').router('r1').router('r2').router('r3').router('r4').host('d');
  net
    .link(['s', 'r1'])
    .link(['r1', 'r2'])
    .link(['r2', 'r3'])
    .link(['r1', 'r4'])
    .link(['r4', 'r3'])
    .link(['r3', 'd']);
  return net.start();
}

function tellRoutes(net: Network): void {
  for (const node of net.nodes.values())
    if (node.engine !== undefined) node.do(node.engine.routesChanged(net.now));
}

describe('local repair (RFC 2205 3.6)', () => {
  it('waits W, tells the new route, and the reservation follows without a tear upstream', () => {
    const net = diamond();
    reserveAlong(net, 's', 'd', 2);
    assert.deepEqual(net.at('r1').reserved('r2'), [2 * B]);
    net.log.length = 0;
    net.cut('r1', 'r2');
    tellRoutes(net);
    net.runFor(1999);
    assert.equal(net.messages('r1', 'r4').length, 0, 'W = 2 s is not over');
    net.runFor(100);
    assert.equal(net.messages('r1', 'r4', 'Path').length, 1);
    assert.deepEqual(net.at('r1').reserved('r4'), [2 * B]);
    assert.deepEqual(net.at('r4').reserved('r3'), [2 * B]);
    assert.deepEqual(net.at('r1').reserved('r2'), [], 'the old one is released once the new one is there');
    assert.equal(net.messages('r1', 's', 'ResvTear').length, 0);
    assert.deepEqual(net.at('r3').reserved('d'), [2 * B]);
    const [gone] = net.at('r1').eventsOf('resv-gone');
    assert.equal(gone?.cause, 'route-change');
  });

  it('what the old route had times out there', () => {
    const net = diamond();
    reserveAlong(net, 's', 'd', 2);
    net.cut('r1', 'r2');
    tellRoutes(net);
    net.runFor(400_000);
    assert.equal(net.at('r2').rsvp.stateCount.sessions, 0);
    assert.deepEqual(net.at('r2').reserved('r3'), []);
  });

  it('where the new route has no room, what was on the old one is torn when it times out', () => {
    const net = new Network();
    net.host('s').router('r1').router('r2').router('r3').router('r4').host('d');
    net.link(['s', 'r1']).link(['r1', 'r2']).link(['r2', 'r3']);
    net.link(['r1', 'r4'], { reservable: 1 }).link(['r4', 'r3']).link(['r3', 'd']).start();
    reserveAlong(net, 's', 'd', 2);
    net.cut('r1', 'r2');
    tellRoutes(net);
    net.runFor(2_500);
    assert.ok(net.at('r3').eventsOf('resv-error').length > 0, 'admission failed at r1');
    assert.deepEqual(net.at('r1').reserved('r2'), [2 * B]);
    net.runFor(160_000);
    assert.deepEqual(net.at('r1').reserved('r2'), []);
    assert.equal(net.messages('r1', 's', 'ResvTear').length, 1);
  });

  it('another previous hop is sent a Resv at once', () => {
    const one = new One({}, RECEIVER).path('a', S[1]).resv('c', 'FF', [[[S[1]], 2]]);
    one.take();
    one.path('b', S[1]);
    const [resv] = one.take('Resv');
    assert.deepEqual([resv?.interface, resv?.destination], [2, '10.2.0.1']);
    assert.equal(one.engine.stateCount.paths, 1, 'unicast path state follows its hop (RFC 2205 3.1.3)');
    assert.equal(one.eventsOf('hop-changed').length, 1);
  });

  it('a PathTear of the hop that is no longer the one has no effect (RFC 2205 3.1.5)', () => {
    const one = new One({}, RECEIVER).path('a', S[1]).path('b', S[1]);
    one.take();
    one.pathTear('a', S[1]);
    assert.deepEqual(one.take(), []);
    assert.equal(one.engine.stateCount.paths, 1);
  });

  it('an interface that goes down takes what is reserved there along, and upstream is told', () => {
    const one = new One()
      .path('a', S[1])
      .resv('c', 'FF', [[[S[1]], 4]])
      .resv('d', 'FF', [[[S[1]], 3]]);
    one.take();
    one.interfaces = one.interfaces.map((link) => (link.name === 'c' ? { ...link, isUp: false } : link));
    one.do(one.engine.interfacesChanged(0, one.interfaces));
    assert.deepEqual(one.reserved(), ['d: S1{3B}']);
    assert.deepEqual(one.resvs(), ['a: FF S1{3B}']);
  });
});

describe('multicast routes (RFC 2205 3.9, 3.1.3)', () => {
  it('a Path that comes in off the tree is kept, and not forwarded', () => {
    const one = new One();
    one.routes = () => ({ outgoing: [3, 4], incoming: 1 });
    one.path('b', S[1]);
    assert.deepEqual(one.take('Path'), []);
    assert.equal([...one.engine.senders()][0]?.isLocalOnly, true);
    one.path('a', S[1]);
    assert.deepEqual(
      one.take('Path').map((sent) => sent.interface),
      [3, 4],
    );
    assert.equal(one.engine.stateCount.paths, 2);
  });

  it('a new branch is told after W, and a lost one is let go', () => {
    const one = new One().path('a', S[1]);
    one.take();
    one.routes = () => ({ outgoing: [2, 4] });
    one.do(one.engine.routesChanged(0, [one.destination]));
    assert.deepEqual(one.take(), []);
    one.pass(2000);
    assert.deepEqual(
      one.take('Path').map((sent) => sent.interface),
      [2],
    );
    one.pass(60_000);
    assert.ok(one.take('Path').every((sent) => sent.interface !== 3));
  });
});

describe('multicast, all the way', () => {
  it('two receivers merge where their branches meet; the larger one alone goes on', () => {
    const net = new Network();
    net.host('s').router('r1').router('r2').host('d1').host('d2');
    net.link(['s', 'r1']).link(['r1', 'r2']).link(['r2', 'd1']).link(['r2', 'd2']).start();
    const group = '224.5.5.5';
    net.join(group, 'd1', 'd2');
    const source = net.at('s');
    const address = source.interfaces[0]!.addresses[0]!;
    const sending = net.session('s', group);
    const receivers = ['d1', 'd2'].map((name) => [name, net.session(name, group)] as const);
    source.do(source.rsvp.sender(0, sending, { address, port: 6000, tspec: tspec(9) }));
    net.runFor(100);
    for (const [i, [name, application]] of receivers.entries()) {
      const node = net.at(name);
      const flows = [{ flow: flow(i + 2), senders: [{ address, port: 6000 }] }];
      node.do(node.rsvp.reserve(net.now, application, { style: 'SE', flows, confirm: true }));
      net.runFor(100);
    }
    assert.deepEqual(net.at('r1').reserved('r2'), [3 * B]);
    assert.deepEqual([...net.at('r2').reserved('d1'), ...net.at('r2').reserved('d2')], [2 * B, 3 * B]);
    assert.equal(net.at('d2').upcalls('RESV_CONFIRM').length, 1);
    const d2 = net.at('d2');
    d2.do(d2.rsvp.release(net.now, receivers[1]![1]));
    net.runFor(100);
    assert.deepEqual(net.at('r1').reserved('r2'), [2 * B]);
    source.do(source.rsvp.release(net.now, sending));
    net.runFor(100);
    for (const name of ['s', 'r1', 'r2']) {
      assert.equal(net.at(name).rsvp.stateCount.sessions, 0, name);
      assert.equal(net.at(name).kernel.size, 0);
    }
  });
});
