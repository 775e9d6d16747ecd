/**
 * KeyNote for the second time: slow, literal, straight from RFC 2704 4 and 5, and without any of the
 * real one's code. It evaluates trees that a test makes up, and prints them as assertions for the real one.
 */
export type Str =
  | { readonly is: 'literal'; readonly value: string }
  | { readonly is: 'attribute'; readonly name: string }
  | { readonly is: 'join'; readonly left: Str; readonly right: Str }
  | { readonly is: 'named'; readonly by: Str };

export type Num =
  | { readonly is: 'number'; readonly value: number }
  | { readonly is: 'of'; readonly text: Str }
  | { readonly is: 'minus'; readonly of: Num }
  | { readonly is: 'sum'; readonly sign: string; readonly left: Num; readonly right: Num };

export type Test =
  | { readonly is: 'truth'; readonly value: boolean }
  | { readonly is: 'not'; readonly of: Test }
  | { readonly is: 'and' | 'or'; readonly left: Test; readonly right: Test }
  | { readonly is: 'strings'; readonly sign: string; readonly left: Str; readonly right: Str }
  | { readonly is: 'integers' | 'floats'; readonly sign: string; readonly left: Num; readonly right: Num }
  | { readonly is: 'matches'; readonly left: Str; readonly pattern: string };

export interface Rule {
  readonly test: Test;
  readonly value?: Str;
  readonly rules?: readonly Rule[];
}

export type Who =
  | { readonly is: 'one'; readonly name: Str }
  | { readonly is: 'both' | 'either'; readonly left: Who; readonly right: Who }
  | { readonly is: 'some'; readonly least: number; readonly list: readonly Str[] };

export interface Statement {
  readonly constants: Readonly<Record<string, string>>;
  readonly by: Str;
  /** Undefined: no Licensees field. Null: an empty one. */
  readonly to: Who | null | undefined;
  readonly rules: readonly Rule[] | undefined;
}

export interface Question {
  readonly statements: readonly Statement[];
  readonly requesters: readonly string[];
  readonly values: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
}

class RuntimeError extends Error {}

/** 5.3: "The Policy Compliance Value of a query is the Principal Compliance Value of the principal named POLICY." */
export function policyComplianceValue(question: Question): string {
  const compliance = new Map<string, number>();
  // The least values that agree with 5.3.1 to 5.3.5: all start at _MIN_TRUST, and none ever falls.
  for (let changed = true; changed;) {
    changed = false;
    for (const principal of everybody(question)) {
      const before = compliance.get(principal) ?? 0;
      const now = principalComplianceValue(principal, question, compliance);
      if (now < before) throw new Error('a Principal Compliance Value has fallen');
      if (now > before) {
        compliance.set(principal, now);
        changed = true;
      }
    }
  }
  return question.values[compliance.get('POLICY') ?? 0] ?? '';
}

function everybody(question: Question): string[] {
  const names = question.statements.map((statement) => string(statement.by, question, statement));
  return ['POLICY', ...question.requesters, ...names];
}

/** 5.3.1 and 5.3.2. */
function principalComplianceValue(
  principal: string,
  question: Question,
  compliance: Map<string, number>,
): number {
  const direct = question.requesters.includes(principal) ? question.values.length - 1 : 0;
  const others = question.statements
    .filter((statement) => string(statement.by, question, statement) === principal)
    .map((statement) => assertionComplianceValue(statement, question, compliance));
  return Math.max(direct, ...others);
}

/** 5.3.3 */
function assertionComplianceValue(
  statement: Statement,
  question: Question,
  compliance: Map<string, number>,
): number {
  return Math.min(
    conditionsComplianceValue(statement, question),
    licenseeComplianceValue(statement, question, compliance),
  );
}

/** 5.3.4 */
function conditionsComplianceValue(statement: Statement, question: Question): number {
  if (statement.rules === undefined) return question.values.length - 1;
  return highest(statement.rules, question, statement);
}

function highest(rules: readonly Rule[], question: Question, statement: Statement): number {
  return Math.max(0, ...rules.map((rule) => clauseValue(rule, question, statement)));
}

function clauseValue(rule: Rule, question: Question, statement: Statement): number {
  let succeeds: boolean;
  try {
    succeeds = truth(rule.test, question, statement);
  } catch (error) {
    // "A runtime error occurring in the evaluation of a test [...] causes the test to be considered false."
    if (!(error instanceof RuntimeError)) throw error;
    succeeds = false;
  }
  if (!succeeds) return 0;
  if (rule.rules !== undefined) return highest(rule.rules, question, statement);
  if (rule.value === undefined) return question.values.length - 1;
  // "Values not named in the query compliance value set are considered equivalent to _MIN_TRUST."
  return Math.max(0, question.values.indexOf(string(rule.value, question, statement)));
}

/** 5.3.5 */
function licenseeComplianceValue(
  statement: Statement,
  question: Question,
  compliance: Map<string, number>,
): number {
  if (statement.to === undefined) return question.values.length - 1;
  if (statement.to === null) return 0;
  return who(statement.to, question, statement, compliance);
}

function who(
  licensees: Who,
  question: Question,
  statement: Statement,
  compliance: Map<string, number>,
): number {
  const valueOf = (name: Str): number => compliance.get(string(name, question, statement)) ?? 0;
  switch (licensees.is) {
    case 'one':
      return valueOf(licensees.name);
    case 'both':
      return Math.min(
        who(licensees.left, question, statement, compliance),
        who(licensees.right, question, statement, compliance),
      );
    case 'either':
      return Math.max(
        who(licensees.left, question, statement, compliance),
        who(licensees.right, question, statement, compliance),
      );
    case 'some': {
      // "the K-th highest order compliance value listed"
      const order = licensees.list.map(valueOf).sort((a, b) => b - a);
      return order[licensees.least - 1] ?? 0;
    }
  }
}

/** 4.4 and 4.6.2: Local-Constants override the action attribute set. */
function lookUp(name: string, question: Question, statement: Statement): string {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return '';
  if (Object.hasOwn(statement.constants, name)) return statement.constants[name] ?? '';
  switch (name) {
    case '_MIN_TRUST':
      return question.values[0] ?? '';
    case '_MAX_TRUST':
      return question.values[question.values.length - 1] ?? '';
    case '_VALUES':
      return question.values.join(',');
    case '_ACTION_AUTHORIZERS':
      return [...question.requesters].reverse().join(',');
    default:
      return Object.hasOwn(question.attributes, name) ? (question.attributes[name] ?? '') : '';
  }
}

function string(node: Str, question: Question, statement: Statement): string {
  switch (node.is) {
    case 'literal':
      return node.value;
    case 'attribute':
      return lookUp(node.name, question, statement);
    case 'join':
      return string(node.left, question, statement) + string(node.right, question, statement);
    case 'named':
      return lookUp(string(node.by, question, statement), question, statement);
  }
}

/** 4.6.5: what cannot be converted is zero, a fraction is rounded down. */
function integer(node: Num, question: Question, statement: Statement): bigint {
  switch (node.is) {
    case 'number':
      return BigInt(node.value);
    case 'of': {
      const text = string(node.text, question, statement);
      return /^-?[0-9]+(\.[0-9]*)?$/.test(text) ? BigInt(Math.floor(Number.parseFloat(text))) : 0n;
    }
    case 'minus':
      return BigInt.asIntN(32, -integer(node.of, question, statement));
    case 'sum': {
      const left = integer(node.left, question, statement);
      const right = integer(node.right, question, statement);
      if ((node.sign === '/' || node.sign === '%') && right === 0n)
        throw new RuntimeError('division by zero');
      return BigInt.asIntN(32, INTEGERS[node.sign]?.(left, right) ?? 0n);
    }
  }
}

const INTEGERS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': (a, b) => (b < 0n ? 0n : a ** b),
};

/** 4.4: ANSI C `float`. */
function float(node: Num, question: Question, statement: Statement): number {
  switch (node.is) {
    case 'number':
      return Math.fround(node.value);
    case 'of': {
      const text = string(node.text, question, statement);
      return /^-?[0-9]+(\.[0-9]*)?$/.test(text) ? Math.fround(Number.parseFloat(text)) : 0;
    }
    case 'minus':
      return -float(node.of, question, statement);
    case 'sum': {
      const left = float(node.left, question, statement);
      const right = float(node.right, question, statement);
      if (node.sign === '/' && right === 0) throw new RuntimeError('division by zero');
      return Math.fround(FLOATS[node.sign]?.(left, right) ?? Number.NaN);
    }
  }
}

const FLOATS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

function truth(test: Test, question: Question, statement: Statement): boolean {
  switch (test.is) {
    case 'truth':
      return test.value;
    case 'not':
      return !truth(test.of, question, statement);
    case 'and':
      return truth(test.left, question, statement) && truth(test.right, question, statement);
    case 'or':
      return truth(test.left, question, statement) || truth(test.right, question, statement);
    case 'strings':
      return holds(
        test.sign,
        string(test.left, question, statement),
        string(test.right, question, statement),
      );
    case 'integers':
      return holds(
        test.sign,
        integer(test.left, question, statement),
        integer(test.right, question, statement),
      );
    case 'floats':
      return holds(test.sign, float(test.left, question, statement), float(test.right, question, statement));
    case 'matches':
      return new RegExp(test.pattern, 's').test(string(test.left, question, statement));
  }
}

function holds<T extends string | number | bigint>(sign: string, a: T, b: T): boolean {
  const found: Readonly<Record<string, boolean>> = {
    '==': a === b,
    '!=': a !== b,
    '<': a < b,
    '>': a > b,
    '<=': a <= b,
    '>=': a >= b,
  };
  return found[sign] ?? false;
}

/** A statement as the text of an assertion; every operand in parentheses, so that precedence plays no part. */
export function assertionText(statement: Statement): string {
  const fields = [`Authorizer: ${stringText(statement.by)}`];
  if (statement.to === null) fields.push('Licensees:');
  else if (statement.to !== undefined) fields.push(`Licensees: ${whoText(statement.to)}`);
  if (statement.rules !== undefined)
    fields.push(`Conditions: ${statement.rules.map(ruleText).join('\n   ')}`);
  const constants = Object.entries(statement.constants);
  if (constants.length > 0) {
    fields.push(`Local-Constants:${constants.map(([name, value]) => ` ${name} = "${value}"`).join('\n ')}`);
  }
  return `${fields.join('\n')}\n`;
}

function stringText(node: Str): string {
  switch (node.is) {
    case 'literal':
      return `"${node.value}"`;
    case 'attribute':
      return node.name;
    case 'join':
      return `(${stringText(node.left)} . ${stringText(node.right)})`;
    case 'named':
      return `$${stringText(node.by)}`;
  }
}

function numberText(node: Num, kind: 'integers' | 'floats'): string {
  switch (node.is) {
    case 'number':
      return kind === 'floats' ? node.value.toFixed(2) : String(node.value);
    case 'of':
      return `${kind === 'floats' ? '&' : '@'}${stringText(node.text)}`;
    case 'minus':
      return `-${numberText(node.of, kind)}`;
    case 'sum':
      return `(${numberText(node.left, kind)} ${node.sign} ${numberText(node.right, kind)})`;
  }
}

function testText(test: Test): string {
  switch (test.is) {
    case 'truth':
      return String(test.value);
    case 'not':
      return `!(${testText(test.of)})`;
    case 'and':
      return `(${testText(test.left)} && ${testText(test.right)})`;
    case 'or':
      return `(${testText(test.left)} || ${testText(test.right)})`;
    case 'strings':
      return `${stringText(test.left)} ${test.sign} ${stringText(test.right)}`;
    case 'integers':
    case 'floats':
      return `${numberText(test.left, test.is)} ${test.sign} ${numberText(test.right, test.is)}`;
    case 'matches':
      return `${stringText(test.left)} ~= "${test.pattern}"`;
  }
}

function ruleText(rule: Rule): string {
  if (rule.rules !== undefined) return `${testText(rule.test)} -> { ${rule.rules.map(ruleText).join(' ')} };`;
  return rule.value === undefined
    ? `${testText(rule.test)};`
    : `${testText(rule.test)} -> ${stringText(rule.value)};`;
}

function whoText(licensees: Who): string {
  switch (licensees.is) {
    case 'one':
      return stringText(licensees.name);
    case 'both':
      return `(${whoText(licensees.left)} && ${whoText(licensees.right)})`;
    case 'either':
      return `(${whoText(licensees.left)} || ${whoText(licensees.right)})`;
    case 'some':
      return `${licensees.least}-of(${licensees.list.map(stringText).join(', ')})`;
  }
}
