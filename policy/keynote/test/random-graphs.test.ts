import assert from 'node:assert/strict';
import { parseAssertion, query } from '../index.js';
import type { Answer } from '../index.js';
import { assertionText, policyComplianceValue } from './literal.js';
import type { Num, Question, Rule, Statement, Str, Test, Who } from './literal.js';
import { THOROUGH } from '../../../test/thorough.js';

const GRAPHS = THOROUGH ? 100_000 : 25_000;

/** Mulberry32: small, seeded, good enough to make things up. */
class Dice {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  once(in_: number): boolean {
    return this.below(in_) === 0;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  list<T>(length: number, make: () => T): T[] {
    return Array.from({ length }, make);
  }
}

const VALUES = [
  ['false', 'true'],
  ['no', 'log', 'yes'],
  ['v0', 'v1', 'v2', 'v3', 'v4'],
];
const PEOPLE = ['POLICY', 'a', 'b', 'c', 'd', 'e', 'f'];
const NAMES = [
  'x',
  'y',
  'z',
  'who',
  'level',
  '_MIN_TRUST',
  '_MAX_TRUST',
  '_VALUES',
  '_ACTION_AUTHORIZERS',
  'unset',
];
const TEXTS = ['', '0', '7', '12', '-3', '2.5', 'abc', 'x', 'y', 'v1', 'yes', 'a', 'b', 'a,b'];
const RELATIONS = ['==', '!=', '<', '>', '<=', '>='];
const PATTERNS = ['^a', 'b$', '^[0-9]+$', '(a|b)', 'v.', '^$', 'x*', '^(a,)?b', ','];

function someString(dice: Dice, depth = 2): Str {
  switch (depth === 0 ? dice.below(2) : dice.below(5)) {
    case 2:
      return { is: 'join', left: someString(dice, depth - 1), right: someString(dice, depth - 1) };
    case 3:
      return { is: 'named', by: someString(dice, depth - 1) };
    case 0:
      return { is: 'literal', value: dice.of(TEXTS) };
    default:
      return { is: 'attribute', name: dice.of(NAMES) };
  }
}

/** `safe`: without a division, which may raise an error. */
function someNumber(dice: Dice, kind: 'integers' | 'floats', safe: boolean, depth = 2): Num {
  switch (depth === 0 ? dice.below(2) : dice.below(4)) {
    case 0:
      return { is: 'number', value: kind === 'floats' ? dice.below(40) / 4 : dice.below(40) };
    case 1:
      return { is: 'of', text: someString(dice, 1) };
    case 2:
      return { is: 'minus', of: someNumber(dice, kind, safe, depth - 1) };
    default: {
      const signs =
        kind === 'floats'
          ? ['+', '-', '*', ...(safe ? [] : ['/'])]
          : ['+', '-', '*', '^', ...(safe ? [] : ['/', '%'])];
      const left = someNumber(dice, kind, safe, depth - 1);
      const sign = dice.of(signs);
      const right: Num =
        sign === '^' ? { is: 'number', value: dice.below(40) } : someNumber(dice, kind, safe, depth - 1);
      return { is: 'sum', sign, left, right };
    }
  }
}

/**
 * What may raise an error stands only where it is evaluated for certain: RFC 2704 does not say whether
 * `true || 1/0 == 1` raises one.
 */
function someTest(dice: Dice, safe: boolean, depth = 2): Test {
  switch (depth === 0 ? dice.below(5) : dice.below(8)) {
    case 0:
      return { is: 'truth', value: dice.once(2) };
    case 1:
      return { is: 'strings', sign: dice.of(RELATIONS), left: someString(dice), right: someString(dice) };
    case 2:
    case 3: {
      const is = dice.of(['integers', 'floats'] as const);
      const signs = is === 'floats' ? RELATIONS.slice(2) : RELATIONS;
      return {
        is,
        sign: dice.of(signs),
        left: someNumber(dice, is, safe),
        right: someNumber(dice, is, safe),
      };
    }
    case 4:
      return { is: 'matches', left: someString(dice), pattern: dice.of(PATTERNS) };
    case 5:
      return { is: 'not', of: someTest(dice, safe, depth - 1) };
    default:
      return {
        is: dice.of(['and', 'or'] as const),
        left: someTest(dice, safe, depth - 1),
        right: someTest(dice, true, depth - 1),
      };
  }
}

function someRule(dice: Dice, values: readonly string[], depth = 2): Rule {
  const test: Test = dice.once(2) ? { is: 'truth', value: true } : someTest(dice, false);
  if (depth > 0 && dice.once(4)) {
    return { test, rules: dice.list(dice.below(3), () => someRule(dice, values, depth - 1)) };
  }
  if (dice.once(3)) return { test };
  return { test, value: dice.once(4) ? someString(dice) : { is: 'literal', value: dice.of(values) } };
}

function somebody(dice: Dice): Str {
  if (dice.once(12)) return { is: 'attribute', name: dice.of(['who', 'K', '_ACTION_AUTHORIZERS']) };
  if (dice.once(20))
    return {
      is: 'join',
      left: { is: 'literal', value: '' },
      right: { is: 'literal', value: dice.of(PEOPLE) },
    };
  return { is: 'literal', value: dice.of(PEOPLE) };
}

function licensees(dice: Dice, depth = 2): Who {
  switch (depth === 0 ? 0 : dice.below(5)) {
    case 1:
    case 2:
      return {
        is: dice.of(['both', 'either'] as const),
        left: licensees(dice, depth - 1),
        right: licensees(dice, depth - 1),
      };
    case 3: {
      const list = dice.list(1 + dice.below(4), () => somebody(dice));
      return { is: 'some', least: 1 + dice.below(list.length), list };
    }
    default:
      return { is: 'one', name: somebody(dice) };
  }
}

function someQuestion(dice: Dice): Question {
  const values = dice.of(VALUES);
  const statement = (by: Str): Statement => ({
    constants: dice.once(4) ? { K: dice.of(PEOPLE), x: dice.of(TEXTS) } : {},
    by,
    to: dice.once(12) ? (dice.once(2) ? null : undefined) : licensees(dice),
    rules: dice.once(3)
      ? undefined
      : dice.list(dice.below(3) + (dice.once(8) ? 0 : 1), () => someRule(dice, values)),
  });
  const policy: Str = { is: 'literal', value: 'POLICY' };
  return {
    values,
    statements: [statement(policy), ...dice.list(dice.below(8), () => statement(somebody(dice)))],
    requesters: dice.list(1 + dice.below(2), () => dice.of(PEOPLE.slice(1))),
    attributes: {
      x: dice.of(TEXTS),
      y: dice.of(TEXTS),
      z: dice.of(TEXTS),
      who: dice.of(PEOPLE),
      level: dice.of(values),
    },
  };
}

function ask(question: Question): Answer {
  const { statements, requesters, values, attributes } = question;
  const policy = statements.map((statement) => {
    const assertion = parseAssertion(assertionText(statement));
    const [fault] = assertion.faults;
    if (fault !== undefined) throw fault;
    return assertion;
  });
  return query({ policy, authorizers: requesters, values, attributes });
}

describe('KeyNote: random assertion graphs', () => {
  it(`${GRAPHS} graphs have the answer that a literal reading of RFC 2704 5 gives`, function () {
    this.timeout(120_000);
    const answers = new Map<string, number>();
    for (let seed = 0; seed < GRAPHS; seed++) {
      const question = someQuestion(new Dice(seed));
      const { value } = ask(question);
      const expected = policyComplianceValue(question);
      if (value !== expected) {
        assert.equal(value, expected, `seed ${seed}:\n${question.statements.map(assertionText).join('\n')}`);
      }
      const kind =
        value === question.values[0] ? 'least' : value === question.values.at(-1) ? 'most' : 'between';
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
    }
    // The graphs are of use only if they are not all alike.
    for (const kind of ['least', 'most', 'between']) assert.ok((answers.get(kind) ?? 0) > GRAPHS / 50, kind);
  });

  it('an assertion more never lowers the answer (RFC 2704 2), and its order does not matter', () => {
    for (let seed = 0; seed < 5000; seed++) {
      const dice = new Dice(GRAPHS + seed);
      const question = someQuestion(dice);
      const { index } = ask(question);
      const left = dice.below(question.statements.length);
      const fewer = { ...question, statements: question.statements.filter((_, i) => i !== left) };
      if (fewer.statements.length > 0) assert.ok(ask(fewer).index <= index, `seed ${seed}`);
      assert.equal(
        ask({ ...question, statements: question.statements.toReversed() }).index,
        index,
        `seed ${seed}`,
      );
    }
  });

  it('each answer is explained: what it rests on carries it, and what is missing has a reason', () => {
    for (let seed = 0; seed < 5000; seed++) {
      const question = someQuestion(new Dice(2 * GRAPHS + seed));
      const { index, explanation } = ask(question);
      assert.equal(explanation.index, index);
      assert.equal(explanation.failures.length === 0, index === question.values.length - 1, `seed ${seed}`);
      // The chain alone gives the same answer.
      const chain = explanation.chain.map(({ position }) => question.statements[position]!);
      if (index > 0 && chain.length > 0)
        assert.equal(ask({ ...question, statements: chain }).index, index, `seed ${seed}`);
    }
  });
});
