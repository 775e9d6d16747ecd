import { hash } from 'node:crypto';
import type { NonceKey } from '../../payment/index.js';

/** 132 bits. */
const CHARACTERS = 22;

/**
 * What a payer's nonce is looked up by: the first 132 bits of a SHA-256, in base64url. A nonce is random, so each that is taken
 * writes a page of its tree: the shorter its rows are, the fewer pages there are. Whoever found two nonces with one digest could
 * spend only one of them.
 */
export function nonceDigest({ payer, nonce }: NonceKey): string {
  return hash('sha256', `${payer}\n${nonce}`, 'base64url').slice(0, CHARACTERS);
}
