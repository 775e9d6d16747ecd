import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { B, line, reserveAlong } from './network.js';

describe('a line of nodes', () => {
  it('reserves on every link from the sender to the receiver (RFC 2205 2)', () => {
    const net = line(['s', 'r1', 'r2', 'd']);
    reserveAlong(net, 's', 'd', 3);
    assert.deepEqual(net.at('r1').reserved('r2'), [3 * B]);
    assert.deepEqual(net.at('r2').reserved('d'), [3 * B]);
    const [event] = net.at('s').upcalls('RESV_EVENT');
    assert.equal(event?.upcall.type === 'RESV_EVENT' && event.upcall.flow?.rate, 3 * B);
  });

  it('keeps state up by refreshes for an hour (RFC 2205 2.3)', () => {
    const net = line(['s', 'r1', 'r2', 'd']);
    reserveAlong(net, 's', 'd', 3);
    net.runFor(3_600_000);
    assert.deepEqual(net.at('r1').reserved('r2'), [3 * B]);
    assert.equal(net.at('r2').eventsOf('path').length, 1);
    assert.equal(net.at('r2').eventsOf('resv').length, 1);
  });

  it('path state outlives its sender by (K + 0.5) * 1.5 * R and no longer (RFC 2205 3.7)', () => {
    const net = line(['s', 'r1', 'r2', 'd']);
    reserveAlong(net, 's', 'd', 3);
    net.runFor(100_000).cut('s', 'r1');
    const [path] = net.at('r1').rsvp.senders();
    const left = path!.expiresAt - net.now;
    assert.ok(left <= 157_500 && left > 157_500 - 45_001, `${left} ms`);
    net.runFor(left - 1);
    assert.equal(net.at('r1').rsvp.stateCount.paths, 1);
    net.runFor(200);
    assert.equal(net.at('r1').rsvp.stateCount.paths, 0);
    assert.equal(net.at('r2').rsvp.stateCount.paths, 0, 'the PathTear went on');
    assert.deepEqual(net.at('r2').reserved('d'), []);
  });
});
