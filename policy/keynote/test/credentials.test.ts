import assert from 'node:assert/strict';
import { readJsonFixture } from '../../../fixtures/index.js';
import { generateKey } from '../../io/keygen.js';
import {
  CredentialCache,
  credentialDigest,
  formatAssertion,
  formatExplanation,
  keyFingerprint,
  KeyNoteSyntaxError,
  parseAssertion,
  parseAssertions,
  parsePrincipal,
  parsePrivateKey,
  query,
  quote,
  signAssertion,
  verifyAssertion,
} from '../index.js';
import type { Answer, PrivateKey } from '../index.js';

const isp = generateKey('ed25519');
const customer = generateKey('ed25519');

function credential(by: PrivateKey, to: string, conditions: string, algorithm?: string): string {
  const text = `KeyNote-Version: 2
Comment: an offer
Authorizer: "${by.principal.toText()}"
Licensees: "${to}"
Conditions: app_domain == "BandEx" && currency == "USD"
    && &amount < 0.56
    && link_name ~= "^NE-1[0-9]$" -> "true";
`;
  return signAssertion(
    text.replace('Conditions: app_domain == "BandEx"', `Conditions: ${conditions}`),
    by,
    algorithm,
  );
}

const OFFER = credential(isp, 'route', 'app_domain == "BandEx"');
const POLICY = parseAssertion(`Authorizer: "POLICY"\nLicensees: "${isp.principal.toText('base64')}"\n`);
const GOOD = { app_domain: 'BandEx', currency: 'USD', amount: '0.50', link_name: 'NE-12' };

function ask(text: string, attributes: Readonly<Record<string, string>>, cache?: CredentialCache): Answer {
  const credentials = [cache?.parse(text) ?? parseAssertion(text)];
  return query({
    policy: [POLICY],
    credentials,
    authorizers: ['route'],
    attributes,
    ...(cache && { cache }),
  });
}

describe('KeyNote: modern signatures', () => {
  for (const [type, bits, algorithm] of [
    ['ed25519', 256, 'sig-ed25519-hex'],
    ['ed25519', 256, 'sig-ed25519-base64'],
    ['rsa', 2048, 'sig-rsa-sha256-hex'],
    ['rsa', 2048, 'sig-rsa-sha256-base64'],
  ] as const) {
    it(`${algorithm}: what was signed is verified, what was changed is not`, () => {
      const key = generateKey(type, bits);
      const signed = credential(key, 'x', 'true', algorithm);
      assert.equal(verifyAssertion(parseAssertion(signed)).verdict, 'verified');
      const tampered = signed.replace('0.56', '0.57');
      assert.equal(verifyAssertion(parseAssertion(tampered)).verdict, 'failed');
      // The name of the algorithm is signed as it is written (RFC 2792 4.2).
      const renamed = signed.replace(algorithm, algorithm.toUpperCase());
      assert.equal(verifyAssertion(parseAssertion(renamed)).verdict, 'failed');
      const other = parsePrivateKey(generateKey(type, bits).toText());
      const swapped = signed.replace(key.principal.toText(), other.principal.toText());
      assert.equal(verifyAssertion(parseAssertion(swapped)).verdict, 'failed');
    });
  }

  it('RFC 8032 7.1, test 2: the key pair and its principal', () => {
    const seed = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
    const key = parsePrivateKey(`private-ed25519-hex:${seed}`);
    const expected = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
    assert.equal(key.principal.toText('hex'), `ed25519-hex:${expected}`);
    assert.equal(parsePrincipal(`ED25519-HEX:${expected.toUpperCase()}`).id, key.principal.id);
    assert.equal(key.toText('hex'), `private-ed25519-hex:${seed}`);
  });

  it('the modern policy refuses RSA below 2048 bits, and SHA-1 with any key; the classic one does not', () => {
    for (const [bits, algorithm] of [
      [1024, 'sig-rsa-sha256-hex'],
      [2048, 'sig-rsa-sha1-hex'],
    ] as const) {
      const signed = parseAssertion(credential(generateKey('rsa', bits), 'x', 'true', algorithm));
      assert.equal(verifyAssertion(signed, { algorithms: 'modern' }).verdict, 'failed');
      assert.equal(verifyAssertion(signed, { algorithms: 'classic' }).verdict, 'verified');
    }
  });

  it('signing refuses a key that is not the authorizer, a second signature and a fault', () => {
    const text = OFFER.slice(0, OFFER.indexOf('Signature:'));
    assert.throws(() => signAssertion(text, customer), /the authorizer is ed25519:/);
    assert.throws(() => signAssertion(OFFER, isp), /signed already/);
    assert.throws(() => signAssertion(text.replace('"true";', '"true"'), isp), KeyNoteSyntaxError);
    assert.throws(() => signAssertion(text, isp, 'sig-rsa-sha256-hex'), /cannot be made with an Ed25519 key/);
    assert.throws(() => signAssertion(text, isp, 'sig-nothing-hex'), /unknown/);
  });

  it('a fingerprint is the same for each way to write a key', () => {
    const { principal } = isp;
    assert.match(principal.fingerprint, /^ed25519:[0-9a-f]{16}$/);
    assert.equal(keyFingerprint(principal.toText('hex')), keyFingerprint(principal.toText('base64')));
    assert.notEqual(principal.fingerprint, customer.principal.fingerprint);
    assert.equal(keyFingerprint('route'), '"route"');
  });
});

describe('KeyNote: explanations', () => {
  const because = (attributes: Readonly<Record<string, string>>, text = OFFER): readonly string[] =>
    ask(text, attributes).explanation.failures.map(({ text: reason }) => reason);
  const where = `in the credential by ${isp.principal.fingerprint}`;

  it('a grant has a chain from POLICY to the requester, and no failures', () => {
    const { value, explanation } = ask(OFFER, GOOD);
    assert.equal(value, 'true');
    assert.deepEqual(explanation.failures, []);
    const chain = explanation.chain.map(({ source, signature, licensees }) => [source, signature, licensees]);
    assert.deepEqual(chain, [
      ['policy', 'trusted', isp.principal.fingerprint],
      ['credential', 'verified', '"route"'],
    ]);
  });

  for (const [attributes, reason] of [
    [{ ...GOOD, amount: '0.60' }, 'amount 0.60 is not < 0.56, line 6'],
    [{ ...GOOD, amount: '' }, undefined],
    [{ ...GOOD, currency: 'EUR' }, 'currency "EUR" is not == "USD", line 5'],
    [{ app_domain: 'BandEx' }, 'currency (not set) is not == "USD", line 5'],
    [{ ...GOOD, link_name: 'NE-2' }, 'link_name "NE-2" does not match "^NE-1[0-9]$", line 7'],
  ] as const) {
    it(`${JSON.stringify(attributes)}: ${reason ?? 'granted'}`, () => {
      assert.deepEqual(because(attributes), reason === undefined ? [] : [`${reason}, ${where}`]);
    });
  }

  it('a failed comparison is given in its parts', () => {
    const [failure] = ask(OFFER, { ...GOOD, amount: '0.60' }).explanation.failures;
    assert.deepEqual(failure?.comparison, {
      expression: '&amount',
      found: '0.60',
      relation: '<',
      expected: '0.56',
      against: '0.56',
    });
    assert.equal(failure.line, 6);
    assert.equal(failure.authorizer?.id, isp.principal.id);
    assert.equal(failure.comment, 'an offer');
  });

  it('a wrong signature is said where the conditions hold', () => {
    const [reason = ''] = because({ ...GOOD, amount: '0.60' }, OFFER.replace('0.56', '0.66'));
    assert.match(
      reason,
      /^the signature is not by the authorizer's key, or the text was changed, line 8, in the credential/,
    );
  });

  it('a runtime error is said with what raised it', () => {
    const text = credential(isp, 'route', '7 % @zero == 0');
    assert.deepEqual(because(GOOD, text), [`\`7 % @zero == 0\`: division by zero, line 5, ${where}`]);
  });

  it('a fault in a credential is said with its line', () => {
    const text = OFFER.replace('-> "true";', '-> "true"');
    assert.deepEqual(because(GOOD, text), [
      `expected \`;\` after the clause, found the end of the field, line 7, ${where}`,
    ]);
  });

  it('somebody nobody speaks for is named', () => {
    const { explanation } = query({ policy: [POLICY], authorizers: ['route'], attributes: GOOD });
    assert.deepEqual(
      explanation.failures.map(({ kind, message }) => [kind, message]),
      [
        [
          'principal',
          `${isp.principal.fingerprint} did not request this, and no assertion by it was presented`,
        ],
      ],
    );
  });

  it('a chain of delegations is drawn as a tree, with the names that are known', () => {
    const text = formatExplanation(ask(OFFER, { ...GOOD, amount: '0.60' }).explanation, {
      name: ({ id }) => (id === isp.principal.id ? 'the ISP' : undefined),
    });
    assert.deepEqual(text.split('\n'), [
      'false',
      'POLICY (false)',
      `└─ policy 1: false, licenses ${isp.principal.fingerprint}`,
      '   └─ the ISP (false)',
      '      └─ credential 1 "an offer": false, signature unchecked, licenses "route"',
      '         ├─ line 6: amount 0.60 is not < 0.56',
      '         └─ "route" (true, requester)',
      '',
      'because',
      '  amount 0.60 is not < 0.56, line 6, in the credential by the ISP',
    ]);
  });
});

describe('KeyNote: the cache of credentials', () => {
  it('a verified credential is parsed once, and found by its digest', () => {
    const cache = new CredentialCache();
    for (let i = 0; i < 3; i++) assert.equal(ask(OFFER, GOOD, cache).value, 'true');
    assert.deepEqual([cache.misses, cache.hits, cache.size], [1, 2, 1]);
    assert.equal(cache.find(credentialDigest(OFFER))?.text, OFFER);
  });

  it('what is not verified is not kept', () => {
    const cache = new CredentialCache();
    ask(OFFER.replace('0.56', '0.66'), GOOD, cache);
    ask(OFFER, { ...GOOD, amount: '9' }, cache);
    assert.equal(cache.size, 0);
  });

  it('a credential verified under a lax policy is checked again under a strict one', () => {
    const cache = new CredentialCache();
    const weak = generateKey('rsa', 1024);
    const policy = [parseAssertion(`Authorizer: "POLICY"\nLicensees: "${weak.principal.toText()}"\n`)];
    const text = credential(weak, 'route', 'true', 'sig-rsa-sha1-hex');
    for (const [algorithms, expected] of [
      ['classic', 'true'],
      ['modern', 'false'],
      ['classic', 'true'],
    ] as const) {
      const credentials = [cache.parse(text)];
      const { value } = query({
        policy,
        credentials,
        authorizers: ['route'],
        attributes: GOOD,
        algorithms,
        cache,
      });
      assert.equal(value, expected);
    }
  });

  it('it is bounded: what was not used for the longest time goes first', () => {
    const cache = new CredentialCache({ credentials: 2, keys: 1 });
    const texts = ['a', 'b', 'c'].map((who) => credential(isp, who, 'true'));
    const query3 = (text: string): unknown =>
      query({
        policy: [POLICY],
        credentials: [cache.parse(text)],
        authorizers: ['a', 'b', 'c'],
        attributes: GOOD,
        cache,
      }).value;
    for (const i of [0, 1, 0, 2]) assert.equal(query3(texts[i]!), 'true');
    assert.equal(cache.size, 2);
    assert.deepEqual(
      texts.map((text) => cache.find(credentialDigest(text)) !== undefined),
      [true, false, true],
    );
  });
});

describe('KeyNote: the printer', () => {
  const { cases } = readJsonFixture('vectors/keynote/signatures.json') as {
    cases: { assertion: string }[];
  };
  const vectors = readJsonFixture('vectors/keynote/vectors.json') as {
    id: string;
    policy: string[];
    credentials: string[];
    authorizers: string[];
    values: string[];
    attributes: Record<string, string>;
  }[];

  it('what is printed means the same, and is printed the same again', () => {
    let printed = 0;
    for (const { id, policy: texts, credentials, authorizers, values, attributes } of vectors) {
      if (Object.keys(attributes).some((name) => name.startsWith('_'))) continue;
      const policy = [...texts, ...credentials].flatMap((text) => {
        try {
          return [parseAssertion(text)];
        } catch {
          return [];
        }
      });
      const sound = policy.filter(({ faults }) => faults.length === 0);
      const formatted = sound.map((assertion) => parseAssertion(formatAssertion(assertion)));
      formatted.forEach((assertion) => assert.equal(formatAssertion(assertion), assertion.text, id));
      const ask = (assertions: typeof sound): string => {
        try {
          return query({ policy: assertions, authorizers, values, attributes }).value;
        } catch (error) {
          return error instanceof Error ? error.message : '';
        }
      };
      assert.equal(ask(formatted), ask(sound), id);
      printed += formatted.length;
    }
    assert.ok(printed > 1000);
  });

  it('a signature is left out: it would not be right any more', () => {
    const { assertion } = cases[0] ?? { assertion: '' };
    assert.ok(!formatAssertion(parseAssertion(assertion)).includes('Signature'));
  });

  it('has one layout', () => {
    const text = `keynote-version:2
comment:  a   b
authorizer:"POLICY"
licensees:2-OF("a","b")||("c"&&$x)
local-constants:A="1" B  =  "2"
conditions:-@x+1==-2&&!(y=="a\\142")->{true->"v";  z ~= "^a";};
`;
    assert.equal(
      formatAssertion(parseAssertion(text)),
      `KeyNote-Version: 2
Comment: a   b
Authorizer: "POLICY"
Licensees: 2-of("a", "b") || ("c" && $x)
Local-Constants: A = "1"
    B = "2"
Conditions:
    -@x + 1 == -2 && !(y == "ab") -> {
        true -> "v";
        z ~= "^a";
    };
`,
    );
  });

  it('a literal holds any octets but NUL', () => {
    for (let code = 1; code < 256; code++) {
      const value = `a${String.fromCharCode(code)}1`;
      const { constants } = parseAssertion(`Local-Constants: X = ${quote(value)}\nAuthorizer: "a"\n`);
      assert.equal(constants.get('X'), value);
    }
  });
});

describe('KeyNote: syntax errors', () => {
  it('say the line and draw the place', () => {
    const text = 'Authorizer: "POLICY"\nLicensees: "a"\nConditions: @amount <\n    0.5 + ;\n';
    const [fault] = parseAssertion(text).faults;
    assert.equal(fault?.located, 'line 4, column 11: expected an expression, found `;`');
    assert.equal(fault.drawing, '4 |     0.5 + ;\n  |           ^');
  });

  it('show the part of a long line that matters, and nothing that a terminal obeys', () => {
    const text = `Authorizer: "${'x'.repeat(500)}\x1b[31m" "y"\n`;
    const [fault] = parseAssertion(text).faults;
    const [line = '', caret = ''] = fault?.drawing.split('\n') ?? [];
    assert.ok(line.length < 120 && !line.includes('\x1b'));
    assert.equal(line.charAt(caret.indexOf('^')), '"');
  });

  it('in a file count its lines', () => {
    const [, second] = parseAssertions('Authorizer: "a"\n\n\nFoo: 1\n');
    assert.ok(second !== undefined && 'error' in second);
    assert.equal(second.line, 4);
    assert.equal(second.error.inFile(second.line - 1).line, 4);
  });
});
