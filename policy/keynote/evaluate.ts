import type { Clause, FloatNode, IntegerNode, Program, Relation, StringNode, TestNode } from './ast.js';
import { KeyNoteRuntimeError } from './error.js';
import type { Limits } from './limits.js';
import { compileRegex } from './regex/index.js';
import type { Captures } from './regex/index.js';

/** What the expressions of one query are evaluated in. */
export interface Environment {
  /** The action attribute set and the special attributes of RFC 2704 5.1. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Index of a compliance value; the first where a value is listed twice. */
  readonly order: ReadonlyMap<string, number>;
  /** Index of _MAX_TRUST. */
  readonly maximum: number;
  /**
   * What an integer beyond 32 bits is: `wrap` gives what the recorded C implementation gives (literals
   * and arithmetic modulo 2^32, an attribute that is too large -2^31), `refuse` makes it a runtime
   * error, so that a test which meets one is false.
   */
  readonly integers: 'wrap' | 'refuse';
  readonly limits: Limits;
  /** Steps that this query may still do. */
  work: number;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** One assertion's conditions in one environment (RFC 2704 5.3.4). */
export class Evaluation {
  #captures: Captures | undefined;
  /** Operands whose value cannot matter any more are skipped: they raise nothing. */
  #skipping = false;

  constructor(
    readonly environment: Environment,
    /** They override the attributes (RFC 2704 4.6.2); where they are named literally the parser put them in. */
    private readonly constants: ReadonlyMap<string, string>,
    /** Attributes that this assertion alone sees. */
    private readonly own: ReadonlyMap<string, string> = NONE,
  ) {}

  /** The Conditions Compliance Value: the highest of all successful clauses, else _MIN_TRUST. */
  program(program: Program): number {
    const { maximum } = this.environment;
    let best = 0;
    for (const clause of program) {
      const value = this.clause(clause);
      if (value > best) best = value;
      if (best === maximum) break;
    }
    return best;
  }

  /** What a clause yields. What a regular expression matched is seen inside this clause only. */
  clause(clause: Clause): number {
    const outer = this.#captures;
    try {
      if (!this.holds(clause.test)) return 0;
      if (clause.block !== undefined) return this.program(clause.block);
      if (clause.value === undefined) return this.environment.maximum;
      return this.value(clause.value);
    } finally {
      this.#captures = outer;
    }
  }

  /** A value that the query does not name is _MIN_TRUST (RFC 2704 5.3.4). */
  value(node: StringNode): number {
    try {
      return this.environment.order.get(this.string(node)) ?? 0;
    } catch (error) {
      if (error instanceof KeyNoteRuntimeError) return 0;
      throw error;
    }
  }

  /** A runtime error anywhere in a test makes the whole test false (RFC 2704 5.3.4). */
  holds(node: TestNode): boolean {
    this.#skipping = false;
    try {
      return this.test(node);
    } catch (error) {
      if (error instanceof KeyNoteRuntimeError) return false;
      throw error;
    }
  }

  test(node: TestNode): boolean {
    this.#spend(1, node.start);
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'not':
        return !this.test(node.of);
      case 'and':
      case 'or':
        return this.#connective(node.operands, node.kind === 'or');
      case 'strings':
        if (this.#skipping) return false;
        return this.#relatedStrings(
          node.relation,
          this.string(node.left),
          this.string(node.right),
          node.start,
        );
      case 'integers':
        if (this.#skipping) return false;
        return related(node.relation, this.integer(node.left), this.integer(node.right));
      case 'floats':
        if (this.#skipping) return false;
        return related(node.relation, this.float(node.left), this.float(node.right));
      case 'match':
        if (this.#skipping) return false;
        return this.#match(this.string(node.subject), this.string(node.pattern), node.start);
    }
  }

  /**
   * RFC 2704 does not say whether `true || 1/0 == 1` raises an error. As in the recorded
   * implementation, an operand that cannot change the result is skipped and raises nothing, and the
   * end of a connective inside it ends the skipping: what follows there is evaluated, and its errors
   * count. So an error is raised now and then that could have been spared, but no truth is changed.
   */
  #connective(operands: readonly TestNode[], decisive: boolean): boolean {
    let result = !decisive;
    let first = true;
    for (const operand of operands) {
      if (!first && result === decisive) this.#skipping = true;
      const value = this.test(operand);
      if (!first) this.#skipping = false;
      result = first ? value : decisive ? result || value : result && value;
      first = false;
    }
    return result;
  }

  #match(subject: string, pattern: string, at: number): boolean {
    this.#captures = undefined;
    const regex = compileRegex(pattern, this.environment.limits, this.environment);
    const captures = regex.match(subject, this.environment);
    if (captures === 'too much work') throw new KeyNoteRuntimeError('the query takes too much work', at);
    this.#captures = captures;
    return captures !== undefined;
  }

  string(node: StringNode): string {
    switch (node.kind) {
      case 'literal':
        return node.value;
      case 'attribute':
        return this.#attribute(node.name);
      case 'dereference':
        return this.#dereference(this.string(node.of));
      case 'concatenation':
        return this.#concatenation(node.parts, node.start);
    }
  }

  #dereference(name: string): string {
    return this.constants.get(name) ?? this.#attribute(name);
  }

  /** Uninitialized attributes, and names that are none, are the empty string (RFC 2704 4.4). */
  #attribute(name: string): string {
    if (name.charCodeAt(0) === 0x5f) {
      const group = MATCH_ATTRIBUTE.test(name) ? this.#captures?.group(Number(name.slice(1))) : undefined;
      if (group !== undefined) return group;
    }
    return this.own.get(name) ?? this.environment.attributes.get(name) ?? '';
  }

  #concatenation(parts: readonly StringNode[], at: number): string {
    const { environment } = this;
    let result = '';
    for (const part of parts) {
      result += this.string(part);
      if (result.length > environment.limits.stringLength) {
        throw new KeyNoteRuntimeError(`a string is longer than ${environment.limits.stringLength}`, at);
      }
    }
    this.#spend(result.length >> 3, at);
    return result;
  }

  #relatedStrings(relation: Relation, a: string, b: string, at: number): boolean {
    this.#spend(Math.min(a.length, b.length) >> 3, at);
    return related(relation, a, b);
  }

  #spend(steps: number, at: number): void {
    const { environment } = this;
    environment.work -= steps;
    if (environment.work < 0) throw new KeyNoteRuntimeError('the query takes too much work', at);
  }

  integer(node: IntegerNode): number {
    switch (node.kind) {
      case 'integerLiteral':
        if (node.isTooLarge === true && this.environment.integers === 'refuse')
          throw new KeyNoteRuntimeError('an integer beyond 32 bits', node.start);
        return node.value;
      case 'toInteger':
        return this.#converted(this.string(node.of), node.start);
      case 'integerMinus':
        return this.#inRange(-this.integer(node.of), node.start);
      case 'integerOperation':
        return this.#integerOperation(node);
    }
  }

  #integerOperation(node: IntegerNode & { kind: 'integerOperation' }): number {
    const a = this.integer(node.left);
    const b = this.integer(node.right);
    switch (node.operator) {
      case '+':
        return this.#inRange(a + b, node.start);
      case '-':
        return this.#inRange(a - b, node.start);
      case '*':
        return this.#product(a, b, node.start);
      case '^':
        return this.#power(a, b, node.start);
      case '/':
      case '%':
        if (b === 0) throw new KeyNoteRuntimeError('division by zero', node.start);
        // The one quotient that 32 bits do not hold.
        if (a === -0x80000000 && b === -1) throw new KeyNoteRuntimeError('integer overflow', node.start);
        return node.operator === '/' ? Math.trunc(a / b) | 0 : (a % b) | 0;
    }
  }

  #converted(text: string, at: number): number {
    this.#spend(text.length >> 3, at);
    const value = toInteger(text);
    if (value === OUT_OF_RANGE && this.environment.integers === 'refuse') {
      throw new KeyNoteRuntimeError(`${text.slice(0, 40)} is beyond 32 bits`, at);
    }
    return value | 0;
  }

  #inRange(value: number, at: number): number {
    const wrapped = value | 0;
    if (wrapped !== value && this.environment.integers === 'refuse') {
      throw new KeyNoteRuntimeError('integer overflow', at);
    }
    return wrapped;
  }

  #product(a: number, b: number, at: number): number {
    const wrapped = Math.imul(a, b);
    if (this.environment.integers === 'refuse' && wrapped !== a * b && a * b !== 0) {
      throw new KeyNoteRuntimeError('integer overflow', at);
    }
    return wrapped;
  }

  /** By squaring; a negative exponent is 1 / x^y, which integer arithmetic makes 0. */
  #power(base: number, exponent: number, at: number): number {
    if (exponent < 0) return 0;
    let result = 1;
    let square = base;
    for (let rest = exponent; rest > 0; rest >>>= 1) {
      if ((rest & 1) === 1) result = this.#product(result, square, at);
      if (rest > 1) square = this.#product(square, square, at);
    }
    return result;
  }

  #toFloat(text: string, at: number): number {
    this.#spend(text.length >> 3, at);
    return toFloat(text);
  }

  /** RFC 2704 4.4: ANSI C `float`, so each step is rounded to one. */
  float(node: FloatNode): number {
    switch (node.kind) {
      case 'floatLiteral':
        return node.value;
      case 'toFloat':
        return this.#toFloat(this.string(node.of), node.start);
      case 'floatMinus':
        return -this.float(node.of);
      case 'floatOperation':
        return floatOperation(node.operator, this.float(node.left), this.float(node.right), node.start);
    }
  }
}

function floatOperation(operator: '+' | '-' | '*' | '/' | '^', a: number, b: number, at: number): number {
  if (operator === '/' && b === 0) throw new KeyNoteRuntimeError('division by zero', at);
  const result = Math.fround(FLOAT_OPERATIONS[operator](a, b));
  if (Number.isNaN(result)) throw new KeyNoteRuntimeError('this is no number', at);
  return result;
}

const FLOAT_OPERATIONS = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '^': (a: number, b: number) => a ** b,
};

/** Strings compare octet by octet. */
export function related<T extends string | number>(relation: Relation, a: T, b: T): boolean {
  switch (relation) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    case '>=':
      return a >= b;
  }
}

const MATCH_ATTRIBUTE = /^_(?:0|[1-9][0-9]{0,4})$/;

/** Digits with at most one point, as the recorded implementation reads them, and a minus sign (RFC 2704 4.6.5). */
const NUMERIC = /^-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/;

/** What cannot be converted is zero; a fraction is rounded down (RFC 2704 4.6.5). */
function toInteger(text: string): number {
  if (!NUMERIC.test(text)) return 0;
  const value = Math.floor(Number(text));
  // Where a double does not fit, the recorded implementation gives INT_MIN: NaN is never in range.
  return value >= -0x80000000 && value <= 0x7fffffff ? value : OUT_OF_RANGE;
}

/** Congruent to -2^31 modulo 2^32, but outside the range: wraps to what C gives, and can be refused. */
const OUT_OF_RANGE = 0x80000000;

function toFloat(text: string): number {
  return NUMERIC.test(text) ? Math.fround(Number(text)) : 0;
}
