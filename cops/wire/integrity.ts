import { createHmac, timingSafeEqual } from 'node:crypto';
import { C_NUM, ERROR, INTEGRITY_HMAC } from './codes.js';
import { fault } from './fault.js';
import type { Fault } from './fault.js';

/** A key shared by one PEP and one PDP (RFC 2748 4.2). Its algorithm is HMAC-MD5-96, the one the RFC asks for. */
export interface CopsKey {
  /** Key ID, 32 bits. */
  readonly id: number;
  readonly secret: Uint8Array;
  /** Lifetime, in milliseconds of the clock that `now` comes from. Left out: for ever. */
  readonly notBefore?: number;
  readonly notAfter?: number;
}

/** The keys of one association. */
export class KeyRing {
  readonly #keys: readonly CopsKey[];

  constructor(keys: readonly CopsKey[]) {
    const ids = new Set(keys.map((key) => key.id));
    if (ids.size !== keys.length) throw new TypeError('keys: two keys have the same id');
    this.#keys = [...keys].sort((a, b) => end(a) - end(b) || begin(a) - begin(b));
  }

  /** "Receivers simply accept any identified key received within its configured lifetime" (RFC 2748 4.2). */
  find(id: number, now: number): CopsKey | undefined {
    return this.#keys.find((key) => key.id === id && begin(key) <= now && now < end(key));
  }

  /**
   * The key to sign with. "At the midpoint of the lifetime overlap between two keys, senders should transition from
   * using the current key to the next/longer-lived key" (RFC 2748 4.2). Where neither ends, the later one in the order
   * of `notBefore` takes over when it begins: the RFC has no midpoint for it.
   */
  signing(now: number): CopsKey | undefined {
    let current: CopsKey | undefined;
    for (const key of this.#keys) {
      if (now < begin(key) || now >= end(key)) continue;
      if (current === undefined || now >= midpoint(current, key)) current = key;
    }
    return current;
  }
}

function begin(key: CopsKey): number {
  return key.notBefore ?? -Infinity;
}

function end(key: CopsKey): number {
  return key.notAfter ?? Infinity;
}

function midpoint(current: CopsKey, next: CopsKey): number {
  const from = Math.max(begin(current), begin(next));
  const to = Math.min(end(current), end(next));
  if (to === Infinity || from === -Infinity) return from;
  return from + (to - from) / 2;
}

/** Length, C-Num and C-Type, Key ID, Sequence Number; then 96 bits of digest. */
const DIGEST_AT = 12;
const OBJECT_SIZE = 24;

/**
 * The Integrity objects of one connection, both directions (RFC 2748 2.2.16, 4.1). The number that a side chose comes
 * in its own first message; the first number that the other side sends is one more.
 */
export class Integrity {
  /** Number of the last message sent; the next has one more. */
  #sent: number;
  #received: number;

  constructor(
    readonly ring: KeyRing,
    numbers: { readonly sent: number; readonly received: number },
  ) {
    this.#sent = numbers.sent >>> 0;
    this.#received = numbers.received >>> 0;
  }

  /** Fills in the object at `at`, the last of the message that begins at `start`. */
  sign(octets: Uint8Array, start: number, at: number, now: number): void {
    this.#sent = (this.#sent + 1) >>> 0;
    signWith(this.ring, this.#sent, octets, start, at, now);
  }

  verify(octets: Uint8Array, start: number, messageEnd: number, now: number): Fault | undefined {
    const at = integrityAt(octets, start, messageEnd);
    if (at === undefined) {
      return fault(
        ERROR.authenticationRequired,
        'no Integrity object at the end of the message (RFC 2748 4.1)',
        (C_NUM.INTEGRITY << 8) | INTEGRITY_HMAC,
      );
    }
    const problem = verifyDigest(this.ring, octets, start, at, now);
    if (problem !== undefined) return problem;
    const expected = (this.#received + 1) >>> 0;
    const number = u32(octets, at + 8);
    if (number !== expected) {
      return fault(
        ERROR.authenticationFailure,
        `sequence number ${number}, expected ${expected} (RFC 2748 4.1)`,
      );
    }
    this.#received = expected;
    return undefined;
  }
}

/** Fills in an Integrity object with a sequence number of the caller's choice: the first message of a direction. */
export function signWith(
  ring: KeyRing,
  sequenceNumber: number,
  octets: Uint8Array,
  start: number,
  at: number,
  now: number,
): void {
  const key = ring.signing(now);
  if (key === undefined) throw new RangeError('keys: none is valid now');
  const view = new DataView(octets.buffer, octets.byteOffset);
  view.setUint16(at, OBJECT_SIZE);
  view.setUint16(at + 2, (C_NUM.INTEGRITY << 8) | INTEGRITY_HMAC);
  view.setUint32(at + 4, key.id);
  view.setUint32(at + 8, sequenceNumber);
  octets.set(digest(key, octets, start, at + DIGEST_AT), at + DIGEST_AT);
}

/** Checks key and digest of the Integrity object at `at`; not its number. */
export function verifyDigest(
  ring: KeyRing,
  octets: Uint8Array,
  start: number,
  at: number,
  now: number,
): Fault | undefined {
  const id = u32(octets, at + 4);
  const key = ring.find(id, now);
  if (key === undefined)
    return fault(ERROR.authenticationFailure, `key ${id} is unknown or out of its lifetime`);
  const given = octets.subarray(at + DIGEST_AT, at + OBJECT_SIZE);
  if (timingSafeEqual(given, digest(key, octets, start, at + DIGEST_AT))) return undefined;
  return fault(ERROR.authenticationFailure, `the digest is not one of key ${id}`);
}

export function sequenceNumberAt(octets: Uint8Array, at: number): number {
  return u32(octets, at + 8);
}

/** Where the HMAC-MD5-96 Integrity object begins that ends a message; undefined where there is none. */
export function integrityAt(octets: Uint8Array, start: number, messageEnd: number): number | undefined {
  const at = messageEnd - OBJECT_SIZE;
  if (at < start + 8) return undefined;
  const head = u32(octets, at);
  return head === ((OBJECT_SIZE << 16) | (C_NUM.INTEGRITY << 8) | INTEGRITY_HMAC) ? at : undefined;
}

/** HMAC-MD5 (RFC 2104) over header and objects up to the digest itself, cut to 96 bits. */
function digest(key: CopsKey, octets: Uint8Array, from: number, to: number): Uint8Array {
  return createHmac('md5', key.secret).update(octets.subarray(from, to)).digest().subarray(0, 12);
}

function u32(octets: Uint8Array, at: number): number {
  return (
    (((octets[at] as number) << 24) |
      ((octets[at + 1] as number) << 16) |
      ((octets[at + 2] as number) << 8) |
      (octets[at + 3] as number)) >>>
    0
  );
}
