import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { find, fromHex, PolicyData, toHex } from '../../../rsvp/wire/index.js';
import { attributesReference, PAYMENT_RSVP, PaymentElement, paymentObject } from '../index.js';
import { refusalsReference } from '../refusal.js';

/** By hand from the diagram of ELEMENT.md: a claim `n=1` with its octet of padding, an assertion, an error. */
const ELEMENT = [
  '0028 d0be', // 40 octets, P-Type 0xD0BE
  '0007 0101 6e3d31 00', // CLAIM, 7 octets: "n=1", padding
  '000a 0201 4b65793a 0a0a 0000', // ASSERTION, 10 octets: "Key:\n\n", padding
  '000d 0401 0000 0009 626164 2121 000000'.replace(' 2121', '2121'), // ERROR, 13 octets: code 9, "bad!!", padding
].join('');
const OBJECT = `0030 0e01 0008 0000 ${ELEMENT}`; // POLICY_DATA, class 14, data offset 8
const MESSAGE = fromHex(`1002 0000 4000 0038 ${OBJECT}`)!;

describe('payment element (ELEMENT.md)', () => {
  it('is read as the diagram draws it', () => {
    const message = PAYMENT_RSVP.decode(MESSAGE);
    const [element] = find(message, PolicyData)!.elements.filter((candidate) => PaymentElement.is(candidate));
    assert.deepEqual(
      element?.attributes.map((attribute) => ({ ...attribute })),
      [
        { attribute: 'CLAIM', aType: 1, subType: 1, length: 7, claim: 'n=1' },
        { attribute: 'ASSERTION', aType: 2, subType: 1, length: 10, assertion: 'Key:\n\n' },
        { attribute: 'ERROR', aType: 4, subType: 1, length: 13, reserved: 0, code: 9, reason: 'bad!!' },
      ],
    );
  });

  it('is written to the same octets, also by way of JSON', () => {
    const message = PAYMENT_RSVP.decode(MESSAGE);
    assert.equal(toHex(PAYMENT_RSVP.encode(message)), toHex(MESSAGE));
    const json: unknown = JSON.parse(JSON.stringify(PAYMENT_RSVP.toJson(message)));
    assert.equal(toHex(PAYMENT_RSVP.encode(PAYMENT_RSVP.fromJson(json))), toHex(MESSAGE));
  });

  it('shows credentials as text, deflated ones too', () => {
    const contents = {
      claims: [['amount', '0.44']] as const,
      assertions: ['Comment: one\nAuthorizer: "x"\n'],
    };
    for (const deflate of [false, true]) {
      const octets = PAYMENT_RSVP.encode({ msgType: 2, objects: [paymentObject(contents, deflate)] });
      const text = PAYMENT_RSVP.text(PAYMENT_RSVP.decode(octets));
      assert.match(text, /claim: amount=0\.44/);
      assert.match(text, /Comment: one\n +Authorizer: "x"/);
    }
  });

  it('keeps a deflated bomb as octets: what it would become is bounded', () => {
    const bomb = deflateRawSync(Buffer.alloc(50_000_000), { level: 9 });
    assert.ok(bomb.length < 65_000);
    const length = 4 + bomb.length;
    const padded = Buffer.alloc((length + 3) & ~3);
    padded.writeUInt16BE(length, 0);
    padded.writeUInt16BE(0x0202, 2);
    padded.set(bomb, 4);
    const header = Buffer.alloc(20);
    header.writeUInt32BE(0x10020000, 0);
    header.writeUInt16BE(20 + padded.length, 6);
    header.writeUInt16BE(12 + padded.length, 8);
    header.writeUInt16BE(0x0e01, 10);
    header.writeUInt16BE(8, 12);
    header.writeUInt16BE(4 + padded.length, 16);
    header.writeUInt16BE(0xd0be, 18);
    const octets = Buffer.concat([header, padded]);
    const message = PAYMENT_RSVP.decode(octets);
    assert.ok(PAYMENT_RSVP.text(message).length < 2_000);
    assert.equal(toHex(PAYMENT_RSVP.encode(message)), toHex(octets));
  });
});

describe('reference pages of payment', () => {
  const page = (name: string): string =>
    readFileSync(fileURLToPath(new URL(`../../../../policy/payment/${name}`, import.meta.url)), 'utf8');

  it('ATTRIBUTES.md is the table that requests are judged by', () => {
    assert.equal(page('ATTRIBUTES.md'), attributesReference());
  });

  it('ELEMENT.md ends with the table of refusals', () => {
    assert.ok(page('ELEMENT.md').endsWith(refusalsReference()));
  });
});
