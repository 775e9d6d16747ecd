import { readFileSync } from 'node:fs';
import { credentialDigest, parseAssertions, splitAssertions } from '../../policy/keynote/index.js';
import { paymentObject } from '../../policy/payment/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { CliError, EXIT } from '../exit.js';
import { claimsOf } from './claims.js';

/** What goes into a payment element, as the command line has it. */
export interface PaymentTerms {
  readonly claim?: readonly (readonly [string, string])[];
  /** File of the check. */
  readonly check?: string;
  readonly deflate?: true;
  /** Files of credentials that go by their SHA-256 alone. */
  readonly byReference?: readonly string[];
}

/** POLICY_DATA with claims and credentials; nothing where there are none. */
export function policyDataOf(files: readonly string[], terms: PaymentTerms): readonly WireObject[] {
  const check = terms.check === undefined ? [] : credentialsOf(terms.check);
  const assertions = [...check, ...files.flatMap(credentialsOf)];
  const references = (terms.byReference ?? []).flatMap(credentialsOf).map(credentialDigest);
  const given = terms.claim ?? [];
  const derived = claimsOfFile(terms.check).filter(([name]) => !given.some(([other]) => other === name));
  const claims = [...given, ...derived];
  if (claims.length + assertions.length + references.length === 0) return [];
  return [paymentObject({ claims, assertions, references }, terms.deflate === true)];
}

/** What the checks of a file say of amount, currency and nonce. */
function claimsOfFile(path: string | undefined): (readonly [string, string])[] {
  if (path === undefined) return [];
  return parseAssertions(readFileSync(path, 'latin1')).flatMap((paragraph) => {
    const fault = 'error' in paragraph ? paragraph.error : paragraph.assertion.faults[0];
    if (fault === undefined) return 'assertion' in paragraph ? claimsOf(paragraph.assertion) : [];
    const line = paragraph.line - 1 + fault.line;
    throw new CliError(`${path}:${line}:${fault.column}: ${fault.message}\n${fault.drawing}`, EXIT.invalid);
  });
}

function credentialsOf(path: string): string[] {
  return splitAssertions(readFileSync(path, 'latin1')).map(({ text }) =>
    text.endsWith('\n') ? text : `${text}\n`,
  );
}
