import assert from 'node:assert/strict';
import { buildIpv4, buildIpv6, buildUdp, decodeCapture } from '../index.js';
import { codes, FROM, FROM6, hex, payloads, rawIp, rsvpMessage, rsvpV4, rsvpV6, unhex } from './packets.js';

const MESSAGE = hex(rsvpMessage());

/** RFC 8200's headers in front of the message, the first of type `first`. */
function withExtensions(first: number, headers: string): Uint8Array {
  return buildIpv6({ ...FROM6, protocol: first }, unhex(headers + MESSAGE));
}

describe('capture: IPv4 (RFC 791)', () => {
  it('a packet tells addresses, TTL, protocol and Router Alert', () => {
    const packet = buildIpv4({ ...FROM, protocol: 46, ttl: 17, routerAlert: 0 }, rsvpMessage());
    const [found] = decodeCapture(rawIp([packet]));
    assert.deepEqual(
      {
        src: found?.src,
        dst: found?.dst,
        ttl: found?.ttl,
        protocol: found?.protocol,
        alert: found?.routerAlert,
      },
      { ...FROM, ttl: 17, protocol: 46, alert: 0 },
    );
  });

  it('the checksum of the example header that is everywhere (0xb861) is what we compute', () => {
    const header = unhex('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7');
    const fields = { src: '192.168.0.1', dst: '192.168.0.199', protocol: 17, dontFragment: true };
    assert.equal(hex(buildIpv4(fields, new Uint8Array(0x73 - 20)).subarray(0, 20)), hex(header));
  });

  it('without the option there is no Router Alert; other options are stepped over', () => {
    const plain = buildIpv4({ ...FROM, protocol: 46 }, rsvpMessage());
    // No Operation, Record Route of 7 octets, Router Alert with value 1 (RFC 2113 2.1).
    const options = unhex('01 07 07 04 00000000 94 04 0001');
    const long = buildIpv4({ ...FROM, protocol: 46 }, Uint8Array.of(...options, ...rsvpMessage()));
    long[0] = 0x48;
    const packets = decodeCapture(rawIp([plain, long]));
    assert.deepEqual(
      packets.map(({ routerAlert }) => routerAlert),
      [undefined, 1],
    );
    assert.deepEqual(payloads(packets), [MESSAGE, MESSAGE]);
  });

  it('a wrong header checksum is said with both values, and the message is still read', () => {
    const packet = rsvpV4();
    const right = hex(packet.subarray(10, 12));
    packet[10]! ^= 0x55;
    const packets = decodeCapture(rawIp([packet, rsvpV4()]));
    assert.deepEqual(payloads(packets), [MESSAGE, MESSAGE]);
    assert.deepEqual(
      packets.map(({ faults }) => faults.length),
      [1, 0],
    );
    assert.deepEqual(packets[0]?.faults[0], {
      code: 'checksum',
      message: `the IPv4 header checksum is 0x${hex(packet.subarray(10, 12))}, 0x${right} was expected`,
      where: 'IPv4 header at octet 10',
    });
  });

  for (const [name, at, value] of [
    ['a header length of 16', 0, 0x44],
    ['a header longer than the packet', 0, 0x4f],
    ['a total length below the header length', 3, 19],
  ] as const) {
    it(`${name} is said, the next packet is read`, () => {
      const packet = name.includes('longer') ? rsvpV4(rsvpMessage(8)) : rsvpV4();
      packet[at] = value;
      if (at === 3) packet[2] = 0;
      const packets = decodeCapture(rawIp([packet, rsvpV4()]));
      assert.deepEqual(
        packets.map(({ kind }) => kind),
        ['fault', 'rsvp'],
      );
      assert.ok(codes(packets).includes('header'));
    });
  }

  it('IP in IP (RFC 2003), six deep: followed four deep', () => {
    const nest = (depth: number): Uint8Array =>
      depth === 0 ? rsvpV4() : buildIpv4({ ...FROM, protocol: 4 }, nest(depth - 1));
    assert.deepEqual(payloads(decodeCapture(rawIp([nest(1), nest(4), nest(5)]))), [MESSAGE, MESSAGE]);
    assert.deepEqual(payloads(decodeCapture(rawIp([buildIpv4({ ...FROM, protocol: 41 }, rsvpV6())]))), [
      MESSAGE,
    ]);
  });
});

describe('capture: IPv6 (RFC 8200)', () => {
  it('a packet tells addresses, hop limit, protocol and Router Alert', () => {
    const packet = buildIpv6({ ...FROM6, protocol: 46, ttl: 9, routerAlert: 1 }, rsvpMessage());
    const [found] = decodeCapture(rawIp([packet]));
    assert.deepEqual(
      {
        src: found?.src,
        dst: found?.dst,
        ttl: found?.ttl,
        protocol: found?.protocol,
        alert: found?.routerAlert,
      },
      { ...FROM6, ttl: 9, protocol: 46, alert: 1 },
    );
  });

  const hopByHop = (next: string): string => `${next} 00 0502 0000 0100`;
  const padding = (next: string): string => `${next} 00 01 04 00000000`;
  for (const [name, first, headers] of [
    ['no extension header', 46, ''],
    ['hop-by-hop options', 0, hopByHop('2e')],
    ['destination options', 60, padding('2e')],
    ['routing', 43, `2e 02 00 00 00000000 20010db8000000000000000000000009`],
    ['authentication', 51, '2e 04 0000 00000001 00000001 0102030405060708090a0b0c'],
    ['a fragment that is the whole (RFC 6946)', 44, '2e 00 0000 00000007'],
    ['all of them', 0, `${hopByHop('3c')} ${padding('2b')} 2c 00 00 00 00000000 2e 00 0000 00000007`],
  ] as const) {
    it(`${name}: stepped over`, () => {
      const packets = decodeCapture(rawIp([withExtensions(first, headers)]));
      assert.deepEqual(payloads(packets), [MESSAGE]);
      assert.deepEqual(codes(packets), []);
      assert.equal(packets[0]?.routerAlert, first === 0 ? 0 : undefined);
    });
  }

  it('an extension header longer than the packet is said, the next packet is read', () => {
    const packets = decodeCapture(rawIp([withExtensions(60, '2e ff 01 04 00000000'), rsvpV6()]));
    assert.deepEqual(
      packets.map(({ kind }) => kind),
      ['fault', 'rsvp'],
    );
    assert.equal(packets[0]?.faults[0]?.where, 'IPv6 extension header 60 header at octet 40');
  });
});

describe('capture: RSVP in UDP (RFC 2205 Appendix C)', () => {
  const datagram = (from: typeof FROM, port: number, corrupt = 0): Uint8Array => {
    const udp = buildUdp(from, 40_000, port, rsvpMessage());
    udp[6]! ^= corrupt;
    return from.src.includes(':')
      ? buildIpv6({ ...from, protocol: 17 }, udp)
      : buildIpv4({ ...from, protocol: 17 }, udp);
  };

  it('ports 1698 and 1699 carry messages, others do not', () => {
    const packets = decodeCapture(
      rawIp([datagram(FROM, 1698), datagram(FROM, 1699), datagram(FROM, 1697), datagram(FROM6, 1698)]),
    );
    assert.deepEqual(
      packets.map(({ frame, dstPort }) => [frame, dstPort]),
      [
        [1, 1698],
        [2, 1699],
        [4, 1698],
      ],
    );
    assert.deepEqual(payloads(packets), [MESSAGE, MESSAGE, MESSAGE]);
    assert.deepEqual(codes(packets), []);
  });

  it('a port that is asked for is looked at', () => {
    assert.equal(decodeCapture(rawIp([datagram(FROM, 5000)]), { rsvpPorts: [5000] }).length, 1);
  });

  it('a wrong checksum is said; one that was left to the network card is not', () => {
    assert.deepEqual(codes(decodeCapture(rawIp([datagram(FROM, 1698, 0x40)]))), ['checksum']);
    const left = datagram(FROM, 1698);
    // 10.0.0.1 + 10.0.0.2 + 17 + 48, the sum of the pseudo header alone.
    const pseudo = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 48;
    left.set([pseudo >>> 8, pseudo & 255], 26);
    assert.deepEqual(codes(decodeCapture(rawIp([left]))), []);
  });
});
