import { generateKeyPairSync } from 'node:crypto';
import { PrivateKey } from '../keynote/index.js';

export type KeyType = 'ed25519' | 'rsa' | 'dsa';

/** A new private key. `bits` is for RSA and DSA: 2048 where it is left out. */
export function generateKey(type: KeyType, bits = 2048): PrivateKey {
  switch (type) {
    case 'ed25519':
      return new PrivateKey(generateKeyPairSync('ed25519').privateKey);
    case 'rsa':
      return new PrivateKey(generateKeyPairSync('rsa', { modulusLength: bits }).privateKey);
    case 'dsa': {
      const divisorLength = bits > 1024 ? 256 : 160;
      return new PrivateKey(generateKeyPairSync('dsa', { modulusLength: bits, divisorLength }).privateKey);
    }
  }
}
