import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ErrorSpecIpv4, find, ResvConfirmIpv4 } from '../../wire/index.js';
import { flow, line, reserveAlong } from './network.js';
import { One, S } from './one.js';

const C = '10.3.9.9';
const D = '10.4.9.9';

describe('confirmation (RFC 2205 2.6)', () => {
  it('the largest request goes on with its RESV_CONFIRM, once', () => {
    const one = new One().path('a', S[1]);
    one.resv('c', 'FF', [[[S[1]], 4]], { confirm: C });
    const [resv] = one.take('Resv');
    assert.equal(find(resv!.message, ResvConfirmIpv4)?.receiverAddress, C);
    one.pass(60_000);
    const later = one.take('Resv');
    assert.ok(later.length > 0);
    assert.ok(later.every(({ message }) => find(message, ResvConfirmIpv4) === undefined));
  });

  it('a request no larger than what is in place is confirmed by the merge point', () => {
    const one = new One().path('a', S[1]).resv('c', 'FF', [[[S[1]], 4]]);
    one.take();
    one.resv('d', 'FF', [[[S[1]], 4]], { confirm: D });
    const sent = one.take();
    assert.deepEqual(
      sent.map(({ message }) => message.type),
      ['ResvConf'],
    );
    const [conf] = sent;
    assert.equal(conf?.destination, D);
    assert.equal(conf.routerAlert, true, 'RFC 2205 3.3');
    assert.deepEqual(
      conf.message.objects.map((object) => object.class),
      ['SESSION', 'ERROR_SPEC', 'RESV_CONFIRM', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'],
      'in the order of RFC 2205 3.1.9',
    );
    const error = find(conf.message, ErrorSpecIpv4);
    assert.deepEqual([error?.errorCode, error?.errorValue, error?.errorNodeAddress], [0, 0, '10.4.0.254']);
  });

  it('of a blockaded request neither is heard (RFC 2205 3.1.4)', () => {
    const one = new One()
      .path('a', S[1])
      .resv('c', 'FF', [[[S[1]], 2]])
      .resv('d', 'FF', [[[S[1]], 4]]);
    one.resvErr('a', 'FF', [[S[1]], 3], { code: 1, value: 2 });
    one.take();
    one.resv('d', 'FF', [[[S[1]], 4]], { confirm: D });
    assert.deepEqual(one.take(), []);
  });

  it('comes back from the sender, hop by hop, to the application that asked', () => {
    const net = line(['s', 'r1', 'r2', 'd']);
    const { sender } = reserveAlong(net, 's', 'd', 2);
    const target = net.at('d');
    const application = [...net.at('d').upcalls('PATH_EVENT')][0]!.application;
    const request = {
      style: 'FF',
      flows: [{ flow: flow(3), senders: [{ address: sender, port: 6000 }] }],
      confirm: true,
    } as const;
    target.do(target.rsvp.reserve(net.now, application, request));
    net.runFor(100);
    const [upcall] = target.upcalls('RESV_CONFIRM');
    assert.equal(upcall?.upcall.type === 'RESV_CONFIRM' && upcall.upcall.node, net.at('s').address('r1'));
    assert.equal(upcall?.upcall.type === 'RESV_CONFIRM' && upcall.upcall.flow?.rate, 3000);
    assert.equal(net.messages('r1', 'r2', 'ResvConf').length, 1);
    const forwarded = net.log.find(({ from, message }) => from === 'r2' && message.type === 'ResvConf');
    assert.equal(
      forwarded?.packet.source,
      undefined,
      'by its IP source the next hop finds the key (RFC 2747 4)',
    );
  });
});
