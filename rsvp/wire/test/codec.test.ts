import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ipv4Number, ipv4Text, ipv6Octets, ipv6Text } from '../address.js';
import {
  attribute,
  AuthUser,
  checkChecksum,
  CredentialAsciiId,
  errorCodeText,
  errorValueText,
  field,
  find,
  firstOf,
  Flowspec,
  FormError,
  fromHex,
  PolicyData,
  policyElement,
  RSVP,
  rsvpWith,
  rspecOf,
  SenderTspec,
  SessionIpv4,
  SessionIpv6,
  Style,
  tail,
  TimeValues,
  toHex,
  tokenBucketOf,
  unknownClassAction,
  WF,
} from '../index.js';
import { attributes } from '../policy.js';

const session = SessionIpv4.make({ destAddress: '10.9.0.2', protocolId: 17, flags: 0, dstPort: 5000 });
const encoded = (...objects: Parameters<typeof RSVP.encode>[0]['objects']): Uint8Array =>
  RSVP.encode({ msgType: 1, objects });

describe('the RSVP codec', () => {
  it('fills in version, length and checksum, and what is left out (RFC 2205 3.1.1)', () => {
    const octets = encoded(session, TimeValues.make({ refreshPeriod: 30_000 }));
    // The checksum of 1001 0000 0000 001c 000c 0101 0a09 0002 1100 1388 0008 0501 0000 7530, by hand.
    assert.equal(toHex(octets), '100146090000001c000c01010a090002110013880008050100007530');
    assert.equal(checkChecksum(octets), 'correct');
  });

  it('tells a wrong checksum from none', () => {
    const octets = encoded(session);
    octets[3] = (octets[3] ?? 0) ^ 1;
    assert.equal(checkChecksum(octets), 'wrong');
    octets.set([0, 0], 2);
    assert.equal(checkChecksum(octets), 'none');
  });

  it('gives each caller octets of its own', () => {
    const first = encoded(session);
    const copy = toHex(first);
    encoded(Style.make({ flags: 0, optionVector: WF })).fill(0xff);
    assert.equal(toHex(first), copy);
    first.fill(0);
    assert.equal(toHex(encoded(session)), copy);
  });

  it('finds objects by type', () => {
    const message = RSVP.decode(encoded(session));
    assert.equal(find(message, SessionIpv6, SessionIpv4)?.dstPort, 5000);
    assert.equal(find(message, SessionIpv6), undefined);
  });

  it('names the field where a caller gives what does not fit', () => {
    const wrong = (input: Partial<Parameters<typeof SessionIpv4.make>[0]>): (() => void) => {
      const object = { ...session, ...input };
      return () => encoded(object);
    };
    assert.throws(wrong({ dstPort: 65536 }), { name: 'RangeError', message: /^dstPort: 65536/ });
    assert.throws(wrong({ dstPort: 1.5 }), { name: 'RangeError', message: /^dstPort: 1.5/ });
    assert.throws(wrong({ destAddress: '10.0.0.256' }), { name: 'RangeError', message: /^destAddress: / });
    assert.throws(() => encoded({ class: 'X', classNum: 99, cType: 1, length: 0 }), TypeError);
    assert.throws(
      () => RSVP.encode({ msgType: 1, objects: [], trailing: new Uint8Array(65536) }),
      RangeError,
    );
  });

  it('encodes well after it has thrown', () => {
    assert.throws(() => encoded({ ...session, protocolId: 300 } as typeof session), RangeError);
    assert.equal(checkChecksum(encoded(session)), 'correct');
  });

  for (const [json, path] of [
    [null, ''],
    [{ objects: [] }, 'msgType'],
    [{ msgType: 256, objects: [] }, 'msgType'],
    [{ type: 'Path', objects: {} }, 'objects'],
    [{ type: 'Path', objects: [{ class: 'SESSION' }] }, 'objects[0]'],
    [{ type: 'Path', objects: [{ class: 'TIME_VALUES', cType: 1 }] }, 'objects[0].refreshPeriod'],
    [
      { type: 'Path', objects: [{ class: 'TIME_VALUES', cType: 1, refreshPeriod: -1 }] },
      'objects[0].refreshPeriod',
    ],
    [{ type: 'Path', objects: [{ classNum: 200, cType: 1 }] }, 'objects[0].body'],
    [{ type: 'Path', objects: [], trailing: 'xyz' }, 'trailing'],
  ] as const) {
    it(`says where JSON is wrong: ${JSON.stringify(json)}`, () => {
      assert.throws(
        () => RSVP.fromJson(json),
        (error) => error instanceof FormError && error.path === path,
      );
    });
  }
});

describe('what people read', () => {
  it('names error codes, and values by their code (RFC 2205 Appendix B, RFC 2750 Appendix A, RFC 3209 7.3)', () => {
    assert.equal(errorCodeText(1), '1 (Admission Control failure)');
    assert.equal(errorCodeText(99), '99 (unknown)');
    assert.equal(errorValueText(0, 0), '0');
    assert.equal(errorValueText(1, 2), '2 (Requested bandwidth unavailable)');
    assert.equal(errorValueText(1, 0x8005), '32773 (organization-specific 5)');
    assert.equal(errorValueText(1, 0xc005), '49157 (service-specific 5)');
    assert.match(errorValueText(2, 13), /^13 \(ERR_PE_BAD: /);
    assert.match(errorValueText(2, 102), /^102 \(ERR_PARTIAL_PREEMPT: /);
    assert.equal(errorValueText(5, 0x0a), '10 (existing style FF)');
    assert.equal(errorValueText(13, 0x1901), '6401 (class 25, C-Type 1)');
    assert.equal(errorValueText(21, 4), '4 (Bad Tspec value)');
    assert.equal(errorValueText(24, 5), '5 (No route available toward destination)');
    assert.equal(errorValueText(25, 3), '3 (Tunnel locally repaired)');
  });

  it('prints rates in units that people use', () => {
    assert.equal(field.rateText(125_000), '125000 octets/s (1 Mbit/s)');
    assert.equal(field.rateText(Infinity), 'infinite');
    assert.equal(field.floatText(Math.fround(0.1)), '0.1');
  });

  it('prints a message as a tree', () => {
    const octets = encoded(session);
    assert.equal(
      RSVP.text(RSVP.decode(octets)).split('\n').slice(1).join('\n'),
      '  SESSION (class 1, C-Type 1 IPv4/UDP, 12 octets)\n' +
        '    dest address: 10.9.0.2\n    protocol id: 17 (UDP)\n    flags: 0x00\n    dst port: 5000\n',
    );
  });
});

describe('unknown classes (RFC 2205 3.10)', () => {
  it('are rejected, ignored or forwarded by their two high bits', () => {
    assert.deepEqual([0, 127, 128, 191, 192, 255].map(unknownClassAction), [
      'reject',
      'reject',
      'ignore',
      'ignore',
      'forward',
      'forward',
    ]);
  });
});

describe('the parameters of a FLOWSPEC', () => {
  const octets = fromHex(
    '1002000040000038' +
      '003009020000000a02000009' +
      '7f00000547f4240044bb80007f80000000000040000005dc' +
      '8200000248742400000003e8',
  );

  it('are read without walking its services', () => {
    assert.ok(octets !== undefined);
    const flowspec = find(RSVP.decode(octets), Flowspec);
    assert.ok(flowspec !== undefined);
    assert.equal(tokenBucketOf(flowspec)?.tokenBucketRate, 125_000);
    assert.equal(tokenBucketOf(flowspec)?.peakDataRate, Infinity);
    assert.deepEqual([rspecOf(flowspec)?.rate, rspecOf(flowspec)?.slackTerm], [250_000, 1000]);
  });

  it('are undefined where they are not', () => {
    const empty = SenderTspec.make({ version: 0, services: [] });
    assert.equal(tokenBucketOf(empty), undefined);
    assert.equal(rspecOf(empty), undefined);
  });
});

describe('a codec with a private policy element', () => {
  const Claim = attribute(
    { aType: 128, subType: 0, attribute: 'CLAIM', rfc: 'private' },
    {},
    { name: tail.text },
  );
  const Private = policyElement(
    { pType: 60_000, element: 'PRIVATE', rfc: 'private' },
    {},
    { attributes: tail.membersOf(attributes([Claim])) },
  );
  const codec = rsvpWith({ policyElements: [Private] });
  const object = PolicyData.make({
    elements: [Private.make({ attributes: [Claim.make({ name: 'amount' })] })],
  });
  const octets = codec.encode({ msgType: 2, objects: [object] });

  it('encodes it (RFC 2750 3.1, RFC 3182 3.3)', () => {
    // POLICY_DATA of 24 octets, Data Offset 8; the element of 16; the attribute of 10 with two octets of padding.
    assert.equal(
      toHex(octets.subarray(8)),
      '00180e010008 0000 0010 ea60 000a 8000 616d6f756e74 0000'.replaceAll(' ', ''),
    );
  });

  it('opens it, where the codec without it keeps octets', () => {
    const opened = find(codec.decode(octets), PolicyData)?.elements ?? [];
    assert.equal(firstOf(firstOf(opened, Private)?.attributes ?? [], Claim)?.name, 'amount');
    const closed = find(RSVP.decode(octets), PolicyData)?.elements ?? [];
    assert.equal(firstOf(closed, Private), undefined);
    assert.equal(toHex(RSVP.encode(RSVP.decode(octets))), toHex(octets));
  });

  it('knows the elements of RFC 3182 as well', () => {
    const user = AuthUser.make({ attributes: [CredentialAsciiId.make({ value: 'alice' })] });
    const both = codec.encode({ msgType: 2, objects: [PolicyData.make({ elements: [user] })] });
    assert.match(codec.text(codec.decode(both)), /value: alice/);
  });
});

describe('addresses', () => {
  it('IPv4: every number is its text', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 0xffffffff }), (n) => ipv4Number(ipv4Text(n)) === n));
    assert.equal(ipv4Text(0xc0000201), '192.0.2.1');
    for (const bad of [
      '',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.256',
      '1..2.3',
      '1.2.3.',
      '.1.2.3',
      'a.b.c.d',
      '1.2.3.4 ',
    ]) {
      assert.equal(ipv4Number(bad), undefined, bad);
    }
  });

  it('IPv6: RFC 5952 4 and its examples', () => {
    for (const [text, canonical] of [
      ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:DB8::1', '2001:db8::1'],
      ['::', '::'],
      ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ] as const) {
      const octets = ipv6Octets(text);
      assert.ok(octets !== undefined, text);
      assert.equal(ipv6Text(octets), canonical);
    }
    for (const bad of [
      '',
      ':',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
      '12345::',
      'g::',
      '1:2:3:4:5:6:7:8::',
    ]) {
      assert.equal(ipv6Octets(bad), undefined, bad);
    }
    const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(
        sixteen,
        (octets) => toHex(ipv6Octets(ipv6Text(octets)) ?? octets.subarray(1)) === toHex(octets),
      ),
    );
  });
});
