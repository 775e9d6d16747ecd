import assert from 'node:assert/strict';
import { find, RSVP, RsvpHopIpv4, SessionIpv4, TimeValues } from '../../wire/index.js';
import type { Advert } from '../advert.js';
import type { ExchangeEffect } from '../effect.js';
import { Exchange } from '../exchange.js';

const advert = (refreshPeriod: number): Advert => ({
  interface: 2,
  source: '10.1.0.1',
  destination: '10.9.0.2',
  routerAlert: true,
  ttl: 64,
  refreshPeriod,
  message: () => ({
    msgType: 1,
    objects: [
      SessionIpv4.make({ destAddress: '10.9.0.2', protocolId: 17, flags: 0, dstPort: 5000 }),
      RsvpHopIpv4.make({ hopAddress: '10.2.0.1', logicalInterfaceHandle: 2 }),
    ],
  }),
});

function exchangeWith(random: () => number): Exchange {
  return new Exchange({
    codec: RSVP,
    random,
    interface: () => ({ mtu: 1500 }),
    epoch: 1,
    firstMessageIdentifier: 1,
  });
}

function sent(effects: readonly ExchangeEffect[]): Uint8Array[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.packet.octets] : []));
}

describe('rsvp/exchange refreshes', () => {
  it('state that is told leaves at once, with its period in TIME_VALUES behind RSVP_HOP (RFC 2205 3.1.3, 3.7)', () => {
    const exchange = exchangeWith(() => 0);
    exchange.tell(0, advert(30_000));
    const [octets] = sent(exchange.effects());
    const message = RSVP.decode(octets!);
    assert.equal(message.ttl, 64);
    assert.deepEqual(
      message.objects.map((object) => object.class),
      ['SESSION', 'RSVP_HOP', 'TIME_VALUES'],
    );
    assert.equal(find(message, TimeValues)?.refreshPeriod, 30_000);
  });

  for (const [random, at] of [
    [0, 15_000],
    [0.5, 30_000],
    [0.999, 44_970],
  ] as const)
    it(`is told again after a random time from 0.5R to 1.5R: ${at} ms of 30 s (RFC 2205 3.7)`, () => {
      const exchange = exchangeWith(() => random);
      exchange.tell(1000, advert(30_000));
      exchange.effects();
      assert.equal(exchange.nextTimeout(), 1000 + at);
      exchange.handleTimeout(1000 + at - 1);
      assert.equal(exchange.effects().length, 0);
      exchange.handleTimeout(1000 + at);
      assert.equal(sent(exchange.effects()).length, 1);
      assert.equal(exchange.nextTimeout(), 1000 + 2 * at);
    });

  it('state that is forgotten is told no more', () => {
    const exchange = exchangeWith(() => 0);
    const path = advert(30_000);
    exchange.tell(0, path);
    exchange.forget(path);
    exchange.effects();
    assert.equal(exchange.nextTimeout(), undefined);
    exchange.handleTimeout(1e6);
    assert.equal(exchange.effects().length, 0);
  });
});
