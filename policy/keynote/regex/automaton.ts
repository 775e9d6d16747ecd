import type { Node } from './parse.js';

/**
 * A tree as a nondeterministic automaton that is walked one character at a time with the set of
 * states it may be in: the work is at most states times characters, whatever the pattern.
 */
export interface Automaton {
  readonly steps: readonly Step[];
  readonly backwards: boolean;
}

type Step =
  | { readonly kind: 'character'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'assertion'; readonly holds: (subject: string, at: number) => boolean }
  /** The automaton may go on at any of these. */
  | { readonly kind: 'fork'; readonly targets: number[] }
  | { readonly kind: 'accept' };

/** What is left of the steps that the walks of a query may take. */
export interface Work {
  work: number;
}

export class TooMuchWork extends Error {}

export function compile(node: Node, backwards: boolean): Automaton {
  const steps: Step[] = [];
  emit(node, backwards, steps);
  steps.push({ kind: 'accept' });
  return { steps, backwards };
}

function emit(node: Node, backwards: boolean, steps: Step[]): void {
  switch (node.kind) {
    case 'empty':
      return;
    case 'character':
      steps.push({ kind: 'character', accepts: node.accepts });
      return;
    case 'assertion':
      steps.push({ kind: 'assertion', holds: node.holds });
      return;
    case 'group':
      emit(node.of, backwards, steps);
      return;
    case 'sequence':
      for (const part of backwards ? node.parts.toReversed() : node.parts) emit(part, backwards, steps);
      return;
    case 'star': {
      const fork = { kind: 'fork' as const, targets: [steps.length + 1] };
      const start = steps.push(fork) - 1;
      emit(node.of, backwards, steps);
      fork.targets.push(steps.push({ kind: 'fork', targets: [start] }));
      return;
    }
    case 'alternatives': {
      const fork = { kind: 'fork' as const, targets: [] as number[] };
      steps.push(fork);
      const joins: number[][] = [];
      for (const option of node.parts) {
        fork.targets.push(steps.length);
        emit(option, backwards, steps);
        const join: number[] = [];
        steps.push({ kind: 'fork', targets: join });
        joins.push(join);
      }
      for (const join of joins) join.push(steps.length);
    }
  }
}

/**
 * The places where a match that begins at `from` may end, between `from` and `to`, nearest first. With
 * `anywhere`, where a match that begins at any place on the way may end. Backwards `to` is the lower.
 */
export function ends(
  automaton: Automaton,
  subject: string,
  from: number,
  to: number,
  budget: Work,
  options: { readonly anywhere?: boolean; readonly first?: boolean } = {},
): number[] {
  const walk = new Walk(automaton, subject, budget);
  const direction = automaton.backwards ? -1 : 1;
  const found: number[] = [];
  walk.enter(0, from);
  for (let at = from; ; at += direction) {
    if (options.anywhere === true && at !== from) walk.enter(0, at);
    if (walk.accepted) {
      found.push(at);
      if (options.first === true) return found;
    }
    if (at === to || (walk.isStuck && options.anywhere !== true)) return found;
    walk.advance(subject.charCodeAt(automaton.backwards ? at - 1 : at), at + direction);
  }
}

class Walk {
  accepted = false;
  /** States that wait for a character. */
  #waiting: number[] = [];
  #spare: number[] = [];
  /** Where a state was last entered, so that none is entered twice at one place. */
  readonly #entered: Int32Array;
  #generation = 1;
  readonly #stack: number[] = [];

  constructor(
    private readonly automaton: Automaton,
    private readonly subject: string,
    private readonly budget: Work,
  ) {
    this.#entered = new Int32Array(automaton.steps.length);
  }

  get isStuck(): boolean {
    return this.#waiting.length === 0;
  }

  enter(state: number, at: number): void {
    const { steps } = this.automaton;
    const stack = this.#stack;
    stack.push(state);
    for (let current = stack.pop(); current !== undefined; current = stack.pop()) {
      if (this.#entered[current] === this.#generation) continue;
      this.#entered[current] = this.#generation;
      if (--this.budget.work < 0) throw new TooMuchWork();
      const step = steps[current];
      switch (step?.kind) {
        case 'character':
          this.#waiting.push(current);
          break;
        case 'assertion':
          if (step.holds(this.subject, at)) stack.push(current + 1);
          break;
        case 'fork':
          for (const target of step.targets) stack.push(target);
          break;
        case 'accept':
          this.accepted = true;
          break;
        case undefined:
      }
    }
  }

  advance(code: number, at: number): void {
    const { steps } = this.automaton;
    const before = this.#waiting;
    this.#waiting = this.#spare;
    this.#waiting.length = 0;
    this.#spare = before;
    this.#generation++;
    this.accepted = false;
    for (const state of before) {
      const step = steps[state];
      if (--this.budget.work < 0) throw new TooMuchWork();
      if (step?.kind === 'character' && step.accepts(code)) this.enter(state + 1, at);
    }
  }
}
