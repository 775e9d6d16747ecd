/**
 * POSIX extended regular expressions (POSIX 1003.2; RFC 2704 4.6.5), as a tree. Where POSIX leaves the
 * meaning open, glibc's reading is taken: `a||b`, `()` and `(|a)` hold the empty expression, an unmatched
 * `)` is a character, a repetition of nothing or of an anchor is an error, and `\w \W \s \S \b \B \< \>`
 * mean what they mean there. Back-references are refused: they cannot be matched in linear time.
 */
export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'character'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'assertion'; readonly holds: (subject: string, at: number) => boolean }
  | (Composite & { readonly kind: 'sequence'; readonly parts: readonly Node[] })
  | (Composite & { readonly kind: 'alternatives'; readonly parts: readonly Node[] })
  | (Composite & {
      readonly kind: 'star';
      readonly of: Node;
      /** May it match the empty string by one iteration, instead of by none? */
      readonly onceEmpty: boolean;
    })
  | (Composite & { readonly kind: 'group'; readonly index: number; readonly of: Node });

interface Composite {
  /** Nodes in it, repetitions written out. */
  readonly size: number;
  /** The groups in it. */
  readonly groups: readonly number[];
}

export class RegexError extends Error {}

export interface ParsedRegex {
  readonly root: Node;
  readonly groups: number;
}

export function sizeOf(node: Node): number {
  return 'size' in node ? node.size : 1;
}

/** The groups in a node; none in most. */
export function groupsIn(node: Node): readonly number[] {
  return 'groups' in node ? node.groups : NO_GROUPS;
}
const NO_GROUPS: readonly number[] = [];

const EMPTY: Node = { kind: 'empty' };
/** RE_DUP_MAX of POSIX. */
const MOST_REPETITIONS = 255;
const DEEPEST = 100;

export function parseRegex(pattern: string, sizeLimit: number): ParsedRegex {
  return new RegexParser(pattern, sizeLimit).parse();
}

class RegexParser {
  #at = 0;
  #groups = 0;
  #depth = 0;

  constructor(
    private readonly pattern: string,
    private readonly sizeLimit: number,
  ) {}

  parse(): ParsedRegex {
    const root = this.#alternatives();
    return { root, groups: this.#groups };
  }

  #composite(parts: readonly Node[]): Composite {
    let size = 1;
    for (const part of parts) size += sizeOf(part);
    if (size > this.sizeLimit) throw new RegexError('the regular expression is too large');
    return { size, groups: [...new Set(parts.flatMap(groupsIn))] };
  }

  #alternatives(): Node {
    const first = this.#branch();
    if (this.pattern[this.#at] !== '|') return first;
    const options = [first];
    while (this.pattern[this.#at] === '|') {
      this.#at++;
      options.push(this.#branch());
    }
    return { kind: 'alternatives', parts: options, ...this.#composite(options) };
  }

  #branch(): Node {
    const { pattern } = this;
    const pieces: Node[] = [];
    while (this.#at < pattern.length) {
      const sign = pattern[this.#at];
      if (sign === '|' || (sign === ')' && this.#depth > 0)) break;
      pieces.push(this.#piece());
    }
    return this.#sequence(pieces);
  }

  /** Neighbours without a group in them become one part: sub-matches are then found in fewer steps. */
  #sequence(pieces: readonly Node[]): Node {
    const [only = EMPTY] = pieces;
    if (pieces.length < 2) return only;
    const whole = this.#composite(pieces);
    if (whole.groups.length === 0) return { kind: 'sequence', parts: pieces, ...whole };
    const parts: Node[] = [];
    let plain: Node[] = [];
    const flush = (): void => {
      if (plain.length > 0) parts.push({ kind: 'sequence', parts: plain, ...this.#composite(plain) });
      plain = [];
    };
    for (const piece of pieces) {
      if (groupsIn(piece).length === 0) {
        plain.push(piece);
      } else {
        flush();
        parts.push(piece);
      }
    }
    flush();
    return { kind: 'sequence', parts, ...whole };
  }

  #piece(): Node {
    let atom = this.#atom();
    for (;;) {
      const sign = this.pattern[this.#at];
      if (sign === undefined || !'*+?{'.includes(sign)) return atom;
      if (atom.kind === 'assertion') throw new RegexError('an anchor cannot be repeated');
      this.#at++;
      if (sign === '*') atom = this.#repeat(atom, 0, undefined);
      else if (sign === '+') atom = this.#repeat(atom, 1, undefined);
      else if (sign === '?') atom = this.#repeat(atom, 0, 1);
      else atom = this.#interval(atom);
    }
  }

  #interval(atom: Node): Node {
    const found = /^([0-9]*)(,?)([0-9]*)\}/.exec(this.pattern.slice(this.#at, this.#at + 16));
    const [whole, least = '', comma, most = ''] = found ?? [];
    if (whole === undefined || (least === '' && comma === '')) throw new RegexError('this is no interval');
    this.#at += whole.length;
    const minimum = Number(least);
    const maximum = comma === '' ? minimum : most === '' ? undefined : Number(most);
    if (minimum > MOST_REPETITIONS || (maximum ?? 0) > MOST_REPETITIONS) {
      throw new RegexError(`more than ${MOST_REPETITIONS} repetitions`);
    }
    if (maximum !== undefined && maximum < minimum) throw new RegexError('this interval is empty');
    return this.#repeat(atom, minimum, maximum);
  }

  /**
   * `x{2,4}` is written out as `xx(x(x)?)?`, `x{2,}` as `xxx*`. Only an expression that has not matched
   * yet matches the empty string rather than nothing (POSIX 1003.2).
   */
  #repeat(atom: Node, minimum: number, maximum: number | undefined): Node {
    let tail: Node | undefined;
    if (maximum === undefined) {
      tail = { kind: 'star', of: atom, onceEmpty: minimum === 0, ...this.#composite([atom]) };
    } else {
      for (let i = minimum; i < maximum; i++) {
        const once: Node = tail === undefined ? atom : this.#sequence([atom, tail]);
        const parts = i === maximum - 1 && minimum === 0 ? [once, EMPTY] : [EMPTY, once];
        tail = { kind: 'alternatives', parts, ...this.#composite([once]) };
      }
    }
    const pieces: Node[] = Array.from({ length: minimum }, () => atom);
    if (tail !== undefined) pieces.push(tail);
    return this.#sequence(pieces);
  }

  #atom(): Node {
    const { pattern } = this;
    const sign = pattern[this.#at++] ?? '';
    switch (sign) {
      case '.':
        return { kind: 'character', accepts: () => true };
      case '^':
        return { kind: 'assertion', holds: (_subject, at) => at === 0 };
      case '$':
        return { kind: 'assertion', holds: (subject, at) => at === subject.length };
      case '[':
        return this.#bracket();
      case '(':
        return this.#group();
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
      case '{':
        throw new RegexError(`\`${sign}\` repeats nothing`);
      default:
        return exactly(sign);
    }
  }

  #group(): Node {
    const index = ++this.#groups;
    if (++this.#depth > DEEPEST) throw new RegexError('too many nested groups');
    const of = this.#alternatives();
    if (this.pattern[this.#at] !== ')') throw new RegexError('unmatched `(`');
    this.#at++;
    this.#depth--;
    const { size, groups } = this.#composite([of]);
    return { kind: 'group', index, of, size, groups: [...groups, index] };
  }

  #escape(): Node {
    const sign = this.pattern[this.#at++];
    if (sign === undefined) throw new RegexError('trailing backslash');
    if (/[1-9]/.test(sign)) throw new RegexError('back-references are not supported');
    const holds = WORD_ASSERTIONS[sign];
    if (holds !== undefined) return { kind: 'assertion', holds };
    const accepts = SHORTHANDS[sign];
    return accepts === undefined ? exactly(sign) : { kind: 'character', accepts };
  }

  /** A bracket expression; a backslash in it is a backslash. */
  #bracket(): Node {
    const { pattern } = this;
    const negated = pattern[this.#at] === '^';
    if (negated) this.#at++;
    const accepted = new Uint8Array(256);
    for (let first = true; ; first = false) {
      const sign = pattern[this.#at];
      if (sign === undefined) throw new RegexError('unmatched `[`');
      if (sign === ']' && !first) break;
      if (pattern.startsWith('[:', this.#at)) {
        this.#characterClass(accepted);
        continue;
      }
      const low = this.#bracketElement();
      const ranges = pattern[this.#at] === '-' && pattern[this.#at + 1] !== ']';
      if (!ranges) {
        if (low < 256) accepted[low] = 1;
        continue;
      }
      this.#at++;
      if (this.#at >= pattern.length) throw new RegexError('unmatched `[`');
      const high = this.#bracketElement();
      if (high < low) throw new RegexError('this range is empty');
      accepted.fill(1, low, high + 1);
    }
    this.#at++;
    return { kind: 'character', accepts: (code) => (accepted[code] === 1) !== negated };
  }

  /** A character, `[.x.]` or `[=x=]`. */
  #bracketElement(): number {
    const { pattern } = this;
    const special = /^\[([.=])([^])\1\]/.exec(pattern.slice(this.#at, this.#at + 6));
    if (special !== null) {
      this.#at += special[0].length;
      return (special[2] ?? '').charCodeAt(0);
    }
    if (/^\[[.=]/.test(pattern.slice(this.#at, this.#at + 2))) {
      throw new RegexError('only single characters collate');
    }
    return pattern.charCodeAt(this.#at++);
  }

  #characterClass(accepted: Uint8Array): void {
    const end = this.pattern.indexOf(':]', this.#at + 2);
    const name = end < 0 ? '' : this.pattern.slice(this.#at + 2, end);
    const member = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
    if (member === undefined) throw new RegexError('there is no such character class');
    this.#at = end + 2;
    for (let code = 0; code < 128; code++) if (member.test(String.fromCharCode(code))) accepted[code] = 1;
  }
}

function exactly(sign: string): Node {
  const wanted = sign.charCodeAt(0);
  return { kind: 'character', accepts: (code) => code === wanted };
}

/** The POSIX locale. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // eslint-disable-next-line no-control-regex -- that is what they are
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

function isWord(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    code === 0x5f
  );
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

const SHORTHANDS: Readonly<Partial<Record<string, (code: number) => boolean>>> = {
  w: isWord,
  W: (code) => !isWord(code),
  s: isSpace,
  S: (code) => !isSpace(code),
};

const before = (subject: string, at: number): boolean => at > 0 && isWord(subject.charCodeAt(at - 1));
const after = (subject: string, at: number): boolean => at < subject.length && isWord(subject.charCodeAt(at));

const WORD_ASSERTIONS: Readonly<Partial<Record<string, (subject: string, at: number) => boolean>>> = {
  b: (subject, at) => before(subject, at) !== after(subject, at),
  B: (subject, at) => before(subject, at) === after(subject, at),
  '<': (subject, at) => !before(subject, at) && after(subject, at),
  '>': (subject, at) => before(subject, at) && !after(subject, at),
  '`': (_subject, at) => at === 0,
  "'": (subject, at) => at === subject.length,
};
