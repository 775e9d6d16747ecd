import type { Assertion } from '../keynote/index.js';

/**
 * Can the value of an assertion's conditions depend on an attribute? A name that is worked out at run time (`$(...)`) may be
 * any name.
 */
export function asksFor(attribute: string): (assertion: Assertion) => boolean {
  // Verified credentials are kept and asked about again and again.
  const known = new WeakMap<Assertion, boolean>();
  return (assertion) => {
    let answer = known.get(assertion);
    if (answer === undefined) {
      // Most credentials do not even hold the words, which is quickly seen.
      const { text, conditions } = assertion;
      answer = (text.includes(attribute) || text.includes('$')) && names(conditions, attribute);
      known.set(assertion, answer);
    }
    return answer;
  };
}

/** The tree is bounded by the parser's limits, and so is this. */
function names(node: unknown, attribute: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if ('kind' in node && node.kind === 'dereference') return true;
  if ('kind' in node && node.kind === 'attribute' && 'name' in node && node.name === attribute) return true;
  return Object.values(node).some((child) => names(child, attribute));
}
