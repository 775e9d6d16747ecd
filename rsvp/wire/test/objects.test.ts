import assert from 'node:assert/strict';
import type { RsvpMessage } from '../index.js';
import { fromHex, RSVP, toHex, WireError } from '../index.js';
import { capturedMessages } from './captured.js';
import { BAD_VECTORS, VECTORS } from './vectors.js';

/** A Path message around objects: what is tested is a message with one object. */
function message(objects: string): Uint8Array {
  const body = fromHex(objects);
  assert.ok(body !== undefined, objects);
  const octets = new Uint8Array(8 + body.length);
  octets.set([0x10, 1, 0, 0, 64, 0, octets.length >> 8, octets.length & 0xff]);
  octets.set(body, 8);
  return octets;
}

function throughJson(decoded: RsvpMessage): Uint8Array {
  return RSVP.encode(RSVP.fromJson(JSON.parse(JSON.stringify(RSVP.toJson(decoded)))));
}

describe('each object of the RFCs, put together by hand', () => {
  for (const { name, hex, fields } of VECTORS) {
    const octets = message(hex);

    it(`${name}: decodes to its fields and encodes to its octets`, () => {
      const decoded = RSVP.decode(octets);
      const [json, ...others] = RSVP.toJson(decoded)['objects'] as Record<string, unknown>[];
      assert.equal(others.length, 0);
      const { class: className, classNum, cType, length, ...rest } = json ?? {};
      assert.equal(typeof className, 'string');
      assert.deepEqual([length, classNum, cType], [octets.length - 8, octets[10], octets[11]]);
      assert.deepEqual(rest, fields);
      assert.equal(toHex(RSVP.encode(decoded)), toHex(octets));
      assert.equal(toHex(throughJson(decoded)), toHex(octets));
    });

    it(`${name}: without its last octets it is refused, or is a shorter object`, () => {
      for (let end = 8; end < octets.length; end++) everyAnswer(octets.slice(0, end));
      for (let end = 12; end < octets.length; end += 4) {
        const shorter = Uint8Array.from(octets.subarray(0, end));
        shorter[7] = end;
        shorter[9] = end - 8;
        everyAnswer(shorter);
      }
    });

    it(`${name}: with any one octet changed it is a value or an error, and the octets survive`, () => {
      everyChange(octets);
    });
  }

  it('have vectors for every C-Type that is declared', () => {
    const keys = new Set(VECTORS.map(({ hex }) => parseInt(hex.replace(/\s/g, '').slice(4, 8), 16)));
    const missing = RSVP.objects.members
      .filter((member) => !keys.has(member.key))
      .map((member) => member.name);
    assert.deepEqual(missing, []);
  });
});

describe('objects that break their format', () => {
  for (const { name, hex, code, offset } of BAD_VECTORS) {
    it(`${name}: \`${code}\` at octet ${offset}, and kept as octets where faults are collected`, () => {
      const octets = message(hex);
      assert.throws(
        () => RSVP.decode(octets),
        (error) => {
          assert.ok(error instanceof WireError);
          assert.deepEqual([error.code, error.offset - 8], [code, offset], error.message);
          return true;
        },
      );
      const faults: WireError[] = [];
      const decoded = RSVP.decode(octets, faults);
      assert.deepEqual(
        faults.map((fault) => [fault.code, fault.offset - 8]),
        [[code, offset]],
      );
      assert.equal(toHex(RSVP.encode(decoded)), toHex(octets));
      assert.equal(toHex(throughJson(decoded)), toHex(octets));
    });
  }
});

describe('captured messages, spoilt', () => {
  for (const { octets, file, frame } of distinct()) {
    it(`${file} frame ${frame}: every prefix and every change of one octet`, () => {
      for (let end = 0; end < octets.length; end++) everyAnswer(octets.slice(0, end));
      everyChange(octets);
    });
  }
});

/** One of each message type and size. */
function distinct(): ReturnType<typeof capturedMessages> {
  return [
    ...new Map(capturedMessages().map((one) => [`${one.octets[1]}/${one.octets.length}`, one])).values(),
  ];
}

/** Values that break length fields, flip each bit once, and look like other types. */
const CHANGES = [0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x0f, 0x10, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

function everyChange(octets: Uint8Array): void {
  const spoilt = Uint8Array.from(octets);
  for (let at = 0; at < octets.length; at++) {
    const before = octets[at] as number;
    for (const change of CHANGES) {
      spoilt[at] = change;
      everyAnswer(spoilt);
      spoilt[at] = before ^ change;
      everyAnswer(spoilt);
    }
    spoilt[at] = before;
  }
}

/**
 * Whatever the octets are: strict decode gives a value that encodes to them, or a `WireError` inside them; lenient
 * decode gives a value that encodes to them, prints and passes through JSON, and has a fault exactly where strict
 * decode refuses.
 */
function everyAnswer(octets: Uint8Array): void {
  let refused: WireError | undefined;
  try {
    RSVP.decode(octets);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    assert.ok(error.offset >= 0 && error.offset <= octets.length, error.message);
    refused = error;
  }
  const faults: WireError[] = [];
  let decoded: RsvpMessage;
  try {
    decoded = RSVP.decode(octets, faults);
  } catch (error) {
    assert.ok(error instanceof WireError && octets.length < 8);
    return;
  }
  assert.equal(faults.length > 0, refused !== undefined, toHex(octets));
  const expected = toHex(octets.subarray(0, decoded.length));
  assert.equal(toHex(RSVP.encode(decoded)), expected);
  assert.equal(toHex(throughJson(decoded)), expected);
  assert.ok(RSVP.text(decoded).length > 0);
}
