import assert from 'node:assert/strict';
import {
  find,
  MessageIdList,
  MessageIdMcastListIpv6,
  MessageIdSrcListIpv6,
  RSVP,
  RsvpHopIpv6,
  SessionIpv6,
} from '../../wire/index.js';
import type { RsvpInput } from '../../wire/index.js';
import type { Advert, ArrivedMessage } from '../advert.js';
import type { ExchangeInterface } from '../options.js';
import { Station } from './station.js';

const A = 'fe80::a';
const B = 'fe80::b';
const GROUP = 'ff0e::1:2';

function message(msgType: number, hopAddress: string, destAddress: string): RsvpInput {
  const session = SessionIpv6.make({ destAddress, protocolId: 17, flags: 0, dstPort: 7 });
  return { msgType, objects: [session, RsvpHopIpv6.make({ hopAddress, logicalInterfaceHandle: 1 })] };
}

function advert(destination: string, more: Partial<Advert>): Advert {
  const fixed = { interface: 1, destination, routerAlert: true, ttl: 64, refreshPeriod: 30_000 };
  return { ...fixed, message: () => message(1, A, destination), ...more };
}

/** B speaks, capable, on an interface. */
function hears(station: Station, interfaceIndex = 1): ArrivedMessage[] {
  const octets = RSVP.encode({ flags: 1, ttl: 255, ...message(2, B, '2001:db8::9') });
  return station.exchange.receive(0, {
    interface: interfaceIndex,
    source: B,
    destination: A,
    ttl: 255,
    octets,
  });
}

function srefreshOf(station: Station): {
  destination: string;
  objects: ReturnType<typeof RSVP.decode>['objects'];
} {
  const packet = station.run(60_000).find(({ octets }) => octets[1] === 15);
  return { destination: packet!.destination, objects: RSVP.decode(packet!.octets).objects };
}

describe('rsvp/exchange with IPv6', () => {
  it('state is refreshed by number to a link-local neighbour (RFC 2961 5.1)', () => {
    const a = new Station(A);
    hears(a);
    a.exchange.tell(0, advert(B, { neighbour: B }));
    a.flush();
    const { destination, objects } = srefreshOf(a);
    assert.equal(destination, B);
    assert.deepEqual(find({ objects }, MessageIdList)?.messageIdentifiers, [1000]);
  });

  it('multicast Path goes into the IPv6 lists with source and group (RFC 2961 5.1)', () => {
    const settings: Partial<ExchangeInterface>[] = [
      { isPointToPoint: true },
      { refreshReduction: 'assumed' },
    ];
    const [pointToPoint, assumed] = settings.map((one) => {
      const a = new Station(A, one);
      hears(a);
      a.exchange.tell(0, advert(GROUP, { neighbour: B, source: '2001:db8::1' }));
      a.flush();
      return srefreshOf(a);
    });
    const tuple = { messageIdentifier: 1000, sourceIpAddress: '2001:db8::1' };
    assert.equal(pointToPoint!.destination, B);
    assert.deepEqual(find(pointToPoint!, MessageIdMcastListIpv6)?.tuples, [
      { ...tuple, destinationIpAddress: GROUP },
    ]);
    assert.equal(assumed!.destination, GROUP);
    assert.deepEqual(find(assumed!, MessageIdSrcListIpv6)?.tuples, [tuple]);
  });

  it('one link-local address on two links is two neighbours', () => {
    const a = new Station(A, {}, { interface: () => ({ mtu: 1500 }) });
    assert.equal(hears(a, 1).length, 1);
    assert.equal(hears(a, 2).length, 1);
    assert.equal(a.exchange.sizes.neighbours, 2);
  });
});
