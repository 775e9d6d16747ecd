import {
  constants,
  createHash,
  createPublicKey,
  privateEncrypt,
  publicDecrypt,
  sign,
  verify,
} from 'node:crypto';
import { medianMicros } from './measure.js';
import type { Kind } from './request.js';

/** What node:crypto alone takes, microseconds: the part of a request's cost that no policy engine can save. */
export interface Floor {
  /** Make a key object of a public key's octets. */
  readonly importKey: number;
  /** Digest a credential and check its signature. */
  readonly verify: number;
}

export function cryptoFloor(kind: Kind, calls = 1000): Floor {
  const { key, principal } = kind.newKey();
  const { octets } = principal;
  const text = Buffer.alloc(600, 'x');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: octets.toString('base64url') };
  const load = () =>
    principal.kind === 'ed25519'
      ? createPublicKey({ key: jwk, format: 'jwk' })
      : createPublicKey({ key: octets, format: 'der', type: 'pkcs1' });
  const publicKey = load();
  const check = checkOf(kind.algorithm, key, publicKey, text);
  for (let i = 0; i < calls / 4; i++) {
    load();
    check();
  }
  return { importKey: medianMicros(calls, load), verify: medianMicros(calls, check) };
}

type Key = ReturnType<Kind['newKey']>['key'];

/** RFC 2792's RSA signature has no DigestInfo: the digest is recovered and compared. */
function checkOf(algorithm: string, key: Key, publicKey: Key, text: Buffer): () => unknown {
  if (algorithm.startsWith('sig-rsa-sha1')) {
    const padding = constants.RSA_PKCS1_PADDING;
    const bits = privateEncrypt({ key, padding }, createHash('sha1').update(text).digest());
    return () =>
      publicDecrypt({ key: publicKey, padding }, bits).equals(createHash('sha1').update(text).digest());
  }
  const digest = algorithm.startsWith('sig-rsa-sha256') ? 'sha256' : null;
  const bits = sign(digest, text, key);
  return () => verify(digest, text, publicKey, bits);
}
