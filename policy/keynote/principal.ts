import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readIntegers } from './der.js';
import { decode, encode } from './encoding.js';
import type { Encoding } from './encoding.js';
import { KeyNoteKeyError } from './error.js';
import { certificateRsaKey, dsaToSpki, integersToDer } from './forge.js';

export type PrincipalKind = 'opaque' | 'binary' | 'rsa' | 'dsa' | 'ed25519';

/**
 * A Principal Identifier in its normalized form (RFC 2704 5.2, RFC 2792 2): two identifiers name the
 * same principal exactly if their `id` is the same, however they were written.
 */
export class Principal {
  #key: KeyObject | undefined;
  #fingerprint: string | undefined;

  constructor(
    readonly kind: PrincipalKind,
    /** The identifier as it was written. */
    readonly text: string,
    readonly id: string,
    /** Of an RSA modulus, a DSA prime or an Ed25519 key; 0 for what is no key. */
    readonly bits: number,
    private readonly load: () => KeyObject,
    private readonly canonical: () => Buffer,
  ) {}

  /** The public key, imported when it is first needed. */
  get key(): KeyObject {
    return (this.#key ??= imported(this.load));
  }

  /** Short, for people: `rsa:` and the first 16 hex digits of the SHA-256 of the key's octets. */
  get fingerprint(): string {
    if (this.kind === 'opaque') return JSON.stringify(this.text);
    this.#fingerprint ??= `${this.kind}:${createHash('sha256').update(this.canonical()).digest('hex').slice(0, 16)}`;
    return this.#fingerprint;
  }

  /** The octets that RFC 2792 3 encodes: a SEQUENCE for RSA and DSA, the 32 octets of Ed25519. */
  get octets(): Buffer {
    return this.canonical();
  }

  /** The identifier in its usual form, with lower-case hex digits. */
  toText(encoding: Encoding = 'hex'): string {
    return this.kind === 'opaque' ? this.text : `${this.kind}-${encoding}:${encode(this.octets, encoding)}`;
  }
}

/** The special principal at the root of trust (RFC 2704 2). */
export const POLICY_ID = 'opaque:POLICY';

/**
 * Throws `KeyNoteKeyError` where the identifier names a known algorithm but holds no such key. An unknown
 * algorithm makes an opaque identifier (RFC 2704 5.2).
 */
export function parsePrincipal(text: string): Principal {
  const colon = text.indexOf(':');
  const read = colon > 0 && colon < 16 ? KEY_FORMS[text.slice(0, colon).toLowerCase()] : undefined;
  return read?.(text, text.slice(colon + 1)) ?? opaque(text);
}

/** A short name for a key, the same for each way to write it. */
export function keyFingerprint(text: string): string {
  return parsePrincipal(text).fingerprint;
}

type KeyForm = (text: string, bits: string) => Principal | undefined;

const KEY_FORMS: Readonly<Partial<Record<string, KeyForm>>> = Object.assign(
  Object.create(null) as Record<string, KeyForm>,
  Object.fromEntries(
    (['hex', 'base64'] as const).flatMap((encoding): [string, KeyForm][] => [
      [`rsa-${encoding}`, (text, bits) => rsa(text, octetsOf(bits, encoding))],
      [`dsa-${encoding}`, (text, bits) => dsa(text, octetsOf(bits, encoding))],
      [`x509-${encoding}`, (text, bits) => rsa(text, certificateRsaKey(octetsOf(bits, encoding)))],
      [`binary-${encoding}`, (text, bits) => binary(text, octetsOf(bits, encoding))],
      [`ed25519-${encoding}`, (text, bits) => ed25519(text, decode(bits, encoding))],
    ]),
  ),
);

function octetsOf(bits: string, encoding: Encoding): Buffer {
  const octets = decode(bits, encoding);
  if (octets === 'shape') throw new KeyNoteKeyError(`the key is no ${encoding}`);
  if (octets === 'digit') throw new KeyNoteKeyError('the key has a digit that is not hexadecimal');
  return octets;
}

function opaque(text: string): Principal {
  return new Principal('opaque', text, `opaque:${text}`, 0, noKey, () => Buffer.from(text, 'latin1'));
}

/** RFC 2792 2.3 and 4.3: an identifier that can sign nothing. */
function binary(text: string, octets: Buffer): Principal {
  return new Principal('binary', text, `binary:${octets.toString('latin1')}`, 0, noKey, () => octets);
}

/** RFC 2792 3.2 says (exponent, modulus); every implementation writes PKCS #1's (modulus, exponent). */
function rsa(text: string, octets: Buffer): Principal {
  const [n, e] = readIntegers(octets, 2) as [Buffer, Buffer];
  const id = `rsa:${n.length}:${n.toString('latin1')}${e.toString('latin1')}`;
  // A JWK is imported without OpenSSL's search for a decoder: a tenth of the time of a PEM or SPKI.
  const load = (): KeyObject =>
    createPublicKey({
      key: { kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') },
      format: 'jwk',
    });
  return new Principal('rsa', text, id, bitLength(n), usableRsa(n, e) ? load : unusable, () =>
    integersToDer([n, e]),
  );
}

/**
 * A signature check must not cost more than its key is worth: exponents are small in practice, and a
 * modulus beyond 8192 bits is an attack.
 */
function usableRsa(n: Buffer, e: Buffer): boolean {
  return n.length <= 1024 && e.length <= 8;
}

/** RFC 2792 3.1: y, p, q and g. */
function dsa(text: string, octets: Buffer): Principal {
  const [y, p, q, g] = readIntegers(octets, 4) as [Buffer, Buffer, Buffer, Buffer];
  const id = `dsa:${[y, p, q, g].map((value) => `${value.length}:${value.toString('latin1')}`).join('')}`;
  const load = (): KeyObject => createPublicKey({ key: dsaToSpki(y, p, q, g), format: 'der', type: 'spki' });
  return new Principal('dsa', text, id, bitLength(p), p.length <= 384 ? load : unusable, () =>
    integersToDer([y, p, q, g]),
  );
}

/**
 * Ours, in the manner of RFC 2792: `ed25519-hex:` and `ed25519-base64:` hold the 32 octets of RFC 8032
 * 5.1.5. Anything else under that name is a label, as it was before there was such an algorithm.
 */
function ed25519(text: string, octets: Buffer | string): Principal | undefined {
  if (typeof octets === 'string' || octets.length !== 32) return undefined;
  const load = (): KeyObject =>
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: octets.toString('base64url') }, format: 'jwk' });
  return new Principal('ed25519', text, `ed25519:${octets.toString('latin1')}`, 256, load, () => octets);
}

function noKey(): never {
  throw new KeyNoteKeyError('this identifier is no key');
}

function unusable(): never {
  throw new KeyNoteKeyError('the key is too large to be used');
}

function imported(load: () => KeyObject): KeyObject {
  try {
    return load();
  } catch (error) {
    if (error instanceof KeyNoteKeyError) throw error;
    throw new KeyNoteKeyError(
      `the key cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function bitLength(value: Buffer): number {
  return value.length * 8 - Math.clz32(value[0] ?? 0) + 24;
}
