import type { Expression, Relation, StringNode, TestNode } from './ast.js';
import { KeyNoteRuntimeError } from './error.js';
import type { Evaluation } from './evaluate.js';

export interface Comparison {
  /** As it is written: `&amount`. */
  readonly expression: string;
  /** What it was. */
  readonly found: string;
  readonly relation: Relation | '~=';
  readonly expected: string;
  /** The other side as it is written. */
  readonly against: string;
}

export interface Reason {
  readonly message: string;
  /** Octets from the start of the assertion's text. */
  readonly offset: number | undefined;
  readonly comparison?: Comparison;
}

/**
 * Why a test is false: of `a && b` the first that is, of `a || b` each. Nothing if it holds. The test is
 * evaluated again, from the left, and so what its regular expressions matched stays known to `evaluation`.
 */
export function whyFalse(node: TestNode, evaluation: Evaluation, text: string): Reason[] {
  try {
    if (evaluation.test(node)) return [];
    return reasons(node, evaluation, text);
  } catch (error) {
    if (!(error instanceof KeyNoteRuntimeError)) throw error;
    return raised(node, error, evaluation, text);
  }
}

/** The smallest test in which the error is raised. */
function raised(node: TestNode, error: KeyNoteRuntimeError, evaluation: Evaluation, text: string): Reason[] {
  const parts =
    node.kind === 'and' || node.kind === 'or' ? node.operands : node.kind === 'not' ? [node.of] : [];
  for (const part of parts) {
    try {
      evaluation.test(part);
    } catch (inner) {
      if (inner instanceof KeyNoteRuntimeError) return raised(part, inner, evaluation, text);
      throw inner;
    }
  }
  const reason = {
    message: `\`${quoted(node, text)}\`: ${error.message}`,
    offset: error.offset ?? node.start,
  };
  if (node.kind !== 'integers') return [reason];
  const { left, relation, right } = node;
  const [expression, against] = [quoted(left, text), quoted(right, text)];
  return [{ ...reason, comparison: { expression, found: '', relation, expected: '', against } }];
}

function reasons(node: TestNode, evaluation: Evaluation, text: string): Reason[] {
  const offset = node.start;
  switch (node.kind) {
    case 'constant':
      return [{ message: `\`${node.name}\` never holds`, offset }];
    case 'not':
      return [{ message: `\`${quoted(node.of, text)}\` holds`, offset }];
    case 'and': {
      for (const operand of node.operands) {
        const found = whyFalse(operand, evaluation, text);
        if (found.length > 0) return found;
      }
      return [];
    }
    case 'or':
      return node.operands.flatMap((operand) => whyFalse(operand, evaluation, text));
    case 'strings':
    case 'integers':
    case 'floats':
      return [compared(node.left, node.relation, node.right, offset, evaluation, text)];
    case 'match':
      return [compared(node.subject, '~=', node.pattern, offset, evaluation, text)];
  }
}

/** `amount 0.60 is not < 0.56` */
function compared(
  left: Expression,
  relation: Relation | '~=',
  right: Expression,
  offset: number,
  evaluation: Evaluation,
  text: string,
): Reason {
  const found = shown(left, evaluation);
  const expected = shown(right, evaluation);
  const verb = relation === '~=' ? 'does not match' : `is not ${relation}`;
  return {
    message: `${named(left, found, text)} ${verb} ${named(right, expected, text)}`,
    offset,
    comparison: { expression: quoted(left, text), found, relation, expected, against: quoted(right, text) },
  };
}

function named(node: Expression, value: string, text: string): string {
  if (node.kind === 'literal' || node.kind === 'integerLiteral' || node.kind === 'floatLiteral') return value;
  const source = node.kind === 'toFloat' || node.kind === 'toInteger' ? node.of : node;
  if (source.kind === 'attribute' && value === '""') return `${source.name} (not set)`;
  return `${quoted(source, text)} ${value}`;
}

/** A value as people wrote it: the digits of the attribute, not the float they became. */
function shown(node: Expression, evaluation: Evaluation): string {
  switch (node.type) {
    case 'string':
      return quotedValue(evaluation.string(node));
    case 'integer':
      return node.kind === 'toInteger' ? digits(node.of, evaluation) : String(evaluation.integer(node));
    case 'float':
      return node.kind === 'toFloat' ? digits(node.of, evaluation) : shortest(evaluation.float(node));
    case 'test':
      return String(evaluation.test(node));
  }
}

function digits(node: StringNode, evaluation: Evaluation): string {
  const value = evaluation.string(node);
  return value.length <= LONGEST && /^-?[0-9.]+$/.test(value) ? value : quotedValue(value);
}

/** A request may have thousands of values of thousands of characters each. */
const LONGEST = 80;

function quotedValue(value: string): string {
  return value.length <= LONGEST ? JSON.stringify(value) : `${JSON.stringify(value.slice(0, LONGEST))}...`;
}

/** The fewest decimal digits that name this float. */
function shortest(value: number): string {
  for (let precision = 1; precision < 9; precision++) {
    const text = Number(value.toPrecision(precision));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

function quoted(node: { readonly start: number; readonly end: number }, text: string): string {
  const source = text.slice(node.start, node.end).replace(/\s+/g, ' ');
  return source.length > 60 ? `${source.slice(0, 57)}...` : source;
}
