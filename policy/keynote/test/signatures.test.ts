import assert from 'node:assert/strict';
import { readJsonFixture } from '../../../fixtures/index.js';
import {
  parseAssertion,
  parseAssertions,
  parsePrincipal,
  parsePrivateKey,
  parsePublicKey,
  recoverPayload,
  signAssertion,
  splitAssertions,
  verifyAssertion,
} from '../index.js';

interface Key {
  readonly type: string;
  readonly bits: number;
  readonly public: string;
  readonly publicHex: string;
  readonly publicBase64: string;
  readonly publicWrapped?: string;
  readonly rsaPublicHex?: string;
  readonly private: string;
  readonly privatePem: string;
  readonly privateWrapped?: string;
  readonly certificatePem?: string;
}

interface Case {
  readonly id: string;
  readonly key: string | null;
  readonly assertion: string;
  readonly expect: { readonly verdicts: readonly string[] };
  readonly recoveredPayloadHex?: string;
}

const { keys: KEYS, cases: CASES } = readJsonFixture('vectors/keynote/signatures.json') as {
  readonly keys: Readonly<Record<string, Key>>;
  readonly cases: readonly Case[];
};

describe('KeyNote: recorded signatures of libkeynote', () => {
  for (const group of new Set(CASES.map(({ id }) => id.replace(/-[0-9]+$/, '')))) {
    it(`${group}: each assertion has the recorded verdict`, () => {
      for (const { id, assertion, expect } of CASES.filter(
        (one) => one.id.replace(/-[0-9]+$/, '') === group,
      )) {
        const verdicts = parseAssertions(assertion).map((paragraph) =>
          'error' in paragraph
            ? 'syntax'
            : verifyAssertion(paragraph.assertion, { algorithms: 'classic' }).verdict,
        );
        assert.deepEqual(verdicts, expect.verdicts, id);
      }
    });
  }

  it('the padding of a verified RSA signature holds the recorded octets', () => {
    const cases = CASES.filter(({ recoveredPayloadHex }) => recoveredPayloadHex !== undefined);
    assert.ok(cases.length > 10);
    for (const { id, assertion, recoveredPayloadHex } of cases) {
      const { constants, authorizer, signature } = parseAssertion(assertion);
      assert.ok(authorizer?.kind === 'literal', id);
      const text = partsOf(signature).join('').replaceAll(' ', '');
      const [, encoding, bits = ''] = /^sig-[a-z0-9]+-[a-z0-9]+-(hex|base64):(.*)$/i.exec(text) ?? [];
      const octets = Buffer.from(bits, encoding?.toLowerCase() as 'hex' | 'base64');
      const principal = parsePrincipal(constants.get(authorizer.name ?? '') ?? authorizer.value);
      assert.equal(recoverPayload(octets, principal).toString('hex'), recoveredPayloadHex, id);
    }
  });

  it('a modern policy accepts none of them', () => {
    for (const { id, assertion } of CASES) {
      for (const { text } of splitAssertions(assertion)) {
        let verdict = 'syntax';
        try {
          ({ verdict } = verifyAssertion(parseAssertion(text)));
        } catch {
          // The structure is refused: that is a verdict as well.
        }
        assert.notEqual(verdict, 'verified', id);
      }
    }
  });
});

function partsOf(node: ReturnType<typeof parseAssertion>['signature']): string[] {
  if (node?.kind === 'literal') return [node.value];
  return node?.kind === 'concatenation' ? node.parts.flatMap(partsOf) : [];
}

describe('KeyNote: keys', () => {
  for (const [name, key] of Object.entries(KEYS)) {
    it(`${name}: every way to write the public key is the same principal (RFC 2792 2)`, () => {
      const { id } = parsePrincipal(key.public);
      const forms = [key.publicHex, key.publicBase64, key.publicHex.toUpperCase(), key.rsaPublicHex];
      for (const form of forms) if (form !== undefined) assert.equal(parsePrincipal(form).id, id);
      if (key.publicWrapped !== undefined) assert.equal(parsePublicKey(key.publicWrapped).id, id);
      if (key.certificatePem !== undefined) assert.equal(parsePublicKey(key.certificatePem).id, id);
      assert.equal(parsePrincipal(key.public).bits, key.bits);
    });

    it(`${name}: the private key, from KeyNote's form and from PEM, belongs to it, and can be written again`, () => {
      const { id } = parsePrincipal(key.public);
      for (const text of [key.private, key.privatePem, key.privateWrapped]) {
        if (text === undefined) continue;
        const parsed = parsePrivateKey(text);
        assert.equal(parsed.principal.id, id);
        const octets = parsed.toText('hex').replace(/^.*:/, '');
        assert.equal(octets, derOf(key.privatePem), name);
        assert.equal(parsePrivateKey(parsed.toText('base64')).principal.id, id);
      }
    });

    it(`${name}: makes the signatures that are recorded for it, where they are not random`, () => {
      let made = 0;
      for (const { id, key: by, assertion, expect } of CASES) {
        if (by !== name || !id.startsWith('sig-valid') || expect.verdicts.length !== 1) continue;
        const parsed = parseAssertion(assertion);
        const recorded = partsOf(parsed.signature).join('');
        const algorithm = recorded.slice(0, recorded.indexOf(':'));
        const signed = signAssertion(parsed.signedText ?? '', parsePrivateKey(key.private), algorithm);
        const ours = parseAssertion(signed);
        assert.equal(verifyAssertion(ours, { algorithms: 'classic' }).verdict, 'verified', id);
        if (key.type !== 'dsa') assert.equal(partsOf(ours.signature).join(''), recorded, id);
        made++;
      }
      assert.ok(made > 0 || name === 'rsaD', `${name} has recorded signatures`);
    });
  }
});

/** What is inside a PEM of the traditional kind, in hex. */
function derOf(pem: string): string {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64').toString('hex');
}
