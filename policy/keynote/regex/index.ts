import { KeyNoteRuntimeError } from '../error.js';
import type { Limits } from '../limits.js';
import { compile, ends, TooMuchWork } from './automaton.js';
import type { Automaton, Work } from './automaton.js';
import { groupsIn, parseRegex, RegexError, sizeOf } from './parse.js';
import type { Node } from './parse.js';

/**
 * POSIX extended regular expressions with POSIX sub-matches: the leftmost match, of those the longest,
 * and in it each subexpression, from the left, as long as the whole allows (POSIX 1003.2; RFC 2704 5.3.4).
 */
export class Regex {
  readonly #root: Node;
  readonly #groups: number;
  readonly #automata = new Map<Node, { forwards?: Automaton; backwards?: Automaton }>();

  /** How large its automaton is. */
  readonly size: number;

  constructor(pattern: string, limits: Limits) {
    try {
      const { root, groups } = parseRegex(pattern, limits.regexSize);
      this.#root = root;
      this.#groups = groups;
      this.size = sizeOf(root);
    } catch (error) {
      if (error instanceof RegexError)
        throw new KeyNoteRuntimeError(`invalid regular expression: ${error.message}`);
      throw error;
    }
  }

  /** Undefined where nothing matches. The sub-matches are only looked for when they are asked for. */
  match(subject: string, budget: Work): Captures | 'too much work' | undefined {
    try {
      const automaton = this.#automaton(this.#root, false);
      const [end] = ends(automaton, subject, 0, subject.length, budget, { anywhere: true, first: true });
      if (end === undefined) return undefined;
      return new Captures(this.#groups, subject, () => this.#capture(subject, budget));
    } catch (error) {
      if (error instanceof TooMuchWork) return 'too much work';
      throw error;
    }
  }

  #automaton(node: Node, backwards: boolean): Automaton {
    const known = this.#automata.get(node) ?? {};
    this.#automata.set(node, known);
    if (backwards) return (known.backwards ??= compile(node, true));
    return (known.forwards ??= compile(node, false));
  }

  #capture(subject: string, budget: Work): Spans {
    const spans: Spans = [];
    const backwards = this.#automaton(this.#root, true);
    const start = ends(backwards, subject, subject.length, 0, budget, { anywhere: true }).at(-1) ?? 0;
    const end =
      ends(this.#automaton(this.#root, false), subject, start, subject.length, budget).at(-1) ?? start;
    this.#divide(this.#root, subject, start, end, budget, spans);
    return spans;
  }

  /** Gives each group in `node` its part of `start` to `end`, which the node as a whole matches. */
  #divide(node: Node, subject: string, start: number, end: number, budget: Work, spans: Spans): void {
    if (groupsIn(node).length === 0) return;
    switch (node.kind) {
      case 'group':
        forget(node.of, spans);
        spans[node.index] = [start, end];
        this.#divide(node.of, subject, start, end, budget, spans);
        return;
      case 'sequence':
        this.#share(node, subject, start, end, budget, spans);
        return;
      case 'alternatives': {
        const option = node.parts.find((candidate) => this.#spansAll(candidate, subject, start, end, budget));
        if (option !== undefined) this.#divide(option, subject, start, end, budget, spans);
        return;
      }
      case 'star':
        this.#iterate(node, subject, start, end, budget, spans);
        return;
      case 'empty':
      case 'character':
      case 'assertion':
    }
  }

  /** Each part ends as far as it may so that what follows it still reaches the end. */
  #share(
    node: Node & { kind: 'sequence' },
    subject: string,
    start: number,
    end: number,
    budget: Work,
    spans: Spans,
  ): void {
    let at = start;
    node.parts.forEach((part, i) => {
      const rest: Node = { ...node, parts: node.parts.slice(i + 1) };
      const possible = new Set(ends(compile(rest, true), subject, end, at, budget));
      const reached = ends(this.#automaton(part, false), subject, at, end, budget);
      const next = reached.findLast((place) => possible.has(place)) ?? at;
      this.#divide(part, subject, at, next, budget, spans);
      at = next;
    });
  }

  #iterate(
    node: Node & { kind: 'star' },
    subject: string,
    start: number,
    end: number,
    budget: Work,
    spans: Spans,
  ): void {
    if (start === end) {
      if (node.onceEmpty && this.#spansAll(node.of, subject, start, end, budget)) {
        this.#divide(node.of, subject, start, end, budget, spans);
      }
      return;
    }
    const possible = new Set(ends(this.#automaton(node, true), subject, end, start, budget));
    const once = this.#automaton(node.of, false);
    for (let at = start; at < end;) {
      const from = at;
      const next = ends(once, subject, from, end, budget).findLast(
        (place) => place > from && possible.has(place),
      );
      if (next === undefined) return;
      forget(node.of, spans);
      this.#divide(node.of, subject, from, next, budget, spans);
      at = next;
    }
  }

  #spansAll(node: Node, subject: string, start: number, end: number, budget: Work): boolean {
    return ends(this.#automaton(node, false), subject, start, end, budget).at(-1) === end;
  }
}

type Spans = (readonly [start: number, end: number] | undefined)[];

/** What a match leaves behind: `_0`, the number of groups, and `_1`, `_2`, ... (RFC 2704 5.3.4). */
export class Captures {
  #spans: Spans | undefined;

  constructor(
    private readonly groups: number,
    private readonly subject: string,
    private readonly find: () => Spans,
  ) {}

  /** Undefined for a group that the expression does not have; the empty string for one that took no part. */
  group(index: number): string | undefined {
    if (index === 0) return String(this.groups);
    if (index > this.groups) return undefined;
    try {
      this.#spans ??= this.find();
    } catch (error) {
      if (error instanceof TooMuchWork) throw new KeyNoteRuntimeError('the query takes too much work');
      throw error;
    }
    const span = this.#spans[index];
    return span === undefined ? '' : this.subject.slice(...span);
  }
}

/** A part that takes part anew starts without what it held before. */
function forget(node: Node, spans: Spans): void {
  for (const index of groupsIn(node)) spans[index] = undefined;
}

/** Patterns are few and come again with every query: the small ones are kept. */
const KEPT = 256;
const KEPT_SIZE = 500;
const compiled = new Map<string, Regex>();

export function compileRegex(pattern: string, limits: Limits, budget: Work): Regex {
  const found = compiled.get(pattern);
  if (found !== undefined) return found;
  budget.work -= pattern.length;
  const regex = new Regex(pattern, limits);
  budget.work -= 4 * regex.size;
  if (compiled.size >= KEPT) compiled.clear();
  if (pattern.length + regex.size <= KEPT_SIZE) compiled.set(pattern, regex);
  return regex;
}
