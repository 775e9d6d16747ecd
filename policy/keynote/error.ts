/** Text that is no KeyNote: says what was expected, and where. */
export class KeyNoteSyntaxError extends Error {
  /** From 1. */
  readonly line: number;
  /** From 1, in octets. */
  readonly column: number;
  readonly #text: string;

  constructor(
    message: string,
    text: string,
    /** Octets from the start of the text. */
    readonly offset: number,
    /** Lines before the text, where it is a part of a file. */
    readonly linesBefore = 0,
  ) {
    super(message);
    this.name = 'KeyNoteSyntaxError';
    this.line = linesBefore + lineOf(text, offset);
    this.column = offset === 0 ? 1 : offset - text.lastIndexOf('\n', offset - 1);
    this.#text = text;
  }

  /** `line 4, column 23: expected an expression, found `;`` */
  get located(): string {
    return `line ${this.line}, column ${this.column}: ${this.message}`;
  }

  /** The same error in a file that has so many lines before the text. */
  inFile(linesBefore: number): KeyNoteSyntaxError {
    return new KeyNoteSyntaxError(this.message, this.#text, this.offset, linesBefore);
  }

  /** The line with a caret under the place; a long line is cut around it. */
  get drawing(): string {
    const text = this.#text;
    const lineStart = this.offset - this.column + 1;
    const lineEnd = text.indexOf('\n', this.offset);
    const from = Math.max(0, this.column - 61);
    const shown = printable(text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd).slice(from, from + 100));
    const margin = ' '.repeat(String(this.line).length);
    return `${this.line} | ${shown}\n${margin} | ${' '.repeat(this.column - 1 - from)}^`;
  }
}

/** The test of a clause could not be evaluated: it is false (RFC 2704 5.3.4). */
export class KeyNoteRuntimeError extends Error {
  constructor(
    message: string,
    /** Octets from the start of the assertion's text, where known. */
    readonly offset?: number,
  ) {
    super(message);
    this.name = 'KeyNoteRuntimeError';
  }
}

/** The caller's own part of a query is wrong: an authorizer, an attribute, a policy nobody can read. */
export class KeyNoteQueryError extends Error {
  constructor(
    readonly kind: 'authorizer' | 'attribute' | 'query',
    message: string,
  ) {
    super(message);
    this.name = 'KeyNoteQueryError';
  }
}

/** A principal that names a key algorithm but holds no such key. */
export class KeyNoteKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyNoteKeyError';
  }
}

/** From 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** One character a column, so that the caret stays where it belongs, and nothing that a terminal obeys. */
export function printable(text: string): string {
  return text.replace(/\t/g, ' ').replace(/[^\x20-\x7e\xa1-\xff]/g, '.');
}
