import type { Assertion, FieldName } from './assertion.js';
import { parseAssertion } from './assertion.js';
import { Lexer, quote } from './lexer.js';

/** Where a line is broken if it can be. */
const WIDTH = 80;
const INDENT = '    ';

/**
 * The assertion in one usual layout: canonical field names, one blank between tokens, one clause a line,
 * long expressions broken before `&&` and `||`. A field that holds comments keeps its own layout. The
 * meaning is the same, but the text is not: a signature over it is no longer right, and is left out.
 */
export function formatAssertion(assertion: Assertion): string {
  const { text, fields } = assertion;
  const [fault] = assertion.faults;
  if (fault !== undefined) throw fault;
  const first = Math.min(...[...fields.values()].map((field) => field.start));
  const lines: string[] = [];
  const comments = text.slice(assertion.start, first).trimEnd();
  if (comments !== '') lines.push(comments);
  for (const { name, valueStart, end } of fields.values()) {
    if (name !== 'Signature') lines.push(`${name}:${value(name, text.slice(valueStart, end))}`);
  }
  const formatted = `${lines.join('\n')}\n`;
  // A layout that cannot be read again would be our mistake, and must not reach a file.
  const [broken] = parseAssertion(formatted).faults;
  if (broken !== undefined) throw broken;
  return formatted;
}

function value(name: FieldName, text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  if (name === 'Comment' || hasComment(text)) return ` ${trimmed}`;
  const tokens = tokenize(text, name === 'Licensees');
  if (name === 'Local-Constants') return constants(tokens);
  if (name === 'Conditions') return conditions(tokens);
  return ` ${wrapped(tokens, name.length + 2, INDENT)}`;
}

/** The tokens in their usual spelling. */
function tokenize(text: string, thresholds: boolean): string[] {
  const lexer = new Lexer(text, 0, text.length, thresholds);
  const tokens: string[] = [];
  while (!lexer.isAtEnd) {
    if (lexer.kind === 'string') tokens.push(quote(lexer.value));
    else if (lexer.kind === 'threshold') tokens.push(`${lexer.value}-of`);
    else tokens.push(text.slice(lexer.start, lexer.end));
    lexer.next();
  }
  return tokens;
}

function hasComment(text: string): boolean {
  const lexer = new Lexer(text, 0, text.length, true);
  let end = 0;
  while (!text.slice(end, lexer.start).includes('#')) {
    if (lexer.isAtEnd) return false;
    ({ end } = lexer);
    lexer.next();
  }
  return true;
}

function constants(tokens: readonly string[]): string {
  const rows: string[] = [];
  for (let i = 0; i + 2 < tokens.length; i += 3) rows.push(`${tokens[i] ?? ''} = ${tokens[i + 2] ?? ''}`);
  return ` ${rows.join(`\n${INDENT}`)}`;
}

/** One clause a line, blocks indented. */
function conditions(tokens: readonly string[]): string {
  let result = '';
  let indent = INDENT;
  let clause: string[] = [];
  const flush = (): void => {
    if (clause.length > 0) result += `\n${indent}${wrapped(clause, indent.length, `${indent}  `)}`;
    clause = [];
  };
  for (const token of tokens) {
    if (token === '}') {
      flush();
      indent = indent.slice(INDENT.length);
      clause.push(token);
    } else {
      clause.push(token);
      if (token === ';') flush();
      if (token === '{') {
        flush();
        indent += INDENT;
      }
    }
  }
  flush();
  return result;
}

const TIGHT_BEFORE = new Set([';', ',', ')']);
const TIGHT_AFTER = new Set(['(', '!', '@', '&', '$']);
const OPERATORS = new Set([
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '.',
  '&&',
  '||',
  '->',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '~=',
  '(',
  '!',
  '{',
  ';',
  ',',
  '',
]);

/** Joins tokens, and begins a new line before `&&` and `||` where the line is full. */
function wrapped(tokens: readonly string[], column: number, indent: string): string {
  let result = '';
  let width = column;
  let previous = '';
  let beforeThat = '';
  for (const token of tokens) {
    const isPrefix = previous === '-' && OPERATORS.has(beforeThat);
    const isTight =
      previous === '' ||
      TIGHT_BEFORE.has(token) ||
      TIGHT_AFTER.has(previous) ||
      isPrefix ||
      (token === '(' && /-of$/i.test(previous));
    const breaks = (token === '&&' || token === '||') && width > WIDTH - 20;
    const gap = breaks ? `\n${indent}` : isTight ? '' : ' ';
    result += gap + token;
    width = breaks ? indent.length + token.length : width + gap.length + token.length;
    beforeThat = previous;
    previous = token;
  }
  return result;
}
