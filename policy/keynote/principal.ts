import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalIntegers, readIntegers } from './der.js';
import { decode, encode } from './encoding.js';
import type { Encoding } from './encoding.js';
import { KeyNoteKeyError } from './error.js';
import { certificateRsaKey, dsaToSpki } from './forge.js';

export type PrincipalKind = 'opaque' | 'binary' | 'rsa' | 'dsa' | 'ed25519';

/**
 * A Principal Identifier in its normalized form (RFC 2704 5.2, RFC 2792 2): two identifiers name the
 * same principal exactly if their `id` is the same, however they were written.
 */
export class Principal {
  #key: KeyObject | undefined;
  #bits: number | undefined;
  #fingerprint: string | undefined;
  readonly #octets: Buffer | undefined;
  readonly #import: (octets: Buffer) => KeyObject;

  constructor(
    readonly kind: PrincipalKind,
    /** The identifier as it was written. */
    readonly text: string,
    readonly id: string,
    octets: Buffer | undefined,
    importKey: (octets: Buffer) => KeyObject,
  ) {
    this.#octets = octets;
    this.#import = importKey;
  }

  /** The octets that RFC 2792 3 encodes: a SEQUENCE for RSA and DSA, the 32 octets of Ed25519. */
  get octets(): Buffer {
    return this.#octets ?? Buffer.from(this.text, 'latin1');
  }

  /** Of an RSA modulus, a DSA prime or an Ed25519 key; 0 for what is no key. */
  get bits(): number {
    return (this.#bits ??= bitsOf(this.kind, this.octets));
  }

  /** The public key, imported when it is first needed; throws `KeyNoteKeyError` where there is none. */
  get key(): KeyObject {
    return (this.#key ??= imported(() => this.#import(this.octets)));
  }

  /** Can it sign? */
  get isKey(): boolean {
    return this.kind === 'rsa' || this.kind === 'dsa' || this.kind === 'ed25519';
  }

  /** Short, for people: `rsa:` and the first 16 hex digits of the SHA-256 of the key's octets. */
  get fingerprint(): string {
    if (this.kind === 'opaque') return JSON.stringify(this.text);
    this.#fingerprint ??= `${this.kind}:${createHash('sha256').update(this.octets).digest('hex').slice(0, 16)}`;
    return this.#fingerprint;
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
  return new Principal('opaque', text, `opaque:${text}`, undefined, noKey);
}

/** RFC 2792 2.3 and 4.3: an identifier that can sign nothing. */
function binary(text: string, octets: Buffer): Principal {
  return new Principal('binary', text, `binary:${octets.toString('latin1')}`, octets, noKey);
}

/** RFC 2792 3.2 says (exponent, modulus); every implementation writes PKCS #1's (modulus, exponent). */
function rsa(text: string, octets: Buffer): Principal {
  const der = canonicalIntegers(octets, 2);
  return new Principal('rsa', text, `rsa:${der.toString('latin1')}`, der, importRsa);
}

/**
 * A signature check must not cost more than its key is worth: exponents are small in practice, and a
 * modulus beyond 8192 bits is an attack.
 */
function importRsa(der: Buffer): KeyObject {
  const [n, e] = readIntegers(der, 2) as [Buffer, Buffer];
  if (n.length > 1024 || e.length > 8) throw new KeyNoteKeyError('the key is too large to be used');
  return createPublicKey({ key: der, format: 'der', type: 'pkcs1' });
}

/** RFC 2792 3.1: y, p, q and g. */
function dsa(text: string, octets: Buffer): Principal {
  const der = canonicalIntegers(octets, 4);
  return new Principal('dsa', text, `dsa:${der.toString('latin1')}`, der, importDsa);
}

function importDsa(der: Buffer): KeyObject {
  const [y, p, q, g] = readIntegers(der, 4) as [Buffer, Buffer, Buffer, Buffer];
  if (p.length > 384) throw new KeyNoteKeyError('the key is too large to be used');
  return createPublicKey({ key: dsaToSpki(y, p, q, g), format: 'der', type: 'spki' });
}

/**
 * Ours, in the manner of RFC 2792: `ed25519-hex:` and `ed25519-base64:` hold the 32 octets of RFC 8032
 * 5.1.5. Anything else under that name is a label, as it was before there was such an algorithm.
 */
function ed25519(text: string, octets: Buffer | string): Principal | undefined {
  if (typeof octets === 'string' || octets.length !== 32) return undefined;
  return new Principal('ed25519', text, `ed25519:${octets.toString('latin1')}`, octets, importEd25519);
}

/** A JWK is imported without OpenSSL's search for a decoder, which takes ten times as long. */
function importEd25519(octets: Buffer): KeyObject {
  const key = { kty: 'OKP', crv: 'Ed25519', x: octets.toString('base64url') };
  return createPublicKey({ key, format: 'jwk' });
}

function noKey(): never {
  throw new KeyNoteKeyError('this identifier is no key');
}

function bitsOf(kind: PrincipalKind, octets: Buffer): number {
  switch (kind) {
    case 'rsa':
      return bitLength(readIntegers(octets, 2)[0]);
    case 'dsa':
      return bitLength(readIntegers(octets, 4)[1]);
    case 'ed25519':
      return 256;
    case 'binary':
    case 'opaque':
      return 0;
  }
}

function bitLength(value: Buffer | undefined): number {
  return value === undefined ? 0 : value.length * 8 - Math.clz32(value[0] ?? 0) + 24;
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
