import type {
  Clause,
  Expression,
  FloatOperator,
  IntegerOperator,
  Licensees,
  Program,
  Relation,
  StringNode,
  TestNode,
} from './ast.js';
import type { KeyNoteSyntaxError } from './error.js';
import type { Lexer, TokenKind } from './lexer.js';
import type { Limits } from './limits.js';

/** RFC 2704 4.6.5, lowest first; operators of one class are evaluated left to right. */
const PRECEDENCE: Partial<Record<TokenKind, number>> = {
  '+': 1,
  '-': 1,
  '.': 1,
  '*': 2,
  '/': 2,
  '%': 2,
  '^': 3,
};
const RELATIONS: ReadonlySet<string> = new Set(['==', '!=', '<', '>', '<=', '>=', '~=']);

const TYPE_NAMES: Readonly<Record<Expression['type'], string>> = {
  string: 'a string',
  integer: 'an integer',
  float: 'a float',
  test: 'a test',
};

/** What the parsers of one assertion share: its constants, and how much of it may still come. */
export interface ParseState {
  readonly constants: ReadonlyMap<string, string>;
  readonly limits: Limits;
  terms: number;
}

/**
 * Recursive descent over the grammar of RFC 2704 4. A constant of Local-Constants becomes its value
 * here, once. The expressions are typed as they are parsed: the grammar keeps strings, integers,
 * floats and tests apart, and so a wrong operand is a syntax error.
 */
export class Parser {
  readonly #lexer: Lexer;
  readonly #state: ParseState;
  #depth = 0;

  constructor(lexer: Lexer, state: ParseState) {
    this.#lexer = lexer;
    this.#state = state;
  }

  get atEnd(): boolean {
    return this.#lexer.kind === 'end';
  }

  /** `<StrEx>:: <StrEx> "." <StrEx> | <StringLiteral> | "(" <StrEx> ")" | <DerefAttribute> | "$" <StrEx>` */
  string(what: string): StringNode {
    const lexer = this.#lexer;
    const first = this.#stringOperand(what);
    const parts = [first];
    while (lexer.kind === '.') {
      lexer.next();
      parts.push(this.#stringOperand('a string'));
    }
    if (parts.length === 1) return first;
    return { type: 'string', kind: 'concatenation', parts, start: first.start, end: lexer.previousEnd };
  }

  #stringOperand(what: string): StringNode {
    const lexer = this.#lexer;
    const { start } = lexer;
    this.#countTerm();
    switch (lexer.kind) {
      case 'string':
        return this.#literal();
      case 'name':
        return this.#attribute();
      case '$': {
        this.#enter();
        lexer.next();
        const of = this.#stringOperand('the name of an attribute');
        this.#depth--;
        return { type: 'string', kind: 'dereference', of, start, end: of.end };
      }
      case '(': {
        this.#enter();
        lexer.next();
        const inner = this.string('a string');
        this.#expect(')');
        this.#depth--;
        return inner;
      }
      default:
        throw this.#unexpected(what);
    }
  }

  #literal(): StringNode {
    const lexer = this.#lexer;
    const { start, end, value } = lexer;
    lexer.next();
    return { type: 'string', kind: 'literal', value, start, end };
  }

  /** `<DerefAttribute>` */
  #attribute(): StringNode {
    const lexer = this.#lexer;
    const { start, end, value: name } = lexer;
    lexer.next();
    return this.#named(name, start, end);
  }

  #named(name: string, start: number, end: number): StringNode {
    const value = this.#state.constants.get(name);
    if (value !== undefined) return { type: 'string', kind: 'literal', value, name, start, end };
    return { type: 'string', kind: 'attribute', name, start, end };
  }

  /** `<ConditionsProgram>:: "" | <Clause> ";" <ConditionsProgram>`, the whole field. */
  wholeProgram(): Program {
    const program = this.#program();
    this.expectEnd();
    return program;
  }

  #program(): Program {
    const lexer = this.#lexer;
    const clauses: Clause[] = [];
    while (lexer.kind !== 'end' && lexer.kind !== '}') {
      clauses.push(this.#clause());
      if (lexer.kind !== ';') throw this.#unexpected('`;` after the clause');
      lexer.next();
    }
    return clauses;
  }

  /** `<Clause>:: <Test> "->" "{" <ConditionsProgram> "}" | <Test> "->" <Value> | <Test>` */
  #clause(): Clause {
    const lexer = this.#lexer;
    const { start } = lexer;
    this.#countTerm();
    const test = this.#test();
    if (lexer.kind !== '->') return { test, start, end: lexer.previousEnd };
    lexer.next();
    if ((lexer.kind as TokenKind) !== '{') {
      const value = this.string('a compliance value or `{`');
      return { test, value, start, end: lexer.previousEnd };
    }
    this.#enter();
    lexer.next();
    const block = this.#program();
    this.#expect('}');
    this.#depth--;
    return { test, block, start, end: lexer.previousEnd };
  }

  /** `<RelExpr>` */
  #test(): TestNode {
    const at = this.#lexer.start;
    const node = this.#or();
    if (node.type === 'test') return node;
    throw this.#lexer.fail(`expected a test, found ${TYPE_NAMES[node.type]}`, at);
  }

  #or(): Expression {
    return this.#chain('||', 'or', () => this.#chain('&&', 'and', () => this.#not()));
  }

  #chain(sign: '&&' | '||', kind: 'and' | 'or', operand: () => Expression): Expression {
    const lexer = this.#lexer;
    const first = operand();
    if (lexer.kind !== sign) return first;
    const operands = [this.#asTest(first, sign)];
    while (lexer.kind === sign) {
      lexer.next();
      operands.push(this.#asTest(operand(), sign));
    }
    return { type: 'test', kind, operands, start: first.start, end: lexer.previousEnd };
  }

  #not(): Expression {
    const lexer = this.#lexer;
    if (lexer.kind !== '!') return this.#relation();
    const { start } = lexer;
    this.#enter();
    this.#countTerm();
    lexer.next();
    const of = this.#asTest(this.#not(), '!');
    this.#depth--;
    return { type: 'test', kind: 'not', of, start, end: of.end };
  }

  #relation(): Expression {
    const lexer = this.#lexer;
    const left = this.#arithmetic(1);
    if (!RELATIONS.has(lexer.kind)) return left;
    const sign = lexer.kind as Relation | '~=';
    const at = lexer.start;
    this.#countTerm();
    lexer.next();
    return this.#compare(sign, at, left, this.#arithmetic(1));
  }

  #compare(sign: Relation | '~=', at: number, a: Expression, b: Expression): TestNode {
    const left = asAttribute(a, (name) => this.#named(name, a.start, a.end));
    const right = asAttribute(b, (name) => this.#named(name, b.start, b.end));
    const span = { start: left.start, end: this.#lexer.previousEnd };
    if (left.type === 'string' && right.type === 'string') {
      if (sign === '~=') return { type: 'test', kind: 'match', subject: left, pattern: right, ...span };
      return { type: 'test', kind: 'strings', relation: sign, left, right, ...span };
    }
    if (sign !== '~=') {
      if (left.type === 'integer' && right.type === 'integer') {
        return { type: 'test', kind: 'integers', relation: sign, left, right, ...span };
      }
      if (left.type === 'float' && right.type === 'float') {
        if (sign !== '==' && sign !== '!=') {
          return { type: 'test', kind: 'floats', relation: sign, left, right, ...span };
        }
        throw this.#lexer.fail(`floats cannot be compared with \`${sign}\``, at);
      }
    }
    throw this.#lexer.fail(
      `\`${sign}\` cannot compare ${TYPE_NAMES[left.type]} with ${TYPE_NAMES[right.type]}`,
      at,
    );
  }

  /** `<IntEx>`, `<FloatEx>`, `<StrEx>`, or one of `<RelExpr>` in parentheses. */
  #arithmetic(lowest: number): Expression {
    const lexer = this.#lexer;
    let left = this.#prefix();
    for (;;) {
      const precedence = PRECEDENCE[lexer.kind];
      if (precedence === undefined || precedence < lowest) return left;
      if (this.#heightOf(left) >= this.#state.limits.chain)
        throw lexer.fail(`more than ${this.#state.limits.chain} operators in a row`);
      const sign = lexer.kind as IntegerOperator | '.';
      const at = lexer.start;
      lexer.next();
      const right = this.#arithmetic(precedence + 1);
      const height = 1 + Math.max(this.#heightOf(left), this.#heightOf(right));
      left = this.#operate(sign, at, left, right);
      if (left.type !== 'string') this.#heights.set(left, height);
    }
  }

  /** Operators between a number and its furthest operand: so deep is the recursion that works it out. */
  readonly #heights = new WeakMap<Expression, number>();

  #heightOf(number: Expression): number {
    return this.#heights.get(number) ?? 0;
  }

  #operate(sign: IntegerOperator | '.', at: number, a: Expression, b: Expression): Expression {
    const span = { start: a.start, end: this.#lexer.previousEnd };
    this.#countTerm();
    if (sign === '.') {
      const left = asAttribute(a, (name) => this.#named(name, a.start, a.end));
      const right = asAttribute(b, (name) => this.#named(name, b.start, b.end));
      if (left.type === 'string' && right.type === 'string') {
        const before = left.kind === 'concatenation' ? left.parts : [left];
        // The parts are this parser's own array: growing it keeps a long chain linear.
        const parts = before as StringNode[];
        parts.push(right);
        return { type: 'string', kind: 'concatenation', parts, ...span };
      }
    } else if (a.type === 'integer' && b.type === 'integer') {
      return { type: 'integer', kind: 'integerOperation', operator: sign, left: a, right: b, ...span };
    } else if (a.type === 'float' && b.type === 'float' && sign !== '%') {
      const operator: FloatOperator = sign;
      return { type: 'float', kind: 'floatOperation', operator, left: a, right: b, ...span };
    }
    throw this.#lexer.fail(`\`${sign}\` cannot take ${TYPE_NAMES[a.type]} and ${TYPE_NAMES[b.type]}`, at);
  }

  #prefix(): Expression {
    const lexer = this.#lexer;
    const { start } = lexer;
    this.#countTerm();
    switch (lexer.kind) {
      case '-': {
        this.#enter();
        lexer.next();
        const of = this.#prefix();
        this.#depth--;
        const minus = negative(of, start);
        if (minus === undefined) throw lexer.fail(`\`-\` cannot take ${TYPE_NAMES[of.type]}`, start);
        this.#heights.set(minus, 1 + this.#heightOf(of));
        return minus;
      }
      case '@': {
        lexer.next();
        const of = this.#stringOperand('a string');
        return { type: 'integer', kind: 'toInteger', of, start, end: of.end };
      }
      case '&': {
        lexer.next();
        const of = this.#stringOperand('a string');
        return { type: 'float', kind: 'toFloat', of, start, end: of.end };
      }
      case 'integer': {
        const value = wrappedInteger(lexer.value);
        const isTooLarge = Number(lexer.value) > 0x7fffffff;
        lexer.next();
        const node = {
          type: 'integer',
          kind: 'integerLiteral',
          value,
          start,
          end: lexer.previousEnd,
        } as const;
        return isTooLarge ? { ...node, isTooLarge } : node;
      }
      case 'float': {
        const value = Math.fround(Number(lexer.value));
        lexer.next();
        return { type: 'float', kind: 'floatLiteral', value, start, end: lexer.previousEnd };
      }
      case '(': {
        this.#enter();
        lexer.next();
        const inner = this.#or();
        this.#expect(')');
        this.#depth--;
        return inner;
      }
      case 'name': {
        const { value: name, end } = lexer;
        lexer.next();
        // The keywords are not reserved (RFC 2704 4.6.5): beside an operator they are attributes.
        const keyword = TRUTH[name.toLowerCase()];
        if (keyword === undefined) return this.#named(name, start, end);
        return { type: 'test', kind: 'constant', value: keyword, name, start, end };
      }
      case 'string':
        return this.#literal();
      case '$':
        return this.#stringOperand('a string');
      default:
        throw this.#unexpected('an expression');
    }
  }

  #asTest(node: Expression, sign: string): TestNode {
    if (node.type === 'test') return node;
    throw this.#lexer.fail(`\`${sign}\` cannot take ${TYPE_NAMES[node.type]}`, node.start);
  }

  /** `<LicenseesExpr>:: "" | <PrincExpr>`, the whole field. */
  wholeLicensees(): Licensees {
    if (this.atEnd) return { kind: 'nobody' };
    const licensees = this.#anyOf();
    this.expectEnd();
    return licensees;
  }

  #anyOf(): Licensees {
    return this.#licenseeChain('||', 'any', () => this.#licenseeChain('&&', 'all', () => this.#licensee()));
  }

  #licenseeChain(sign: '&&' | '||', kind: 'all' | 'any', operand: () => Licensees): Licensees {
    const lexer = this.#lexer;
    const first = operand();
    if (lexer.kind !== sign) return first;
    const operands = [first];
    while (lexer.kind === sign) {
      lexer.next();
      operands.push(operand());
    }
    return { kind, operands };
  }

  #licensee(): Licensees {
    const lexer = this.#lexer;
    if (lexer.kind === 'threshold') return this.#threshold();
    if (lexer.kind !== '(') return { kind: 'principal', of: this.string('a principal') };
    this.#enter();
    lexer.next();
    const inner = this.#anyOf();
    this.#expect(')');
    this.#depth--;
    // `("a") . "b"` is a string expression, and what was in the parentheses its first part.
    if ((lexer.kind as TokenKind) !== '.' || inner.kind !== 'principal') return inner;
    lexer.next();
    const rest = this.string('a string');
    const parts = [inner.of, rest];
    const span = { start: inner.of.start, end: rest.end };
    return { kind: 'principal', of: { type: 'string', kind: 'concatenation', parts, ...span } };
  }

  /** `<K>"-of(" <PrincList> ")"`; with fewer than K principals the assertion is void (RFC 2704 4.6.4). */
  #threshold(): Licensees {
    const lexer = this.#lexer;
    const { start, value } = lexer;
    if (value.startsWith('0')) throw lexer.fail('a threshold starts with a digit from 1 to 9');
    lexer.next();
    this.#expect('(');
    const operands: Licensees[] = [{ kind: 'principal', of: this.string('a principal') }];
    while (lexer.kind === ',') {
      lexer.next();
      operands.push({ kind: 'principal', of: this.string('a principal') });
    }
    this.#expect(')');
    const count = Number(value);
    if (count <= operands.length) return { kind: 'threshold', count, operands };
    throw lexer.fail(`the list holds ${operands.length} of the ${value} principals it asks for`, start);
  }

  /** `<Assignments>:: "" | <AttributeID> "=" <StringLiteral> <Assignments>`, the whole field. */
  assignments(constants: Map<string, string>): void {
    const lexer = this.#lexer;
    while (lexer.kind === 'name') {
      const { value: name, start } = lexer;
      if (name.startsWith('_')) throw lexer.fail(`\`${name}\` is reserved: it starts with an underscore`);
      if (constants.has(name)) throw lexer.fail(`\`${name}\` is initialized twice`, start);
      this.#countTerm();
      lexer.next();
      if ((lexer.kind as TokenKind) !== '=') throw this.#unexpected('`=`');
      lexer.next();
      if ((lexer.kind as TokenKind) !== 'string') throw this.#unexpected('a quoted string');
      constants.set(name, lexer.value);
      lexer.next();
    }
    if (lexer.kind !== 'end') throw this.#unexpected('the name of a constant');
  }

  #expect(kind: TokenKind): void {
    if (this.#lexer.kind !== kind) throw this.#unexpected(`\`${kind}\``);
    this.#lexer.next();
  }

  expectEnd(): void {
    if (!this.atEnd) throw this.#unexpected('the end of the field');
  }

  #unexpected(what: string): KeyNoteSyntaxError {
    return this.#lexer.unexpected(what);
  }

  #enter(): void {
    if (++this.#depth > this.#state.limits.depth) throw this.#tooDeep();
  }

  #tooDeep(): KeyNoteSyntaxError {
    return this.#lexer.fail(`nested deeper than ${this.#state.limits.depth}`);
  }

  #countTerm(): void {
    const { limits } = this.#state;
    if (++this.#state.terms > limits.terms) throw this.#lexer.fail(`more than ${limits.terms} terms`);
  }
}

const TRUTH: Readonly<Record<string, boolean | undefined>> = Object.assign(
  Object.create(null) as Record<string, boolean>,
  { true: true, false: false },
);

function negative(of: Expression, start: number): Expression | undefined {
  if (of.type === 'integer') return { type: 'integer', kind: 'integerMinus', of, start, end: of.end };
  if (of.type === 'float') return { type: 'float', kind: 'floatMinus', of, start, end: of.end };
  return undefined;
}

function asAttribute(node: Expression, attribute: (name: string) => StringNode): Expression {
  return node.type === 'test' && node.kind === 'constant' ? attribute(node.name) : node;
}

/** RFC 2704 4.4: 32 bits. It does not say what a larger literal is; it is taken modulo 2^32, as the recorded implementation does. */
function wrappedInteger(digits: string): number {
  if (digits.length < 10) return Number(digits);
  if (digits.length > 20) return -1;
  const value = BigInt(digits);
  return Number(BigInt.asIntN(32, value > MAX_LONG ? MAX_LONG : value));
}
const MAX_LONG = (1n << 63n) - 1n;
