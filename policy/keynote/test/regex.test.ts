import assert from 'node:assert/strict';
import { DEFAULT_LIMITS } from '../limits.js';
import { Captures, Regex } from '../regex/index.js';

function match(pattern: string, subject: string): (string | undefined)[] | undefined {
  const captures = new Regex(pattern, DEFAULT_LIMITS).match(subject, { work: 1_000_000 });
  if (!(captures instanceof Captures)) return undefined;
  const groups = Number(captures.group(0));
  return Array.from({ length: groups }, (_, i) => captures.group(i + 1));
}

/**
 * Sub-matches by POSIX 1003.2 2.8.3.1: "the subexpression [...] shall match the longest possible string",
 * leftmost first; "a null string shall be considered longer than no match at all".
 */
const SUBMATCHES: readonly (readonly [pattern: string, subject: string, groups: readonly string[]])[] = [
  ['(a|ab)(c|bcd)(d*)', 'abcd', ['ab', 'c', 'd']],
  ['(a|ab)(bcd|c)(d*)', 'abcd', ['ab', 'c', 'd']],
  ['(ab|a)(c|bcd)(d*)', 'abcd', ['ab', 'c', 'd']],
  ['(a*)(a+)', 'aaa', ['aa', 'a']],
  ['(a*)(ab)*(b*)', 'abb', ['a', '', 'bb']],
  ['(a*)*', 'aaa', ['aaa']],
  ['(a*)*', 'b', ['']],
  ['(a*)+', 'aa', ['aa']],
  ['(a|(b))+', 'ab', ['b', 'b']],
  ['(a|(b))+', 'ba', ['a', '']],
  ['(a|b)*', 'abab', ['b']],
  ['x*(y|xy)', 'xxy', ['y']],
  ['(xyz|x)(yz)?', 'xyz', ['xyz', '']],
  ['(.*)([0-9]+)', 'abc123', ['abc12', '3']],
  ['^([a-z]+)=([a-z]*)$', 'k=v', ['k', 'v']],
  ['(ab?)(b?a)', 'aba', ['ab', 'a']],
  ['(a{1,2}){2}', 'aaa', ['a']],
  ['(aba|ab|a)*', 'ababa', ['aba']],
  ['((a)|(b))*', 'ab', ['b', '', 'b']],
  ['b(c*)', 'abcc', ['cc']],
];

describe('KeyNote: regular expressions', () => {
  for (const [pattern, subject, groups] of SUBMATCHES) {
    it(`${pattern} on ${subject}: ${groups.map((group) => `"${group}"`).join(', ')} (POSIX 1003.2)`, () => {
      assert.deepEqual(match(pattern, subject), groups);
    });
  }

  it('says the same as the engine of the language, where both mean the same', () => {
    const pieces = [
      'a',
      'b',
      '.',
      '^',
      '$',
      '(a|b)',
      '[ab]',
      '[^a]',
      '(ab)*',
      'a+',
      'b?',
      'a{2}',
      '(b|ab){1,2}',
      'x*',
    ];
    const subjects = ['', 'a', 'b', 'ab', 'ba', 'aab', 'abab', 'bbb', 'xa', 'abx', 'aaaa', 'bab\nab'];
    let state = 1;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >> 8) % limit;
    };
    for (let i = 0; i < 3000; i++) {
      const pattern = Array.from({ length: 1 + below(4) }, () => pieces[below(pieces.length)]).join(
        below(4) === 0 ? '|' : '',
      );
      const theirs = new RegExp(pattern, 's');
      for (const subject of subjects) {
        assert.equal(
          match(pattern, subject) !== undefined,
          theirs.test(subject),
          `${pattern} on ${JSON.stringify(subject)}`,
        );
      }
    }
  });

  for (const pattern of [
    '(',
    'a{2,1}',
    '[b-a]',
    '[[:foo:]]',
    '\\',
    '*a',
    'a|*b',
    '^*',
    'a{',
    'a{1',
    '[a',
    '(a)\\1',
    'a{256}',
  ]) {
    it(`${pattern} is invalid`, () => {
      assert.throws(() => new Regex(pattern, DEFAULT_LIMITS), /regular expression/);
    });
  }

  for (const [pattern, subject] of [
    ['(a*)*$', `${'a'.repeat(5000)}b`],
    ['(a|aa)+$', `${'a'.repeat(5000)}b`],
    ['(.*)(.*)(.*)(.*)x', 'a'.repeat(5000)],
    [`${'a?'.repeat(200)}${'a'.repeat(200)}`, 'a'.repeat(200)],
    ['((a{0,50}){0,50})$', 'a'.repeat(2000)],
  ] as const) {
    it(`${pattern.slice(0, 30)} takes linear time, or ends with its budget`, () => {
      const start = Date.now();
      const budget = { work: 5_000_000 };
      new Regex(pattern, { ...DEFAULT_LIMITS, regexSize: 10_000 }).match(subject, budget);
      assert.ok(Date.now() - start < 2000);
    });
  }

  it('a repetition of repetitions is refused before it is written out', () => {
    assert.throws(() => new Regex('((((a{255}){255}){255}){255})', DEFAULT_LIMITS), /too large/);
    assert.throws(() => new Regex('('.repeat(10_000), DEFAULT_LIMITS), /nested/);
  });
});
