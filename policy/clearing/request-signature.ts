import { createHash } from 'node:crypto';
import {
  KeyNoteKeyError,
  KeyNoteSyntaxError,
  parseAssertion,
  parsePrincipal,
  quote,
  signAssertion,
  STRANGER_LIMITS,
  verifyAssertion,
} from '../keynote/index.js';
import type { AlgorithmChoice, Principal, PrivateKey } from '../keynote/index.js';

/** An HTTP request as it is signed: who, what, when. */
export interface SignedRequest {
  readonly principal: string;
  readonly method: string;
  /** With its query, as it is in the request line. */
  readonly path: string;
  /** Octets. */
  readonly body: Uint8Array | string;
  /** ISO 8601 */
  readonly at: string;
}

/** What is signed: an assertion that holds for this very request. Client and server both build it, so it is not sent. */
export function requestText({ principal, method, path, body, at }: SignedRequest): string {
  const conditions = [
    'app_domain == "bandex-clearing"',
    `method == ${quote(method)}`,
    `path == ${quote(path)}`,
    `body_sha256 == ${quote(createHash('sha256').update(body).digest('hex'))}`,
    `at == ${quote(at)}`,
  ];
  return [
    'KeyNote-Version: 2',
    `Authorizer: ${quote(principal)}`,
    `Conditions: ${conditions.join(' &&\n    ')} -> "true";`,
    '',
  ].join('\n');
}

/** The value of the Authorization header. */
export function signRequest(request: Omit<SignedRequest, 'principal'>, key: PrivateKey): string {
  const principal = key.principal.toText('base64');
  const text = signAssertion(requestText({ ...request, principal }), key);
  const signature = /^Signature: "([^"]*)"$/m.exec(text)?.[1] ?? '';
  return `KeyNote principal="${principal}", at="${request.at}", signature="${signature}"`;
}

export type Verified =
  { readonly principal: Principal; readonly problem?: undefined } | { readonly problem: string };

type Claimed =
  | {
      readonly principal: Principal;
      readonly name: string;
      readonly at: string;
      readonly signature: string;
      readonly problem?: undefined;
    }
  | { readonly problem: string };

const HEADER =
  /^KeyNote +principal="([!#-[\]-~]{1,4096})", *at="([!#-[\]-~]{1,40})", *signature="([!#-[\]-~]{1,4096})"$/;

/** Who says that it asks, and that it is now; whether so, `verifyRequest` tells. */
export function claimedBy(header: string, now: number, skew: number): Claimed {
  const [, name, at, signature] = HEADER.exec(header) ?? [];
  if (name === undefined || at === undefined || signature === undefined)
    return { problem: 'expected Authorization: KeyNote principal="...", at="...", signature="..."' };
  if (!(Math.abs(Date.parse(at) - now) <= skew))
    return {
      problem: `at="${at}" is not within ${skew / 1000} seconds of our clock, ${new Date(now).toISOString()}`,
    };
  try {
    const principal = parsePrincipal(name);
    if (!principal.isKey) return { problem: `principal="${name.slice(0, 80)}" is no key` };
    return { principal, name, at, signature };
  } catch (error) {
    if (error instanceof KeyNoteKeyError) return { problem: error.message };
    throw error;
  }
}

/** Whose request is it? `skew`: how far `at` may be from `now`, milliseconds. */
export function verifyRequest(
  header: string,
  request: Omit<SignedRequest, 'principal' | 'at'>,
  now: number,
  skew: number,
  algorithms: AlgorithmChoice = 'modern',
): Verified {
  const claimed = claimedBy(header, now, skew);
  if (claimed.problem !== undefined) return claimed;
  const { principal, name, at, signature } = claimed;
  try {
    const text = requestText({ ...request, principal: name, at });
    const assertion = parseAssertion(`${text}Signature: ${quote(signature)}\n`, STRANGER_LIMITS);
    const { verdict, reason } = verifyAssertion(assertion, { algorithms });
    return verdict === 'verified' ? { principal } : { problem: reason };
  } catch (error) {
    if (error instanceof KeyNoteSyntaxError) return { problem: error.message };
    throw error;
  }
}
