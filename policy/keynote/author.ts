import type { Assertion } from './assertion.js';
import { KeyNoteKeyError, KeyNoteRuntimeError } from './error.js';
import { parsePrincipal } from './principal.js';
import type { Principal } from './principal.js';
import { constantString, isConstant } from './signature.js';

const AUTHORS = new WeakMap<Assertion, Principal>();

/**
 * Who an assertion says it is by; whether it is, its signature tells. Undefined where the Authorizer field names no
 * principal, or one that hangs on the action's attributes.
 */
export function authorOf(assertion: Assertion): Principal | undefined {
  const known = AUTHORS.get(assertion);
  if (known !== undefined) return known;
  const { authorizer } = assertion;
  if (authorizer === undefined || !isConstant(authorizer)) return undefined;
  try {
    const author = parsePrincipal(constantString(authorizer));
    AUTHORS.set(assertion, author);
    return author;
  } catch (error) {
    if (error instanceof KeyNoteKeyError || error instanceof KeyNoteRuntimeError) return undefined;
    throw error;
  }
}
