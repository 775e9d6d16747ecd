import { KeyNoteSyntaxError } from './error.js';

export type TokenKind =
  | 'end'
  /** No token: `problem` says why. */
  | 'invalid'
  | 'string'
  | 'name'
  | 'integer'
  | 'float'
  | 'threshold'
  | '('
  | ')'
  | '{'
  | '}'
  | ','
  | ';'
  | '.'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | '@'
  | '&'
  | '$'
  | '!'
  | '='
  | '&&'
  | '||'
  | '->'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '~=';

const SINGLE: Readonly<Record<string, TokenKind>> = Object.fromEntries(
  Array.from('(){},;.+-*/%^@&$!=<>').map((sign) => [sign, sign as TokenKind]),
);
const DOUBLE: Readonly<Record<string, TokenKind>> = Object.fromEntries(
  ['&&', '||', '->', '==', '!=', '<=', '>=', '~='].map((sign) => [sign, sign as TokenKind]),
);

/** What an octet may be the start of. */
const STARTS = { other: 0, white: 1, digit: 2, letter: 3, quote: 4, hash: 5 } as const;
const CLASS = new Uint8Array(256);
for (const white of ' \t\n') CLASS[white.charCodeAt(0)] = STARTS.white;
for (let digit = 0x30; digit <= 0x39; digit++) CLASS[digit] = STARTS.digit;
for (let letter = 0x41; letter <= 0x5a; letter++) {
  CLASS[letter] = STARTS.letter;
  CLASS[letter + 0x20] = STARTS.letter;
}
CLASS[0x5f] = STARTS.letter;
CLASS[0x22] = STARTS.quote;
CLASS[0x23] = STARTS.hash;

/**
 * The tokens of one field's value (RFC 2704 4.1 to 4.3), one at a time: `kind`, `start`, `end` and
 * `value` describe the current one. A carriage return is no whitespace: RFC 2704 4.1 names SPACE,
 * TAB and NEWLINE.
 */
export class Lexer {
  kind: TokenKind = 'end';
  /** Where the token begins and ends, in octets from the start of the text. */
  start = 0;
  end: number;
  /** A string's value with its escapes resolved; the text of a name or number. */
  value = '';
  /** Where the token before this one ended. */
  previousEnd: number;
  #problem: KeyNoteSyntaxError | undefined;

  constructor(
    readonly text: string,
    from: number,
    private readonly limit: number,
    /** In Licensees `2-of` is one token. */
    private readonly thresholds = false,
  ) {
    this.end = from;
    this.previousEnd = from;
    this.next();
  }

  next(): void {
    const { text, limit } = this;
    this.previousEnd = this.end;
    let at = this.end;
    let kind = 0;
    for (; at < limit; at++) {
      kind = CLASS[text.charCodeAt(at)] ?? 0;
      if (kind === STARTS.white) continue;
      if (kind !== STARTS.hash) break;
      const newline = text.indexOf('\n', at);
      at = newline < 0 || newline > limit ? limit - 1 : newline;
    }
    this.start = at;
    if (at >= limit) {
      this.kind = 'end';
      this.end = limit;
      return;
    }
    switch (kind) {
      case STARTS.quote:
        this.#string(at);
        return;
      case STARTS.letter:
        this.kind = 'name';
        this.end = this.#run(at + 1, true);
        this.value = text.slice(at, this.end);
        return;
      case STARTS.digit:
        this.#number(at);
        return;
      default:
        this.#sign(at);
    }
  }

  /** The token as it stands in the text, for messages. */
  get shown(): string {
    if (this.kind === 'end') return 'the end of the field';
    const text = this.text.slice(this.start, Math.min(this.end, this.start + 40));
    return `\`${text}\``;
  }

  get isAtEnd(): boolean {
    return this.kind === 'end';
  }

  /** The error to throw where the current token is not what is `expected`. */
  unexpected(expected: string): KeyNoteSyntaxError {
    return this.#problem ?? this.fail(`expected ${expected}, found ${this.shown}`);
  }

  /** What is no token is an error only when somebody asks for it: what came before it stands. */
  #invalid(message: string, at: number): void {
    this.kind = 'invalid';
    this.#problem = this.fail(message, at);
    this.end = this.limit;
  }

  fail(message: string, at = this.start): KeyNoteSyntaxError {
    return new KeyNoteSyntaxError(message, this.text, at);
  }

  #run(at: number, letters: boolean): number {
    while (at < this.limit) {
      const kind = CLASS[this.text.charCodeAt(at)];
      if (kind !== STARTS.digit && !(letters && kind === STARTS.letter)) break;
      at++;
    }
    return at;
  }

  #number(at: number): void {
    const { text, limit } = this;
    let end = this.#run(at + 1, false);
    this.kind = 'integer';
    const after = end + 1 < limit ? text.charCodeAt(end + 1) : 0;
    if (this.thresholds && /^-of/i.test(text.slice(end, Math.min(end + 3, limit)))) {
      this.kind = 'threshold';
      this.value = text.slice(at, end);
      this.end = end + 3;
      return;
    }
    if (text.charCodeAt(end) === 0x2e && CLASS[after] === STARTS.digit) {
      end = this.#run(end + 1, false);
      this.kind = 'float';
    }
    this.end = end;
    this.value = text.slice(at, end);
  }

  #sign(at: number): void {
    const double = at + 1 < this.limit ? DOUBLE[this.text.slice(at, at + 2)] : undefined;
    const kind = double ?? SINGLE[this.text.charAt(at)];
    if (kind === undefined) {
      this.#invalid(`no token of KeyNote starts with ${describe(this.text, at)}`, at);
      return;
    }
    this.kind = kind;
    this.end = at + kind.length;
  }

  /** A string literal (RFC 2704 4.3.1); most hold no escapes, and are a slice of the text. */
  #string(at: number): void {
    const { text, limit } = this;
    this.kind = 'string';
    const close = text.indexOf('"', at + 1);
    if (close > 0 && close < limit) {
      const plain = text.slice(at + 1, close);
      if (!plain.includes('\\') && !plain.includes('\n') && !plain.includes('\r')) {
        this.value = plain;
        this.end = close + 1;
        return;
      }
    }
    this.#escapedString(at);
  }

  #escapedString(at: number): void {
    const { text, limit } = this;
    let value = '';
    let copied = at + 1;
    for (let i = at + 1; i < limit;) {
      const code = text.charCodeAt(i);
      if (code === 0x22) {
        this.value = value + text.slice(copied, i);
        this.end = i + 1;
        return;
      }
      if (code === 0x0a || code === 0x0d) {
        this.#invalid('a string ends on the line it begins on, unless the line ends in a backslash', i);
        return;
      }
      if (code !== 0x5c) {
        i++;
        continue;
      }
      if (i + 1 >= limit) break;
      value += text.slice(copied, i);
      const escaped = text.charCodeAt(i + 1);
      i += 2;
      if (escaped === 0x0a) {
        while (i < limit && isContinuationSpace(text.charCodeAt(i))) i++;
      } else if (escaped >= 0x30 && escaped <= 0x37) {
        const digits = octalDigits(text, i - 1, limit);
        if (digits > 0) value += String.fromCharCode(parseInt(text.slice(i - 1, i - 1 + digits), 8));
        else value += text.charAt(i - 1);
        i += Math.max(0, digits - 1);
      } else {
        value += ESCAPES[text.charAt(i - 1)] ?? text.charAt(i - 1);
      }
      copied = i;
    }
    this.#invalid('this string has no closing quote', at);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

function isContinuationSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/**
 * How many characters at `at` are an octal escape: `0o`, `0oo` or `ooo` (RFC 2704 4.3.1). None where
 * they give NUL, or more than an octet holds: the backslash is then only removed.
 */
function octalDigits(text: string, at: number, limit: number): number {
  let count = 1;
  while (count < 3 && at + count < limit && /[0-7]/.test(text.charAt(at + count))) count++;
  if (count < (text.charAt(at) === '0' ? 2 : 3)) return 0;
  const value = parseInt(text.slice(at, at + count), 8);
  return value === 0 || value > 0xff ? 0 : count;
}

function describe(text: string, at: number): string {
  const code = text.charCodeAt(at);
  if (code === 0x0d) return 'a carriage return';
  if (code < 0x20 || code >= 0x7f) return `octet 0x${code.toString(16).padStart(2, '0')}`;
  return `\`${text.charAt(at)}\``;
}

/** A string literal that stands for `value` (RFC 2704 4.3.1). */
export function quote(value: string): string {
  const escaped = value.replace(/["\\\n\r\t\f]/g, (sign) => QUOTED[sign] ?? sign);
  return `"${escaped.replace(UNPRINTABLE, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`)}"`;
}

const QUOTED: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
};
const UNPRINTABLE = /[^\x20-\x7e]/g;
