import assert from 'node:assert/strict';
import { THOROUGH } from '../../../test/thorough.js';
import { fromHex, RSVP, toHex, WireError } from '../index.js';
import { capturedMessages } from './captured.js';
import { VECTORS } from './vectors.js';

/** The octets of the common header, of which Length says how much of the rest is part of the message. */
const HEADER = 8;

/** All values, or those that lengths and flags break at: one bit other, one more, one less, none, all. */
function valuesAfter(before: number): Iterable<number> {
  if (THOROUGH) return Array(256).keys();
  const bits = Array.from({ length: 8 }, (_, bit) => before ^ (1 << bit));
  return new Set([...bits, before + 1, before - 1, 0, 255].map((value) => value & 0xff));
}

/** A Path message that holds one object's vector. */
function messageOf(hex: string): Uint8Array {
  const object = fromHex(hex) ?? new Uint8Array(0);
  const length = HEADER + object.length;
  return Uint8Array.of(0x10, 1, 0, 0, 64, 0, length >> 8, length & 0xff, ...object);
}

/** Decodes strictly and leniently; what is well-formed must come out again as it went in. */
function survives(octets: Uint8Array, at: number): void {
  try {
    RSVP.decode(octets);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  const faults: WireError[] = [];
  const message = RSVP.decode(octets, faults);
  assert.ok(RSVP.text(message).length > 0);
  const again = RSVP.encode(message);
  if (faults.length === 0 && at >= HEADER && Buffer.compare(again, octets) !== 0) {
    assert.equal(toHex(again), toHex(octets));
  }
}

describe('every change of one octet', () => {
  const messages = [
    ...VECTORS.map(({ hex }) => messageOf(hex)),
    ...capturedMessages().map(({ octets }) => Uint8Array.from(octets)),
  ];

  it('of every vector and captured message, to other values, ends in a value or a WireError', function () {
    this.timeout(600_000);
    let changes = 0;
    for (const octets of messages) {
      for (let at = 0; at < octets.length; at++) {
        const before = octets[at]!;
        for (const value of valuesAfter(before)) {
          if (value === before) continue;
          octets[at] = value;
          survives(octets, at);
          changes++;
        }
        octets[at] = before;
      }
    }
    assert.ok(changes > (THOROUGH ? 1_000_000 : 50_000));
  });
});
