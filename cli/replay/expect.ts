import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EXIT } from '../exit.js';
import { matchesGlob } from '../pdp/glob.js';
import { ConfigError } from '../config/load.js';
import { checkYaml } from '../config/yaml.js';
import type { Outcome } from './decision.js';

/** What a decision is known by, and what it says. */
export interface Decided {
  readonly frame: number;
  readonly message: string;
  readonly session: string;
  readonly flow: string;
  readonly context: string;
  readonly decision: Outcome;
  readonly reason: string;
}

const text = z.string('expected text');
const ENTRY = z.strictObject({
  frame: z.number('expected the number of a frame').int(),
  message: text,
  session: text.optional(),
  flow: text.optional(),
  context: text.optional(),
  decision: z.enum(['install', 'remove', 'null', 'error'], 'expected `install`, `remove`, `null` or `error`'),
  reason: text.optional(),
});
const FILE = z.array(ENTRY, 'expected a list of decisions');

export type Expected = z.output<typeof ENTRY>;

export function readExpectations(file: string): Expected[] {
  const checked = checkYaml(readFileSync(file, 'utf8'), FILE);
  if (checked.problems !== undefined) throw new ConfigError(file, checked.problems);
  return checked.value;
}

const HEAD = `# Decisions, as \`bandex replay --record\` wrote them and \`--expect\` compares them: a list in any order.
# frame, message and decision are needed; of session, flow, context and reason those that are there must be met.
# In a reason, * stands for any text.
`;

/** YAML, an entry a line. */
export function expectationsText(decided: readonly Decided[]): string {
  const entry = ({ frame, message, session, flow, context, decision, reason }: Decided): string => {
    const fields = Object.entries({
      frame,
      message,
      session,
      flow,
      context,
      decision,
      reason: timeless(reason),
    });
    return `- { ${fields.map(([name, value]) => `${name}: ${scalar(value)}`).join(', ')} }`;
  };
  return decided.length === 0 ? `${HEAD}[]\n` : `${HEAD}${decided.map(entry).join('\n')}\n`;
}

/** The time of day would be another one next time. */
function timeless(reason: string): string {
  return reason.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, '*');
}

/** Plain where YAML reads it as it stands, otherwise quoted as JSON, which YAML contains. */
function scalar(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const isPlain =
    /^[A-Za-z][A-Za-z0-9 _./+-]*$/.test(value) &&
    !value.endsWith(' ') &&
    !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}

export interface Mismatch {
  readonly frame: number;
  readonly problem: string;
}

/** Compares decisions with what was expected of them, as they come. */
export class Expectations {
  readonly #open: Expected[];
  readonly mismatches: Mismatch[] = [];
  met = 0;

  constructor(expected: readonly Expected[]) {
    this.#open = [...expected];
  }

  /** Undefined where the decision is as expected. */
  compare(decided: Decided): Mismatch | undefined {
    const place = this.#open.findIndex((expected) => isAbout(expected, decided));
    const [expected] = place === -1 ? [] : this.#open.splice(place, 1);
    const problem =
      expected === undefined ? `not expected: ${describe(decided)}` : differences(expected, decided);
    if (problem === undefined) {
      this.met++;
      return undefined;
    }
    const mismatch = { frame: decided.frame, problem };
    this.mismatches.push(mismatch);
    return mismatch;
  }

  /** What was expected and never came. */
  finish(): readonly Mismatch[] {
    const missing = this.#open.map((expected) => ({
      frame: expected.frame,
      problem: `never came: ${describe(expected)}`,
    }));
    this.#open.length = 0;
    this.mismatches.push(...missing);
    return missing;
  }
}

function isAbout(expected: Expected, decided: Decided): boolean {
  return (
    expected.frame === decided.frame &&
    expected.message === decided.message &&
    (['session', 'flow', 'context'] as const).every(
      (name) => expected[name] === undefined || expected[name] === decided[name],
    )
  );
}

function differences(expected: Expected, decided: Decided): string | undefined {
  if (expected.decision !== decided.decision) {
    return `expected ${expected.decision}${expected.reason === undefined ? '' : ` (${expected.reason})`}, got ${decided.decision} (${decided.reason})`;
  }
  if (expected.reason === undefined || matchesGlob(expected.reason, decided.reason)) return undefined;
  return `expected the reason \`${expected.reason}\`, got \`${decided.reason}\``;
}

function describe({ message, session, flow, context, decision }: Expected): string {
  return [message, session, flow, context, decision].filter((part) => part !== undefined).join(' ');
}

/** The exit code and the last word of a comparison. */
export function verdictOf(expectations: Expectations): { readonly exitCode: number; readonly text: string } {
  const { met, mismatches } = expectations;
  if (mismatches.length === 0) return { exitCode: EXIT.ok, text: `all ${met} expectations are met` };
  return { exitCode: EXIT.refused, text: `${mismatches.length} expectations are not met, ${met} are` };
}
