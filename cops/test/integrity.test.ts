import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { COPS, Context, CopsError, Handle, Integrity, KaTimer, KeyRing, OP, PepId } from '../index.js';
import type { CopsKey, CopsMessage, PdpOptions } from '../index.js';
import { Integrity as IntegrityState, signWith, verifyDigest } from '../wire/integrity.js';
import { toHex } from '../../rsvp/wire/octets.js';
import { hex, message, PdpBench, PepBench } from './support.js';

const SECRET = Buffer.from('what do ya want for nothing, PDP?');
const KEY: CopsKey = { id: 7, secret: SECRET };
const HANDLE = Handle.make({ handle: hex('01') });
const CONTEXT = Context.make({ rType: 1, mType: 2 });

/** A signed message, built without the code under test: the object by its declaration, the digest by RFC 2104. */
function signed(
  opCode: number,
  clientType: number,
  objects: readonly object[],
  sequenceNumber: number,
  key = KEY,
): Uint8Array {
  const blank = Integrity.make({ keyId: key.id, sequenceNumber, keyedMessageDigest: new Uint8Array(12) });
  const octets = COPS.encode({ opCode, clientType, objects: [...(objects as never[]), blank] });
  const digest = createHmac('md5', key.secret)
    .update(octets.subarray(0, octets.length - 12))
    .digest();
  octets.set(digest.subarray(0, 12), octets.length - 12);
  return octets;
}

const PEP_ID = PepId.make({ pepId: 'pep-1' });
const securing: Partial<PdpOptions> = { keys: () => new KeyRing([KEY]), integrityRequired: true };

/** The numbers in the Integrity objects that were sent, after checking their digests. */
function numbers(sent: readonly CopsMessage[], key = KEY): number[] {
  return sent.map((each) => {
    const last = each.objects.at(-1);
    assert.ok(last !== undefined && Integrity.is(last), `${each.type} is not signed`);
    const octets = COPS.encode(each);
    const digest = createHmac('md5', key.secret)
      .update(octets.subarray(0, octets.length - 12))
      .digest('hex');
    assert.equal(toHex(last.keyedMessageDigest), digest.slice(0, 24));
    assert.equal(last.keyId, key.id);
    return last.sequenceNumber;
  });
}

describe('INTEGRITY', () => {
  it('is HMAC-MD5 cut to 96 bits over the message up to the digest (RFC 2748 2.2.16)', () => {
    // A KA with key 1, number 1 and sixteen octets 0x0b for a secret; the digest is what Python's hmac module says.
    const octets = new Uint8Array(32);
    octets.set(hex('1009000000000020'));
    const ring = new KeyRing([{ id: 1, secret: new Uint8Array(16).fill(0x0b) }]);
    signWith(ring, 1, octets, 0, 8, 0);
    assert.equal(
      toHex(octets),
      '1009000000000020' + '00181001' + '00000001' + '00000001' + '93ab5b2fb8716267cf56e546',
    );
    assert.equal(verifyDigest(ring, octets, 0, 8, 0), undefined);
  });

  it('counts on from the first number of each side, over 0xFFFFFFFF to zero (RFC 2748 2.2.16)', () => {
    const ring = new KeyRing([KEY]);
    const sender = new IntegrityState(ring, { sent: 0xfffffffe, received: 0 });
    const receiver = new IntegrityState(ring, { sent: 0, received: 0xfffffffe });
    for (const expected of [0xffffffff, 0, 1]) {
      const octets = new Uint8Array(32);
      octets.set(hex('1009000000000020'));
      sender.sign(octets, 0, 8, 0);
      assert.equal(new DataView(octets.buffer).getUint32(16), expected);
      assert.equal(receiver.verify(octets, 0, 32, 0), undefined);
    }
  });

  describe('keys (RFC 2748 4.2)', () => {
    const ring = new KeyRing([
      { id: 2, secret: SECRET, notBefore: 600, notAfter: 2000 },
      { id: 1, secret: SECRET, notBefore: 0, notAfter: 1000 },
    ]);

    it('signs with the next key from the middle of the overlap of lifetimes on', () => {
      const signing = (now: number): number | undefined => ring.signing(now)?.id;
      assert.deepEqual([-1, 0, 599, 600, 799, 800, 999, 1000, 1999, 2000].map(signing), [
        undefined,
        1,
        1,
        1,
        1,
        2,
        2,
        2,
        2,
        undefined,
      ]);
    });

    it('accepts each key within its lifetime and not outside', () => {
      const accepts = (id: number, now: number): boolean => ring.find(id, now) !== undefined;
      assert.deepEqual(
        [accepts(1, 0), accepts(1, 999), accepts(1, 1000), accepts(2, 599), accepts(2, 600)],
        [true, true, false, false, true],
      );
    });
  });

  describe('at the PDP (RFC 2748 4.1)', () => {
    const opened = (): PdpBench =>
      new PdpBench(securing).receive(
        signed(OP.OPN, 0, [PEP_ID], 500),
        signed(OP.OPN, 1, [PEP_ID], 1001),
        signed(OP.REQ, 1, [HANDLE, CONTEXT], 1002),
      );

    it("signs everything from the Client-Accept on, with its own number in that and the PEP's number afterwards", () => {
      const bench = opened();
      assert.deepEqual(
        bench.sent.map((each) => `${each.type} ${each.clientType}`),
        ['CAT 0', 'CAT 1', 'DEC 1'],
      );
      assert.deepEqual(numbers(bench.sent), [1000, 501, 502]);
    });

    const refusals: readonly (readonly [string, Uint8Array, string])[] = [
      ['a number again', signed(OP.KA, 0, [], 1002), '14/0'],
      ['a number left out', signed(OP.KA, 0, [], 1004), '14/0'],
      ['an unknown key', signed(OP.KA, 0, [], 1003, { ...KEY, id: 8 }), '14/0'],
      ['another secret', signed(OP.KA, 0, [], 1003, { ...KEY, secret: hex('00') }), '14/0'],
      ['no Integrity object', message(OP.KA, 0), '15/16.1'],
    ];
    for (const [what, octets, error] of refusals) {
      it(`closes client-type 0 with ${error} on ${what}, signed, and ends the connection`, () => {
        const bench = opened();
        bench.sent = [];
        bench.receive(octets);
        assert.deepEqual(numbers(bench.sent), [503]);
        assert.equal(bench.said()[0]?.startsWith(`CC 0 Error ${error}, Integrity`), true);
        assert.equal(bench.isClosed, true);
      });
    }

    it('refuses a message of which one octet was changed on the way, whichever it is', () => {
      const good = signed(OP.RPT, 1, [HANDLE, CopsError.make({ errorCode: 1, errorSubCode: 0 })], 1003);
      for (let at = 8; at < good.length; at++) {
        const bench = opened();
        const changed = good.slice();
        changed[at] = (changed[at] as number) ^ 0x40;
        bench.sent = [];
        bench.receive(changed);
        assert.match(bench.said()[0] ?? '', /^CC 0 Error 1[45]/);
        assert.equal(bench.isClosed, true);
      }
    });

    it('refuses wrong keys in the first Client-Open without signing, for there is nothing negotiated yet', () => {
      for (const key of [
        { ...KEY, id: 9 },
        { ...KEY, secret: hex('00') },
      ]) {
        const bench = new PdpBench(securing).receive(signed(OP.OPN, 0, [PEP_ID], 500, key));
        assert.deepEqual(bench.said(), ['CC 0 Error 14/0']);
        assert.equal(bench.isClosed, true);
      }
    });

    it('requires a negotiation, where it is so configured, of whoever opens or says anything', () => {
      for (const first of [message(OP.OPN, 1, [PEP_ID]), message(OP.OPN, 0, [PEP_ID]), message(OP.KA, 0)]) {
        const bench = new PdpBench(securing).receive(first);
        assert.deepEqual(bench.said(), ['CC 0 Error 15/16.1']);
        assert.equal(bench.isClosed, true);
      }
    });

    it('accepts PEPs that do not sign, where it is not', () => {
      const bench = new PdpBench({ ...securing, integrityRequired: false }).receive(
        message(OP.OPN, 1, [PEP_ID]),
      );
      assert.deepEqual(bench.said(), ['CAT 1 KATimer 30']);
    });

    it('names an Integrity object of unknown C-Type (RFC 2748 4.1, case 2)', () => {
      const opn = hex('10060000 00000018 00080b01 70657000 00081003 00000001');
      assert.deepEqual(new PdpBench(securing).receive(opn).said(), ['CC 0 Error 13/16.3']);
    });

    it('refuses a Client-Open for client-type 0 after another, and keeps that one', () => {
      const bench = new PdpBench({ ...securing, integrityRequired: false });
      bench.receive(message(OP.OPN, 1, [PEP_ID]), signed(OP.OPN, 0, [PEP_ID], 500), message(OP.KA, 0));
      assert.deepEqual(bench.said().slice(1), ['CC 0 Error 3/0', 'KA 0']);
    });

    it('refuses Integrity objects that were never negotiated', () => {
      for (const at of ['OPN', 'KA'] as const) {
        const bench = new PdpBench();
        if (at === 'KA') bench.receive(message(OP.OPN, 1, [PEP_ID]));
        bench.said();
        bench.receive(at === 'KA' ? signed(OP.KA, 0, [], 1) : signed(OP.OPN, 1, [PEP_ID], 1));
        assert.deepEqual(bench.said(), ['CC 0 Error 14/0']);
      }
    });
  });

  describe('at the PEP (RFC 2748 4.1)', () => {
    const start = (): PepBench =>
      new PepBench({
        pdps: [{ host: '192.0.2.10', keys: new KeyRing([KEY]) }, { host: '192.0.2.20' }],
      }).connected();
    const accept = KaTimer.make({ kaTimerValue: 30 });

    it("negotiates before it opens, and continues the PDP's numbers", () => {
      const bench = start();
      assert.deepEqual(
        bench.sent.map((each) => [each.type, each.clientType]),
        [['OPN', 0]],
      );
      bench.receive(signed(OP.CAT, 0, [accept], 9000), signed(OP.CAT, 1, [accept], 501));
      bench.perform(bench.pep.request(0, { handle: '01', rType: 1, mType: 2 }).effects);
      assert.deepEqual(numbers(bench.sent), [500, 9001, 9002]);
      assert.equal(bench.pep.phase, 'open');
    });

    it('leaves a PDP that does not sign, or with the wrong key, and says why (RFC 2748 4.1)', () => {
      for (const [answer, error] of [
        [message(OP.CAT, 0, [accept]), '15/16.1'],
        [signed(OP.CAT, 0, [accept], 1, { ...KEY, secret: hex('00') }), '14/0'],
      ] as const) {
        const bench = start();
        bench.said();
        bench.receive(answer);
        assert.deepEqual(bench.said(), [`CC 0 Error ${error}`]);
        assert.equal(bench.targets.at(-1)?.host, '192.0.2.20');
      }
    });

    it('leaves a PDP that repeats a number', () => {
      const bench = start().receive(signed(OP.CAT, 0, [accept], 9000), signed(OP.CAT, 1, [accept], 501));
      bench.sent = [];
      bench.receive(signed(OP.KA, 0, [], 501));
      assert.deepEqual(numbers(bench.sent), [9002]);
      assert.match(bench.said()[0] ?? '', /^CC 0 Error 14/);
      assert.equal(bench.targets.length, 2);
    });
  });
});
