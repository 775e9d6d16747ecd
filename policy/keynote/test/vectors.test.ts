import assert from 'node:assert/strict';
import { readJsonFixture } from '../../../fixtures/index.js';
import { KeyNoteQueryError, KeyNoteSyntaxError, parseAssertion, query } from '../index.js';

interface Vector {
  readonly id: string;
  readonly policy: readonly string[];
  readonly credentials: readonly string[];
  readonly authorizers: readonly string[];
  readonly values: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly expect: { readonly value?: string; readonly error?: string };
  readonly deviates?: string;
}

const VECTORS = readJsonFixture('vectors/keynote/vectors.json') as readonly Vector[];

function answer(vector: Vector): { value?: string; error?: string } {
  try {
    const policy = vector.policy.map((text) => parseAssertion(text));
    const credentials = vector.credentials.map((text) => parseAssertion(text));
    const { authorizers, values, attributes } = vector;
    const { value, index, explanation } = query({
      policy,
      credentials,
      authorizers,
      values,
      attributes,
      algorithms: 'classic',
    });
    assert.equal(explanation.value, value);
    assert.equal(explanation.failures.length === 0, index === values.length - 1, vector.id);
    return { value };
  } catch (error) {
    if (error instanceof KeyNoteSyntaxError) return { error: 'parse' };
    if (error instanceof KeyNoteQueryError) return { error: error.kind };
    throw error;
  }
}

/** Where libkeynote departs from RFC 2704: our answer, and the sentence that decides. */
const DEVIATIONS: readonly (readonly [ids: string, ours: string, rfc: string])[] = [
  [
    'integer-066',
    'false',
    '4.6.5: "Any string expression (or attribute) containing the ASCII representation of a numeric value can be converted to an integer or float"',
  ],
  [
    'integer-067',
    'true',
    '4.6.5: "Any string expression (or attribute) containing the ASCII representation of a numeric value can be converted to an integer or float"',
  ],
  [
    'integer-068',
    'true',
    '4.6.5: "Any fractional component of an attribute value dereferenced as an integer is rounded down"',
  ],
  [
    'float-039',
    'false',
    '4.4: "Attributes converted to integer and floating point numbers are represented according to the ANSI C `long\' and `float\' types, respectively"',
  ],
  [
    'deref-027',
    'true',
    '4.6.5: "The keywords "true" and "false" are not reserved; they can be used as attribute or principal identifier names"',
  ],
  [
    'regex-captures-009',
    'true',
    '4.6.5: "<RegExpr> is a standard regular expression, conforming to the POSIX 1003.2 regular expression syntax and semantics"',
  ],
  [
    'regex-captures-034',
    'true',
    '5.3.4: "These match-attributes\' values are valid only within subsequent references made within the same clause"',
  ],
  [
    'regex-captures-046',
    'true',
    '5.3.4: "each match is placed in sequence in the temporary attributes (_1, _2, ..., _N)"',
  ],
  [
    'exceptions-023 exceptions-027',
    'false',
    '5.3.4: "A runtime error occurring in the evaluation of a test, such as division by zero or an invalid regular expression, causes the test to be considered false"',
  ],
  [
    'crash-001 crash-002',
    'false',
    '5.3.4: "A runtime error occurring in the evaluation of a test [...] causes the test to be considered false"',
  ],
  [
    'clauses-bad-023 clauses-bad-024 clauses-bad-025 clauses-bad-029',
    'v0',
    '4.6.5: "<ConditionsProgram>:: /* Can be empty */ | <Clause> ";" <ConditionsProgram>"',
  ],
  [
    'licensees-085 licensees-086 licensees-087 licensees-089 licensees-090 licensees-091',
    'false',
    '4.6.4: "<LicenseesField>:: "Licensees:" <LicenseesExpr>"',
  ],
  [
    'fields-033',
    'true',
    '4.1: "Comments with a leading octothorp character (see Section 4.2) may begin in any column"',
  ],
  [
    'fields-048 fields-049 fields-050',
    'error parse',
    '4.1: "Each field starts with an identifying label at the beginning of a line"',
  ],
  ['malformed-036 malformed-037 malformed-038', 'false', '4.6.3: "<AuthField>:: "Authorizer:" <AuthID>"'],
  [
    'malformed-044 malformed-045 malformed-048 malformed-049 malformed-050 malformed-052',
    'true',
    '5.3.1: "The Compliance Value of a principal <X> is the highest order (maximum) of [...]"',
  ],
  [
    'binary-002 binary-003 binary-004',
    'true',
    'RFC 2792 2.3: "Binary Identifier comparisons are essentially binary-string comparisons of the Identifier values"',
  ],
  [
    'delegation-014 delegation-015',
    'true',
    '5.3.1: "The Compliance Value of a principal <X> is the highest order (maximum) of [...] the Assertion Compliance Values of all assertions identifying <X> in the Authorizer field"',
  ],
  [
    'random-cyclic-006 random-cyclic-015',
    'v2',
    '5.3.1: "The Compliance Value of a principal <X> is the highest order (maximum) of [...] the Assertion Compliance Values of all assertions identifying <X> in the Authorizer field"',
  ],
  [
    'lexbypass-001 lexbypass-003 lexbypass-004 lexbypass-010 lexbypass-011',
    'false',
    '4.6.7: "the signature must be correct for the assertion body and authorizer key"; 5.3.3: "the lowest order (minimum) of the assertion\'s Conditions Compliance Value and its Licensee Compliance Value"',
  ],
];

const OURS = new Map(DEVIATIONS.flatMap(([ids, ours]) => ids.split(' ').map((id) => [id, ours] as const)));

describe('KeyNote: recorded answers of libkeynote', () => {
  for (const group of new Set(VECTORS.map(({ id }) => id.replace(/-[0-9]+$/, '')))) {
    it(`${group}: every case has the recorded answer`, () => {
      for (const vector of VECTORS.filter(({ id }) => id.replace(/-[0-9]+$/, '') === group)) {
        if (vector.deviates !== undefined || vector.expect.error === 'crash') continue;
        assert.deepEqual(answer(vector), vector.expect, vector.id);
      }
    });
  }

  for (const [ids, ours, rfc] of DEVIATIONS) {
    it(`${ids}: ${ours}, by RFC 2704 ${rfc}`, () => {
      for (const id of ids.split(' ')) {
        const vector = VECTORS.find((candidate) => candidate.id === id);
        assert.ok(vector, id);
        const { value, error } = answer(vector);
        assert.equal(value ?? `error ${error ?? ''}`, ours, id);
        // What the vectors say of the RFC's reading is the same.
        assert.match(vector.deviates ?? '', new RegExp(`RFC reading gives ${ours.replace(' ', ':')}`));
      }
    });
  }

  it('lists each case that deviates, with the sentence of the RFC that decides it', () => {
    const deviating = VECTORS.filter((vector) => vector.deviates !== undefined).map(({ id }) => id);
    assert.deepEqual([...OURS.keys()].sort(), deviating.sort());
  });
});
