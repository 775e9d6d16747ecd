import type { Assertion } from '../../policy/keynote/index.js';

const CLAIMED = ['amount', 'currency', 'nonce', 'duration'];

/** The claims that a check asks for: the values that its conditions demand of amount, currency, nonce and duration. */
export function claimsOf(check: Assertion): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const test = node as { kind?: string; relation?: string; left?: Named; right?: Named };
    if (test.kind === 'strings' && test.relation === '==') {
      const { name } = test.left ?? {};
      const { value } = test.right ?? {};
      if (name !== undefined && value !== undefined && CLAIMED.includes(name)) found.push([name, value]);
      return;
    }
    Object.values(node).forEach(visit);
  };
  visit(check.conditions);
  return found;
}

interface Named {
  readonly name?: string;
  readonly value?: string;
}
