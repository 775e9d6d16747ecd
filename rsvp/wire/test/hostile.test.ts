import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RSVP, toHex, WireError } from '../index.js';

/** A message of one type with these octets behind its header. */
function message(msgType: number, body: Uint8Array, length = 8 + body.length): Uint8Array {
  const octets = new Uint8Array(8 + body.length);
  octets.set([0x10, msgType, 0, 0, 64, 0, length >> 8, length & 0xff]);
  octets.set(body, 8);
  return octets;
}

/** `count` times the same octets. */
function repeated(count: number, ...octets: number[]): Uint8Array {
  return Uint8Array.from({ length: count * octets.length }, (_, i) => octets[i % octets.length] as number);
}

function milliseconds(run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

describe('hostile messages', () => {
  it('64 KB of empty objects are read and printed in a moment', () => {
    const octets = message(1, repeated(16_000, 0, 4, 5, 1));
    assert.throws(() => RSVP.decode(octets), WireError);
    const spent = milliseconds(() => {
      const faults: WireError[] = [];
      const decoded = RSVP.decode(octets, faults);
      assert.equal(decoded.objects.length, 16_000);
      assert.equal(faults.length, 16_000);
      assert.equal(toHex(RSVP.encode(decoded)), toHex(octets));
      assert.ok(RSVP.text(decoded).length > 0);
    });
    assert.ok(spent < 2000, `${spent} ms`);
  });

  it('an EXPLICIT_ROUTE of 16,000 sub-objects is read', () => {
    const subObjects = repeated(16_000, 0x20, 4, 0, 1);
    const object = new Uint8Array(4 + subObjects.length);
    object.set([object.length >> 8, object.length & 0xff, 20, 1]);
    object.set(subObjects, 4);
    const decoded = RSVP.decode(message(1, object));
    assert.equal((decoded.objects[0] as unknown as { subObjects: unknown[] }).subObjects.length, 16_000);
  });

  it('POLICY_DATA in POLICY_DATA in POLICY_DATA ends at a depth', () => {
    let inner = new Uint8Array(0);
    for (let depth = 0; depth < 5000; depth++) {
      const outer = new Uint8Array(inner.length + 8);
      outer.set([outer.length >> 8, outer.length & 0xff, 14, 1, outer.length >> 8, outer.length & 0xff]);
      outer.set(inner, 8);
      inner = outer;
    }
    const octets = message(2, inner);
    assert.throws(
      () => RSVP.decode(octets),
      (error) => error instanceof WireError && error.code === 'limit',
    );
    const faults: WireError[] = [];
    assert.equal(toHex(RSVP.encode(RSVP.decode(octets, faults))), toHex(octets));
    assert.deepEqual(
      faults.map((fault) => fault.code),
      ['limit'],
    );
  });

  it('a Bundle in a Bundle is refused, and kept as octets (RFC 2961 3.1)', () => {
    const octets = message(12, message(12, message(13, new Uint8Array(0))));
    assert.throws(
      () => RSVP.decode(octets),
      (error) => error instanceof WireError && error.code === 'limit',
    );
    const faults: WireError[] = [];
    assert.equal(toHex(RSVP.encode(RSVP.decode(octets, faults))), toHex(octets));
  });

  it('an empty Bundle is refused: it holds at least one message (RFC 2961 3.1)', () => {
    assert.throws(() => RSVP.decode(message(12, new Uint8Array(0))), WireError);
  });

  for (const [length, code] of [
    [0, 'length'],
    [4, 'length'],
    [7, 'length'],
    [9, 'length'],
    [16, 'truncated'],
    [65535, 'truncated'],
  ] as const) {
    it(`an RSVP Length of ${length} over 12 octets is \`${code}\` at octet 6, and survives`, () => {
      const octets = message(5, Uint8Array.of(0, 4, 200, 1), length);
      assert.throws(
        () => RSVP.decode(octets),
        (error) => error instanceof WireError && error.code === code && error.offset === 6,
      );
      const decoded = RSVP.decode(octets, []);
      assert.equal(toHex(RSVP.encode(decoded)), toHex(octets.subarray(0, decoded.length)));
    });
  }

  it('a version that is not 1 is `version`, and survives', () => {
    const octets = message(5, new Uint8Array(0));
    octets[0] = 0x20;
    assert.throws(
      () => RSVP.decode(octets),
      (error) => error instanceof WireError && error.code === 'version',
    );
    assert.equal(toHex(RSVP.encode(RSVP.decode(octets, []))), toHex(octets));
  });

  it('any octets whatever end in a value that encodes to them, or in a WireError', () => {
    const tail = fc.uint8Array({ maxLength: 96 });
    fc.assert(
      fc.property(fc.nat(30), fc.nat(255), fc.nat(12), tail, (msgType, classNum, cType, body) => {
        const padded = new Uint8Array((body.length + 3) & ~3);
        padded.set(body);
        const object = Uint8Array.of(0, padded.length + 4, classNum, cType, ...padded);
        for (const octets of [message(msgType, object), body]) {
          const faults: WireError[] = [];
          try {
            const decoded = RSVP.decode(octets, faults);
            const expected = toHex(octets.subarray(0, decoded.length));
            assert.equal(toHex(RSVP.encode(decoded)), expected);
            const json: unknown = JSON.parse(JSON.stringify(RSVP.toJson(decoded)));
            assert.equal(toHex(RSVP.encode(RSVP.fromJson(json))), expected);
          } catch (error) {
            if (!(error instanceof WireError)) throw error;
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
