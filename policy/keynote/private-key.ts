import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { writeIntegers } from './der.js';
import { decode, encode } from './encoding.js';
import type { Encoding } from './encoding.js';
import { KeyNoteKeyError } from './error.js';
import { dsaPrivateToDer, dsaPrivateToPkcs8, spkiToDsa } from './forge.js';
import { Lexer } from './lexer.js';
import { parsePrincipal } from './principal.js';
import type { Principal } from './principal.js';

/** A private key with the principal that it speaks for. */
export class PrivateKey {
  readonly principal: Principal;

  constructor(readonly key: KeyObject) {
    if (key.type !== 'private') throw new TypeError('key must be a private key');
    this.principal = publicPrincipal(createPublicKey(key), key.asymmetricKeyType);
  }

  /**
   * In KeyNote's own form: `private-rsa-hex:` with PKCS #1's RSAPrivateKey, `private-dsa-hex:` with
   * SEQUENCE {0, p, q, g, y, x}, and ours, `private-ed25519-hex:` with the 32 octets of RFC 8032 5.1.5.
   */
  toText(encoding: Encoding = 'base64'): string {
    return `private-${this.principal.kind}-${encoding}:${encode(this.#octets(), encoding)}`;
  }

  #octets(): Buffer {
    const { key } = this;
    switch (this.principal.kind) {
      case 'rsa':
        return key.export({ format: 'der', type: 'pkcs1' });
      case 'dsa':
        return dsaPrivateToDer(key.export({ format: 'der', type: 'pkcs8' }), this.principal.octets);
      case 'ed25519':
        return Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
      case 'binary':
      case 'opaque':
        throw new KeyNoteKeyError('this identifier is no key');
    }
  }
}

/** The principal of a public key of node:crypto. */
export function publicPrincipal(key: KeyObject, type = key.asymmetricKeyType): Principal {
  switch (type) {
    case 'rsa':
      return parsePrincipal(`rsa-hex:${key.export({ format: 'der', type: 'pkcs1' }).toString('hex')}`);
    case 'dsa': {
      const values = spkiToDsa(key.export({ format: 'der', type: 'spki' }));
      return parsePrincipal(`dsa-hex:${writeIntegers(values).toString('hex')}`);
    }
    case 'ed25519': {
      const octets = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
      return parsePrincipal(`ed25519-hex:${octets.toString('hex')}`);
    }
    case undefined:
    default:
      throw new KeyNoteKeyError(`KeyNote has no keys of type ${type ?? 'unknown'}`);
  }
}

/** PEM, or KeyNote's own form, quoted (and then perhaps over several lines) or bare. */
export function parsePrivateKey(text: string): PrivateKey {
  if (text.includes('-----BEGIN')) return new PrivateKey(loaded(() => createPrivateKey(text)));
  const bare = unquoted(text);
  const [, kind = '', encoding = '', bits = ''] =
    /^private-(rsa|dsa|ed25519)-(hex|base64):(.*)$/is.exec(bare) ?? [];
  const load = PRIVATE_FORMS[kind.toLowerCase()];
  if (load === undefined)
    throw new KeyNoteKeyError('this is no private key in PEM or in the form of KeyNote');
  const octets = decode(bits, encoding.toLowerCase() as Encoding);
  if (typeof octets === 'string') throw new KeyNoteKeyError(`the private key is no ${encoding}`);
  return new PrivateKey(loaded(() => load(octets)));
}

/** A principal from a file: KeyNote's own form, quoted or bare, or a PEM public key or certificate. */
export function parsePublicKey(text: string): Principal {
  if (!text.includes('-----BEGIN')) return parsePrincipal(unquoted(text));
  return publicPrincipal(loaded(() => createPublicKey(text)));
}

/** Takes a string literal's quotes and continuations away. */
export function unquoted(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('"')) return trimmed;
  const lexer = new Lexer(trimmed, 0, trimmed.length);
  const { value, kind } = lexer;
  if (kind !== 'string') throw lexer.unexpected('a key');
  lexer.next();
  if (!lexer.isAtEnd) throw lexer.unexpected('the end of the key');
  return value;
}

const PRIVATE_FORMS: Readonly<Partial<Record<string, (octets: Buffer) => KeyObject>>> = {
  rsa: (octets) => createPrivateKey({ key: octets, format: 'der', type: 'pkcs1' }),
  dsa: (octets) => createPrivateKey({ key: dsaPrivateToPkcs8(octets), format: 'der', type: 'pkcs8' }),
  ed25519: (octets) =>
    createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, octets]), format: 'der', type: 'pkcs8' }),
};

/** PrivateKeyInfo of RFC 8410 7 before its 32 octets of key. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

function loaded(load: () => KeyObject): KeyObject {
  try {
    return load();
  } catch (error) {
    if (error instanceof KeyNoteKeyError) throw error;
    throw new KeyNoteKeyError(
      `the key cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
