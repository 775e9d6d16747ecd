import type { Assertion } from './assertion.js';
import type { Licensees, StringNode } from './ast.js';
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

const LICENSEES = new WeakMap<Assertion, readonly Principal[]>();
const NOBODY: readonly Principal[] = [];

/**
 * Whom an assertion names as its Licensees, in any combination; nobody where it licenses everybody, or names somebody by the
 * action's attributes.
 */
export function licenseesOf(assertion: Assertion): readonly Principal[] {
  let known = LICENSEES.get(assertion);
  if (known === undefined) {
    known = assertion.licensees === undefined ? NOBODY : named(assertion.licensees);
    LICENSEES.set(assertion, known);
  }
  return known;
}

function named(licensees: Licensees): readonly Principal[] {
  switch (licensees.kind) {
    case 'nobody':
      return NOBODY;
    case 'principal':
      return principalsIn(licensees.of);
    case 'all':
    case 'any':
    case 'threshold':
      return licensees.operands.flatMap(named);
  }
}

function principalsIn(node: StringNode): readonly Principal[] {
  if (!isConstant(node)) return NOBODY;
  try {
    return [parsePrincipal(constantString(node))];
  } catch (error) {
    if (error instanceof KeyNoteKeyError || error instanceof KeyNoteRuntimeError) return NOBODY;
    throw error;
  }
}
