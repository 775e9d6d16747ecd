import type { Encoding } from './encoding.js';
import type { Principal } from './principal.js';

/** How a signature is made (RFC 2792 4, and ours in its manner). */
export interface SignatureForm {
  /** Without encoding: `sig-rsa-sha1`. */
  readonly name: string;
  readonly key: 'rsa' | 'dsa' | 'ed25519';
  readonly hash?: 'md5' | 'sha1' | 'sha256';
  /**
   * RSA with a prefix: PKCS #1 type 1 padding of these octets and the digest. RFC 2792 4.2 speaks of an
   * OCTET STRING, and that is what is inside the padding, instead of PKCS #1's DigestInfo.
   */
  readonly digestPrefix?: string;
}

const FORMS: readonly SignatureForm[] = [
  { name: 'sig-rsa-sha1', key: 'rsa', hash: 'sha1', digestPrefix: '0414' },
  { name: 'sig-rsa-md5', key: 'rsa', hash: 'md5', digestPrefix: '0410' },
  { name: 'sig-dsa-sha1', key: 'dsa', hash: 'sha1' },
  // Not in an RFC: the recorded implementation puts a DigestInfo with the OID shaWithRSA (1.3.14.3.2.15).
  { name: 'sig-x509-sha1', key: 'rsa', hash: 'sha1', digestPrefix: '3021300906052b0e03020f05000414' },
  // Ours: RSASSA-PKCS1-v1_5 as everybody has it, DigestInfo and all.
  { name: 'sig-rsa-sha256', key: 'rsa', hash: 'sha256' },
  // Ours: RFC 8032, over the text itself.
  { name: 'sig-ed25519', key: 'ed25519' },
];

export interface SignatureAlgorithm extends SignatureForm {
  readonly encoding: Encoding;
}

const BY_NAME: ReadonlyMap<string, SignatureAlgorithm> = new Map(
  FORMS.flatMap((form) =>
    (['hex', 'base64'] as const).map(
      (encoding) => [`${form.name}-${encoding}`, { ...form, encoding }] as const,
    ),
  ),
);

/** By its name in any case, without the colon: `sig-ed25519-base64`. */
export function signatureAlgorithm(name: string): SignatureAlgorithm | undefined {
  return BY_NAME.get(name) ?? BY_NAME.get(name.toLowerCase());
}

export const SIGNATURE_ALGORITHMS: readonly string[] = [...BY_NAME.keys()];

/** Which signatures a policy accepts. */
export interface AlgorithmPolicy {
  readonly name: string;
  /** Names without encoding: `sig-ed25519`. */
  readonly signatures: ReadonlySet<string>;
  readonly minimumRsaBits: number;
  readonly minimumDsaBits: number;
}

/** Ed25519, and RSA of 2048 bits and more with SHA-256. */
export const MODERN: AlgorithmPolicy = {
  name: 'modern',
  signatures: new Set(['sig-ed25519', 'sig-rsa-sha256']),
  minimumRsaBits: 2048,
  minimumDsaBits: 2048,
};

/** RFC 2792's as well, with keys of the size of its day. MD5 and SHA-1 can be forged: for old credentials only. */
export const CLASSIC: AlgorithmPolicy = {
  name: 'classic',
  signatures: new Set(FORMS.map((form) => form.name)),
  minimumRsaBits: 512,
  minimumDsaBits: 512,
};

export type AlgorithmChoice = 'modern' | 'classic' | AlgorithmPolicy;

export function algorithmPolicy(choice: AlgorithmChoice = 'modern'): AlgorithmPolicy {
  return choice === 'modern' ? MODERN : choice === 'classic' ? CLASSIC : choice;
}

/** Why the policy does not accept a signature of this form by this key, if it does not. */
export function objection(
  policy: AlgorithmPolicy,
  form: SignatureForm,
  principal: Principal,
): string | undefined {
  if (!policy.signatures.has(form.name)) return `the policy does not accept ${form.name}`;
  const minimum = form.key === 'rsa' ? policy.minimumRsaBits : form.key === 'dsa' ? policy.minimumDsaBits : 0;
  if (principal.bits >= minimum) return undefined;
  return `a key of ${principal.bits} bits is below the ${minimum} that the policy asks for`;
}
