import { hash } from 'node:crypto';
import type { AlgorithmPolicy } from './algorithms.js';
import type { Licensees, Program, StringNode } from './ast.js';
import { KeyNoteSyntaxError } from './error.js';
import { Lexer } from './lexer.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { Limits } from './limits.js';
import { Parser } from './parser.js';
import type { ParseState } from './parser.js';
import type { Principal } from './principal.js';
import type { Verdict } from './signature.js';

export type FieldName =
  'KeyNote-Version' | 'Local-Constants' | 'Authorizer' | 'Licensees' | 'Conditions' | 'Comment' | 'Signature';

/** RFC 2704 4.1; field names are case-insensitive. */
const FIELDS: ReadonlyMap<string, FieldName> = new Map(
  (
    [
      'KeyNote-Version',
      'Local-Constants',
      'Authorizer',
      'Licensees',
      'Conditions',
      'Comment',
      'Signature',
    ] as const
  ).map((name) => [name.toLowerCase(), name]),
);

/** Offsets in the assertion's text: of the label, behind its colon, and of the end. */
export interface Field {
  readonly name: FieldName;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** One assertion (RFC 2704 4.1), parsed. It is not yet known whether its signature is right. */
export class Assertion {
  readonly constants: ReadonlyMap<string, string>;
  /** Undefined where the field cannot be read as far as its principal: see `faults`. */
  readonly authorizer: StringNode | undefined;
  /** Undefined where the field is missing: everybody is licensed (RFC 2704 5.3.5). */
  readonly licensees: Licensees | undefined;
  /** Undefined where the field is missing: no conditions (RFC 2704 5.3.4). */
  readonly conditions: Program | undefined;
  readonly signature: StringNode | undefined;
  /**
   * What is wrong in Authorizer, Licensees or Conditions. An assertion with a fault is void: it takes
   * no part in any query. Its signature may still be checked.
   */
  readonly faults: readonly KeyNoteSyntaxError[];
  readonly signatureFault: KeyNoteSyntaxError | undefined;

  constructor(
    readonly text: string,
    /** Where the signed text begins: the first octet that is no white space. */
    readonly start: number,
    readonly fields: ReadonlyMap<FieldName, Field>,
    limits: Limits,
  ) {
    const constants = new Map<string, string>();
    const state: ParseState = { constants, limits, terms: 0 };
    const faults: KeyNoteSyntaxError[] = [];
    this.#parser('Local-Constants', state)?.assignments(constants);
    this.constants = constants;
    this.authorizer = this.#attempt(faults, () => this.#principal(state, faults));
    this.licensees = this.#attempt(faults, () => this.#parser('Licensees', state)?.wholeLicensees());
    this.conditions = this.#attempt(faults, () => this.#parser('Conditions', state)?.wholeProgram());
    const signatureFaults: KeyNoteSyntaxError[] = [];
    this.signature = this.#attempt(signatureFaults, () => this.#signature(state, signatureFaults));
    this.signatureFault = signatureFaults[0];
    this.faults = faults;
  }

  /** The text that is signed, but for the name of the algorithm (RFC 2704 4.6.7); undefined without Signature. */
  get signedText(): string | undefined {
    const field = this.fields.get('Signature');
    return field === undefined ? undefined : this.text.slice(this.start, field.start);
  }

  /** The Comment field's text, its white space made single spaces. */
  get comment(): string | undefined {
    const field = this.fields.get('Comment');
    if (field === undefined) return undefined;
    return this.text.slice(field.valueStart, field.end).trim().replace(/\s+/g, ' ');
  }

  #digest: string | undefined;

  /** `credentialDigest` of its text. */
  get digest(): string {
    return (this.#digest ??= credentialDigest(this.text));
  }

  #verdict: { principal: string; policy: AlgorithmPolicy; verdict: Verdict } | undefined;

  /** Remembers what `check` finds for one authorizer under one policy: a text's signature is checked once. */
  verdict(principal: Principal, policy: AlgorithmPolicy, check: () => Verdict): Verdict {
    const known = this.#verdict;
    if (known?.principal === principal.id && known.policy === policy) return known.verdict;
    const verdict = check();
    this.#verdict = { principal: principal.id, policy, verdict };
    return verdict;
  }

  /** What follows the first principal is a fault; that principal still names who the assertion is by. */
  #principal(state: ParseState, faults: KeyNoteSyntaxError[]): StringNode | undefined {
    const parser = this.#parser('Authorizer', state);
    const node = parser?.string('a principal');
    this.#attempt(faults, () => parser?.expectEnd());
    return node;
  }

  #signature(state: ParseState, faults: KeyNoteSyntaxError[]): StringNode | undefined {
    const parser = this.#parser('Signature', state);
    const node = parser?.string('a signature');
    this.#attempt(faults, () => parser?.expectEnd());
    return node;
  }

  #parser(name: FieldName, state: ParseState): Parser | undefined {
    const field = this.fields.get(name);
    if (field === undefined) return undefined;
    return new Parser(new Lexer(this.text, field.valueStart, field.end, name === 'Licensees'), state);
  }

  #attempt<T>(faults: KeyNoteSyntaxError[], parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof KeyNoteSyntaxError)) throw error;
      faults.push(error);
      return undefined;
    }
  }
}

/** The SHA-256 of a credential's octets, in hex. */
export function credentialDigest(text: string): string {
  return hash('sha256', Buffer.from(text, 'latin1'), 'hex');
}

/**
 * Parses one assertion; characters are octets (Latin-1). Throws `KeyNoteSyntaxError` where the text does
 * not have the structure of an assertion: fields, KeyNote-Version, Local-Constants. A mistake inside
 * Authorizer, Licensees or Conditions is one of the assertion's `faults`. A blank line ends the
 * assertion; what follows is no part of it.
 */
export function parseAssertion(text: string, limits: Limits = DEFAULT_LIMITS): Assertion {
  if (text.length > limits.textLength) {
    throw new KeyNoteSyntaxError(`the assertion is longer than ${limits.textLength} octets`, '', 0);
  }
  const stray = text.search(NO_OCTET);
  if (stray >= 0) throw new KeyNoteSyntaxError('this is no character of one octet', text, stray);
  const start = firstField(text);
  const fields = readFields(text, start);
  checkVersion(text, start, fields);
  if (!fields.has('Authorizer')) throw new KeyNoteSyntaxError('there is no Authorizer field', text, start);
  return new Assertion(text, start, fields, limits);
}

const NO_OCTET = /[\0\u0100-\uffff]/;

function firstField(text: string): number {
  const start = text.search(/[^ \t-\r]/);
  if (start < 0) throw new KeyNoteSyntaxError('there is no assertion', text, 0);
  if (start > 0 && text.charCodeAt(start - 1) !== NEWLINE) {
    throw new KeyNoteSyntaxError('a field starts at the beginning of a line', text, start);
  }
  return start;
}

const NEWLINE = 0x0a;

function readFields(text: string, start: number): Map<FieldName, Field> {
  const fields = new Map<FieldName, Field>();
  for (let at = skipComments(text, start); at < text.length;) {
    const field = readField(text, at);
    if (fields.has(field.name)) throw new KeyNoteSyntaxError(`there are two ${field.name} fields`, text, at);
    if (field.name === 'KeyNote-Version' && fields.size > 0) {
      throw new KeyNoteSyntaxError('KeyNote-Version must be the first field', text, at);
    }
    if (fields.has('Signature')) throw new KeyNoteSyntaxError('Signature must be the last field', text, at);
    fields.set(field.name, field);
    at = field.end + 1;
    if (text.charCodeAt(at) === NEWLINE) break;
  }
  return fields;
}

/** Comment lines before the first field. */
function skipComments(text: string, start: number): number {
  let at = start;
  while (text.charAt(at) === '#') {
    const newline = text.indexOf('\n', at);
    if (newline < 0) return text.length;
    at = newline + 1;
  }
  if (at > start && (at >= text.length || /[ \t\n]/.test(text.charAt(at)))) {
    throw new KeyNoteSyntaxError('expected a field after the comment', text, Math.min(at, text.length));
  }
  return at;
}

/** A field goes on over lines that are indented, and over comments wherever they begin (RFC 2704 4.1). */
function readField(text: string, start: number): Field {
  let end = text.indexOf('\n', start);
  const lineEnd = end < 0 ? text.length : end;
  const colon = text.indexOf(':', start);
  const name = colon < 0 || colon > lineEnd ? undefined : fieldName(text.slice(start, colon));
  if (name === undefined) {
    throw new KeyNoteSyntaxError('expected the name of a field and a colon', text, start);
  }
  for (; end >= 0; end = text.indexOf('\n', end + 1)) {
    const next = text.charCodeAt(end + 1);
    if (next !== 0x20 && next !== 0x09 && next !== 0x23) break;
  }
  return { name, start, valueStart: colon + 1, end: end < 0 ? text.length : end };
}

/**
 * Signature's label may be cut short: it is not signed, and signed credentials with `Sig:` exist, for
 * the C implementation reads them.
 */
function fieldName(label: string): FieldName | undefined {
  const lower = label.toLowerCase();
  return FIELDS.get(lower) ?? (lower !== '' && 'signature'.startsWith(lower) ? 'Signature' : undefined);
}

/** `<VersionString>:: <StringLiteral> | <IntegerLiteral>`: 2 (RFC 2704 4.6.1). */
function checkVersion(text: string, start: number, fields: ReadonlyMap<FieldName, Field>): void {
  const field = fields.get('KeyNote-Version');
  if (field === undefined) return;
  // By the letter of RFC 2792 4.1 a comment before the first field is not signed, in the implementations
  // it is. With KeyNote-Version, which must be first, there is no need to choose.
  if (field.start !== start && fields.has('Signature')) {
    throw new KeyNoteSyntaxError('KeyNote-Version must be the first text of a signed assertion', text, start);
  }
  const lexer = new Lexer(text, field.valueStart, field.end);
  const isVersion2 = (lexer.kind === 'string' || lexer.kind === 'integer') && lexer.value === '2';
  if (!isVersion2) throw lexer.unexpected('version 2 of KeyNote');
  lexer.next();
  if (!lexer.isAtEnd) throw lexer.unexpected('the end of the field');
}

/** An assertion of a file, or why there is none. */
export type Paragraph =
  | { readonly line: number; readonly assertion: Assertion }
  | { readonly line: number; readonly text: string; readonly error: KeyNoteSyntaxError };

/**
 * The assertions of a file, which blank lines separate (RFC 2704 4.1). Paragraphs of nothing but
 * comments are none. `line` is where in the file the paragraph begins, from 1.
 */
export function parseAssertions(text: string, limits: Limits = DEFAULT_LIMITS): Paragraph[] {
  return splitAssertions(text).map(({ line, text: paragraph }) => {
    try {
      return { line, assertion: parseAssertion(paragraph, limits) };
    } catch (error) {
      if (error instanceof KeyNoteSyntaxError) return { line, text: paragraph, error };
      throw error;
    }
  });
}

export function splitAssertions(text: string): { line: number; text: string }[] {
  const paragraphs: { line: number; text: string }[] = [];
  let line = 1;
  for (const part of text.split(/(\n\n+)/)) {
    const content = part.replace(/^\n+/, '');
    const isComment = content.split('\n').every((row) => row === '' || row.startsWith('#'));
    if (!isComment) paragraphs.push({ line: line + part.length - content.length, text: content });
    for (let at = part.indexOf('\n'); at >= 0; at = part.indexOf('\n', at + 1)) line++;
  }
  return paragraphs;
}
