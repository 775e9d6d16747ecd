import { createHmac, timingSafeEqual } from 'node:crypto';
import { checksumOf, Integrity, toHex } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import { Drop } from './effect.js';
import type { IntegrityAlgorithm, IntegrityKey } from './keys.js';

/*
 * An INTEGRITY object is the first of a message (RFC 2205 3.1, RFC 2747 2.1):
 *
 *   0  common header, the checksum at 2
 *   8  object header
 *  12  flags, reserved, Key Identifier
 *  20  Sequence Number
 *  28  Keyed Message Digest
 */
const OBJECT_AT = 8;
const KEY_ID_AT = 14;
const SEQUENCE_AT = 20;
const DIGEST_AT = 28;
const HEAD = DIGEST_AT - OBJECT_AT;
const CLASS = 4;
const HANDSHAKE = 0x80;

const HASHES: Readonly<Record<IntegrityAlgorithm, { readonly name: string; readonly size: number }>> = {
  'hmac-md5': { name: 'md5', size: 16 },
  'hmac-sha1': { name: 'sha1', size: 20 },
  'hmac-sha256': { name: 'sha256', size: 32 },
};

/** The most that an INTEGRITY object of ours adds to a message. */
export const INTEGRITY_LIMIT = HEAD + 32;

export function integritySize(key: IntegrityKey): number {
  return HEAD + HASHES[key.algorithm].size;
}

/** The object as it stands in a message to be signed (RFC 2747 4.1 steps 2 to 7). HF says that we answer challenges. */
export function unsigned(key: IntegrityKey, sequenceNumber: bigint): WireObject {
  return Integrity.make({
    flags: HANDSHAKE,
    reserved: 0,
    keyId: key.id,
    sequenceNumber,
    digest: new Uint8Array(HASHES[key.algorithm].size),
  });
}

/** Fills in digest and checksum of a message that was encoded with `unsigned` in front and no checksum (RFC 2747 4.1). */
export function sign(octets: Uint8Array, key: IntegrityKey): void {
  octets.set(digest(octets, key), DIGEST_AT);
  const checksum = checksumOf(octets);
  octets[2] = checksum >> 8;
  octets[3] = checksum & 0xff;
}

/** What a message's INTEGRITY object says, before anything is believed. */
export interface Claim {
  readonly keyId: string;
  readonly sequenceNumber: bigint;
  /** HF: the sender answers challenges. */
  readonly answersChallenges: boolean;
  readonly size: number;
}

/** Undefined where the first object is none. */
export function claimOf(octets: Uint8Array): Claim | Drop | undefined {
  if (octets.length < DIGEST_AT || octets[OBJECT_AT + 2] !== CLASS) return undefined;
  const size = ((octets[OBJECT_AT] as number) << 8) | (octets[OBJECT_AT + 1] as number);
  if (octets[OBJECT_AT + 3] !== 1 || size < HEAD || OBJECT_AT + size > octets.length || (size & 3) !== 0)
    return new Drop('malformed', 'an INTEGRITY object that is none of RFC 2747 2.1');
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return {
    keyId: toHex(octets.subarray(KEY_ID_AT, SEQUENCE_AT)),
    sequenceNumber: view.getBigUint64(SEQUENCE_AT),
    answersChallenges: ((octets[OBJECT_AT + 4] as number) & HANDSHAKE) !== 0,
    size,
  };
}

/** RFC 2747 4.2 steps 1 to 5. */
export function isGenuine(octets: Uint8Array, claim: Claim, key: IntegrityKey): boolean {
  const { size } = HASHES[key.algorithm];
  if (claim.size !== HEAD + size) return false;
  const given = octets.subarray(DIGEST_AT, DIGEST_AT + size);
  // Not `slice`, which copies nothing where the octets are a Buffer.
  const copy = Uint8Array.from(octets);
  copy.fill(0, 2, 4);
  copy.fill(0, DIGEST_AT, DIGEST_AT + size);
  return timingSafeEqual(given, digest(copy, key));
}

function digest(octets: Uint8Array, key: IntegrityKey): Uint8Array {
  return createHmac(HASHES[key.algorithm].name, key.secret).update(octets).digest();
}
