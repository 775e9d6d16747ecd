import assert from 'node:assert/strict';
import { readJsonFixture } from '../../../fixtures/index.js';
import {
  DEFAULT_LIMITS,
  KeyNoteQueryError,
  KeyNoteSyntaxError,
  parseAssertion,
  query,
  STRANGER_LIMITS,
} from '../index.js';

const { cases } = readJsonFixture('vectors/keynote/signatures.json') as {
  readonly cases: readonly { readonly id: string; readonly assertion: string }[];
};
const SIGNED = cases.find(({ id }) => id === 'sig-valid-018')?.assertion ?? '';
const AUTHORIZER = /^Authorizer: (.*)$/m.exec(SIGNED)?.[1] ?? '';

const POLICY = `Authorizer: "POLICY"\nLicensees: ${AUTHORIZER}\n`;
const RICH = [
  'KeyNote-Version: 2',
  'Local-Constants: A = "r\\145q" B = "x" # constants',
  'Authorizer: "POLICY"',
  'Licensees: 2-of(A, B, "c") || (A && !"no")'.replace('!', ''),
  'Conditions: foo ~= "^(a|b)+$" && _1 == "b" -> { @n / 2 >= 3 -> "true"; !(&f < 1.5 ^ 2.0); };',
  '  $("f" . "oo") != "" -> _MAX_TRUST;',
  '',
].join('\n');

const ATTRIBUTES = { app_domain: 'test', foo: 'ab', n: '7', f: '1.25' };

/** A value or a clean error; nothing else, and soon. */
function ask(
  policy: readonly string[],
  credentials: readonly string[],
  authorizers: readonly string[],
): string {
  try {
    return query({
      policy: policy.map((text) => parseAssertion(text)),
      credentials: credentials.map((text) => parseAssertion(text)),
      authorizers,
      attributes: ATTRIBUTES,
      algorithms: 'classic',
    }).value;
  } catch (error) {
    if (error instanceof KeyNoteSyntaxError) {
      assert.ok(error.line >= 1 && error.column >= 1);
      assert.equal(error.drawing.split('\n').length, 2);
      return 'syntax';
    }
    if (error instanceof KeyNoteQueryError) return error.kind;
    throw error;
  }
}

function conditions(text: string): string {
  return ask([`Authorizer: "POLICY"\nLicensees: "req"\nConditions: ${text}\n`], [], ['req']);
}

function quickly(run: () => void): void {
  const start = Date.now();
  run();
  assert.ok(Date.now() - start < 3000, 'it took too long');
}

describe('KeyNote: hostile text', () => {
  it('the whole credential is accepted, so that what follows can fail', () => {
    assert.equal(ask([POLICY], [SIGNED], ['req']), 'true');
    assert.equal(ask([RICH], [], ['req', 'c']), 'true');
  });

  it('no prefix of a signed credential grants anything, but for those that only lose what follows the signature', () => {
    const end = SIGNED.lastIndexOf('"') + 1;
    for (let length = 0; length < SIGNED.length; length++) {
      const value = ask([POLICY], [SIGNED.slice(0, length)], ['req']);
      assert.equal(value === 'true', length >= end, `${length} octets: ${value}`);
    }
  });

  it('no change of one octet in the signed text of a credential grants anything', () => {
    const body = SIGNED.lastIndexOf('Signature:');
    for (let at = 0; at < body; at++) {
      const octet = SIGNED.charCodeAt(at);
      for (const other of [octet ^ 1, octet ^ 0x20, octet ^ 0x80, 0, 0x0a, 0x22]) {
        if (other === octet) continue;
        const changed = SIGNED.slice(0, at) + String.fromCharCode(other) + SIGNED.slice(at + 1);
        const value = ask([POLICY], [changed], ['req']);
        // A newline before the first field is not part of the assertion.
        assert.notEqual(value, 'true', `octet ${at} became ${other}`);
      }
    }
  }).timeout(60_000);

  it('every prefix and every change of one octet of a rich policy ends in a value or a clean error', () => {
    for (let at = 0; at < RICH.length; at++) {
      ask([RICH.slice(0, at)], [], ['req', 'c']);
      for (let octet = 0; octet < 256; octet += at % 3 === 0 ? 1 : 7) {
        ask([RICH.slice(0, at) + String.fromCharCode(octet) + RICH.slice(at + 1)], [], ['req', 'c']);
      }
    }
  }).timeout(60_000);

  for (const [what, text] of Object.entries({
    parentheses: `${'('.repeat(50_000)}true${')'.repeat(10)};`,
    'balanced parentheses': `${'('.repeat(20_000)}true${')'.repeat(20_000)};`,
    negations: `${'!'.repeat(60_000)}true;`,
    minuses: `${'-'.repeat(60_000)}1 == 1;`,
    dereferences: `${'$'.repeat(60_000)}foo == "";`,
    blocks: `${'true -> {'.repeat(5000)} true; ${'};'.repeat(5000)}`,
    sums: `${'1+'.repeat(30_000)}1 == 1;`,
    powers: `${'2^'.repeat(30_000)}1 == 1;`,
  })) {
    it(`too many ${what} are a syntax error in the field, and the assertion is void`, () => {
      quickly(() => assert.equal(conditions(text), 'false'));
    });
  }

  it('long but flat expressions are evaluated', () => {
    quickly(() => assert.equal(conditions(`${'foo == "ab" && '.repeat(3000)}true;`), 'true'));
    quickly(() => assert.equal(conditions(`${'foo == "x" || '.repeat(3000)}true;`), 'true'));
    quickly(() => assert.equal(conditions(`${'foo . '.repeat(5000)}"x" != "";`), 'true'));
    quickly(() => assert.equal(conditions('foo == "x" -> "true"; '.repeat(2500)), 'false'));
  });

  it('a string that grows without end makes its test false', () => {
    const constants = `Local-Constants: A = "${'x'.repeat(20_000)}"\n`;
    const text = `${constants}Authorizer: "POLICY"\nLicensees: "req"\nConditions: ${'A . '.repeat(5)}A != "";\n`;
    assert.equal(ask([text], [], ['req']), 'false');
  });

  it('regular expressions share one budget of work', () => {
    const heavy = `"${'a'.repeat(2000)}" ~= "(a*)*(a|aa)*b" || `;
    quickly(() => assert.equal(conditions(`${heavy.repeat(20)}false;`), 'false'));
    quickly(() => conditions('foo ~= "a{255}" || '.repeat(3000) + 'false;'));
  });

  it('overflow, division by zero and what is no number end in a value', () => {
    for (const test of [
      '99999999999999999999999999 == 1',
      '@"99999999999999999999" > 0',
      '2 ^ 2147483647 == 1',
      '(-2147483647 - 1) / -1 == 1',
      '1 / 0 == 1',
      '1 % 0 == 1',
      '0.0 / 0.0 >= 0.0',
      '(0.0 - 2.0) ^ 0.5 < 1.0',
      `${'9'.repeat(400)}.0 * 0.0 < 1.0`,
    ]) {
      assert.match(conditions(`${test};`), /^(true|false)$/, test);
    }
    assert.equal(conditions('(-2147483647 - 1) / -1 == 1;'), 'false');
  });

  it('operators in a row, nested to the left, are counted through parentheses and signs: no stack is that deep', () => {
    for (const [open, one] of [
      ['(', '1'],
      ['-(', '1'],
      ['(', '1.0'],
    ] as const) {
      let sum: string = one;
      for (let depth = 0; depth < 9; depth++) sum = `${open}${sum})${`+${one}`.repeat(990)}`;
      const policy = [
        parseAssertion(`Authorizer: "POLICY"\nLicensees: "req"\nConditions: ${sum} > ${one};\n`),
      ];
      const answer = query({ policy, authorizers: ['req'] });
      assert.equal(answer.value, 'false');
      assert.match(answer.explanation.failures[0]?.message ?? '', /operators in a row/);
    }
  });

  it('many tests of long strings, nested, end at the limit of work, and so does their explanation', () => {
    const long = '9'.repeat(20_000);
    const nested = (test: string): string => {
      let text = test;
      for (let depth = 0; depth < 60; depth++) text = `(${text})${` || ${test}`.repeat(25)}`;
      return text;
    };
    for (const test of ['p > q', '&p < 1.0', '@p > 1', 'p . q == ""']) {
      const start = performance.now();
      const answer = query({
        policy: [parseAssertion(`Authorizer: "POLICY"\nLicensees: "req"\nConditions: ${nested(test)};\n`)],
        authorizers: ['req'],
        attributes: { p: long, q: `${long}9` },
        limits: STRANGER_LIMITS,
      });
      assert.equal(answer.value, 'false');
      const { failures } = answer.explanation;
      assert.ok(failures.length > 0 && failures.length <= 32, `${test}: ${failures.length}`);
      assert.ok(failures.every(({ text }) => text.length < 1000));
      assert.ok(performance.now() - start < 1000, test);
    }
  });

  it('integers beyond 32 bits can be refused: the test is then false', () => {
    const ask64 = (test: string, integers: 'wrap' | 'refuse'): string =>
      query({
        policy: [parseAssertion(`Authorizer: "POLICY"\nLicensees: "req"\nConditions: ${test};\n`)],
        authorizers: ['req'],
        attributes: { bandwidth: '5000000000' },
        integers,
      }).value;
    // What C makes of it: (int) of a double that is too large is INT_MIN.
    assert.equal(ask64('@bandwidth <= 2048', 'wrap'), 'true');
    for (const test of [
      '@bandwidth <= 2048',
      '@bandwidth > 0',
      '!(@bandwidth > 0)',
      '65536 * 65536 == 0',
      '2147483647 + 1 < 0',
      '@bandwidth >= 4294967297',
      '4294967297 == 1',
    ]) {
      assert.equal(ask64(test, 'refuse'), 'false', test);
    }
    assert.equal(ask64('2 ^ 30 == 1073741824 && 65536 * 0 == 0', 'refuse'), 'true');
  });

  it('characters that are no octets are refused: they would be signed as others', () => {
    assert.equal(ask([POLICY], [SIGNED.replace('req', 're\u0171')], ['req']), 'syntax');
    assert.equal(ask([`Authorizer: "POLICY"\nComment: \0\n`], [], ['req']), 'syntax');
  });

  it('the limits on text and number of assertions hold', () => {
    assert.equal(
      ask([`${POLICY}Comment: ${'x'.repeat(DEFAULT_LIMITS.textLength)}\n`], [], ['req']),
      'syntax',
    );
    const many = Array.from({ length: DEFAULT_LIMITS.assertions + 1 }, () => POLICY);
    assert.equal(ask(many, [], ['req']), 'query');
  });

  it('a thousand assertions in the worst order are evaluated at once', () => {
    const chain = Array.from({ length: 998 }, (_, i) => `Authorizer: "p${i}"\nLicensees: "p${i + 1}"\n`);
    const policy = [...chain, 'Authorizer: "POLICY"\nLicensees: "p0"\n'];
    quickly(() => assert.equal(ask(policy, [], ['p998']), 'true'));
    quickly(() => assert.equal(ask(policy.toReversed(), [], ['p998']), 'true'));
    quickly(() => assert.equal(ask(policy, [], ['p999']), 'false'));
  });

  it('names of the language of the implementation are nothing special', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      assert.equal(conditions(`${name} == "" && $"${name}" == "" && @${name} == 0;`), 'true', name);
    }
    assert.equal(
      ask(['Authorizer: "POLICY"\nLicensees: constructor || "constructor"\n'], [], ['toString']),
      'false',
    );
  });
});
