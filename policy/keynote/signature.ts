import { constants, createHash, privateEncrypt, publicDecrypt, sign, verify } from 'node:crypto';
import { algorithmPolicy, objection, signatureAlgorithm } from './algorithms.js';
import type { AlgorithmChoice, AlgorithmPolicy, SignatureAlgorithm } from './algorithms.js';
import { parseAssertion } from './assertion.js';
import type { Assertion } from './assertion.js';
import type { StringNode } from './ast.js';
import { decode, encode } from './encoding.js';
import { KeyNoteKeyError } from './error.js';
import { parsePrincipal } from './principal.js';
import type { Principal } from './principal.js';
import type { PrivateKey } from './private-key.js';

export interface Verdict {
  /**
   * `syntax`: the signature or the authorizer cannot be read. `failed`: it is missing, of an unknown
   * form, not accepted by the policy, or wrong.
   */
  readonly verdict: 'verified' | 'failed' | 'syntax';
  /** `the signature is not by the authorizer's key, or the text was changed`; of a verified one, the algorithm. */
  readonly reason: string;
}

export interface VerifyOptions {
  /** Default `modern`. */
  readonly algorithms?: AlgorithmChoice;
}

/** Is the assertion signed by the key in its Authorizer field (RFC 2704 4.6.7)? */
export function verifyAssertion(assertion: Assertion, options: VerifyOptions = {}): Verdict {
  const fault = assertion.faults.find((error) => error.offset <= authorizerEnd(assertion));
  if (assertion.authorizer === undefined || (fault !== undefined && inAuthorizer(assertion, fault.offset))) {
    return { verdict: 'syntax', reason: fault?.located ?? 'the authorizer cannot be read' };
  }
  let principal: Principal;
  try {
    principal = parsePrincipal(constantString(assertion.authorizer));
  } catch (error) {
    if (error instanceof KeyNoteKeyError) return { verdict: 'syntax', reason: error.message };
    throw error;
  }
  return verifySignature(assertion, principal, algorithmPolicy(options.algorithms));
}

function authorizerEnd(assertion: Assertion): number {
  return assertion.fields.get('Authorizer')?.end ?? 0;
}

function inAuthorizer(assertion: Assertion, offset: number): boolean {
  return offset >= (assertion.fields.get('Authorizer')?.start ?? 0);
}

/** As `verifyAssertion`, for an authorizer that is known already. */
export function verifySignature(
  assertion: Assertion,
  principal: Principal,
  policy: AlgorithmPolicy,
): Verdict {
  const body = assertion.signedText;
  if (body === undefined) return failed('there is no Signature field');
  const { signature, signatureFault } = assertion;
  if (signature === undefined) return syntax(signatureFault?.located ?? 'the signature cannot be read');
  const text = constantString(signature);
  if (text === '') return failed('the signature is empty');
  if (signatureFault !== undefined) return syntax(signatureFault.located);
  const colon = text.indexOf(':');
  const name = text.slice(0, colon + 1);
  const algorithm = signatureAlgorithm(name.slice(0, -1));
  if (algorithm === undefined) return failed('the form of the signature is unknown');
  if (algorithm.key !== principal.kind) {
    return failed(`${algorithm.name} is no signature by ${KIND_NAMES[principal.kind]}`);
  }
  const bits = decode(text.slice(colon + 1), algorithm.encoding);
  if (bits === 'shape') return syntax(`the signature is no ${algorithm.encoding}`);
  const refused = objection(policy, algorithm, principal);
  if (refused !== undefined) return failed(refused);
  if (bits === 'digit' || !isSignatureOf(Buffer.from(body + name, 'latin1'), bits, algorithm, principal)) {
    return failed("the signature is not by the authorizer's key, or the text was changed");
  }
  return { verdict: 'verified', reason: algorithm.name };
}

const KIND_NAMES = {
  rsa: 'an RSA key',
  dsa: 'a DSA key',
  ed25519: 'an Ed25519 key',
  binary: 'a binary identifier',
  opaque: 'an opaque identifier',
};

function failed(reason: string): Verdict {
  return { verdict: 'failed', reason };
}

function syntax(reason: string): Verdict {
  return { verdict: 'syntax', reason };
}

function isSignatureOf(
  message: Buffer,
  bits: Buffer,
  form: SignatureAlgorithm,
  principal: Principal,
): boolean {
  try {
    if (form.digestPrefix !== undefined) {
      return (
        bits.length * 8 >= principal.bits && recoverPayload(bits, principal).equals(payload(message, form))
      );
    }
    return verify(form.hash ?? null, message, principal.key, bits);
  } catch {
    // OpenSSL throws at what cannot be a signature, and at a key that cannot be used.
    return false;
  }
}

/** What is inside the PKCS #1 type 1 padding of an RSA signature; throws where there is no such padding. */
export function recoverPayload(bits: Buffer, principal: Principal): Buffer {
  return publicDecrypt({ key: principal.key, padding: constants.RSA_PKCS1_PADDING }, bits);
}

function payload(message: Buffer, form: SignatureAlgorithm): Buffer {
  const digest = createHash(form.hash ?? 'sha1')
    .update(message)
    .digest();
  return Buffer.concat([Buffer.from(form.digestPrefix ?? '', 'hex'), digest]);
}

/**
 * Appends the Signature field that `key` makes, in an algorithm such as `sig-ed25519-base64`. The text
 * must be one sound assertion by that key, without a signature.
 */
export function signAssertion(text: string, key: PrivateKey, algorithm = defaultAlgorithm(key)): string {
  const form = signatureAlgorithm(algorithm.replace(/:$/, ''));
  if (form === undefined) throw new RangeError(`algorithm \`${algorithm}\` is unknown`);
  if (form.key !== key.principal.kind) {
    throw new RangeError(`${form.name} cannot be made with ${KIND_NAMES[key.principal.kind]}`);
  }
  const assertion = parseAssertion(text);
  const [fault] = assertion.faults;
  if (fault !== undefined) throw fault;
  if (assertion.fields.has('Signature')) throw new TypeError('the assertion is signed already');
  const author = parsePrincipal(constantString(assertion.authorizer));
  if (author.id !== key.principal.id) {
    throw new TypeError(`the authorizer is ${author.fingerprint}, the key is ${key.principal.fingerprint}`);
  }
  const end = Math.max(...[...assertion.fields.values()].map((field) => field.end));
  const body = `${text.slice(assertion.start, end)}\n`;
  const name = `${algorithm.replace(/:$/, '')}:`;
  const bits = makeSignature(Buffer.from(body + name, 'latin1'), form, key);
  return `${body}Signature: "${name}${encode(bits, form.encoding)}"\n`;
}

function defaultAlgorithm(key: PrivateKey): string {
  if (key.principal.kind === 'rsa') return 'sig-rsa-sha256-base64';
  return key.principal.kind === 'dsa' ? 'sig-dsa-sha1-base64' : 'sig-ed25519-base64';
}

function makeSignature(message: Buffer, form: SignatureAlgorithm, { key }: PrivateKey): Buffer {
  if (form.digestPrefix === undefined) return sign(form.hash ?? null, message, key);
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, payload(message, form));
}

/** A string expression without action attributes, which are empty here. */
export function constantString(node: StringNode | undefined): string {
  switch (node?.kind) {
    case 'literal':
      return node.value;
    case 'concatenation':
      return node.parts.map(constantString).join('');
    case 'attribute':
    case 'dereference':
    case undefined:
      return '';
  }
}

/** Is it the same in every query? */
export function isConstant(node: StringNode): boolean {
  switch (node.kind) {
    case 'literal':
      return true;
    case 'concatenation':
      return node.parts.every(isConstant);
    case 'attribute':
    case 'dereference':
      return false;
  }
}
