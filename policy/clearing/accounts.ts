import { createHash } from 'node:crypto';
import { KeyNoteKeyError, parsePrincipal } from '../keynote/index.js';
import type { Principal } from '../keynote/index.js';

export const ACCOUNT_KINDS = ['isp', 'provider', 'bank', 'user'] as const;
export type AccountKind = (typeof ACCOUNT_KINDS)[number];

/** An account that the clearing centre was told of. Users get theirs when they first pay. */
export interface KnownAccount {
  /** Letters, digits, `.`, `_` and `-`: it is in addresses. */
  readonly id: string;
  readonly kind: AccountKind;
  readonly keys: readonly Principal[];
  /** The most that it may owe, minor units by currency; where there is none, without end. */
  readonly limit: ReadonlyMap<string, bigint>;
  /** Nothing new is booked on it. */
  readonly frozen: boolean;
}

/** Can a configured account be called so? Not with a colon: that is for accounts named by a key. */
export function isAccountName(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,63}$/.test(text);
}

/**
 * Names a key, however it was written: `ed25519:` and the SHA-256 of its octets. All of it: the short fingerprint is for people,
 * and somebody could make two keys with the same.
 */
export function keyId(principal: Principal): string {
  return `${principal.kind}:${createHash('sha256').update(principal.octets).digest('hex')}`;
}

/** Undefined for what is no key. */
export function keyIdOf(text: string): string | undefined {
  try {
    const principal = parsePrincipal(text);
    return principal.isKey ? keyId(principal) : undefined;
  } catch (error) {
    if (error instanceof KeyNoteKeyError) return undefined;
    throw error;
  }
}

/** The accounts that are known, by their keys. */
export class Directory {
  readonly #byKey = new Map<string, KnownAccount>();
  readonly #byId = new Map<string, KnownAccount>();

  /** Throws `RangeError` where two accounts have a name or a key in common. */
  constructor(readonly accounts: readonly KnownAccount[]) {
    for (const account of accounts) {
      if (this.#byId.has(account.id)) throw new RangeError(`two accounts are called \`${account.id}\``);
      this.#byId.set(account.id, account);
      for (const key of account.keys) {
        const other = this.#byKey.get(keyId(key));
        if (other !== undefined)
          throw new RangeError(`the key ${key.fingerprint} is of both \`${other.id}\` and \`${account.id}\``);
        this.#byKey.set(keyId(key), account);
      }
    }
  }

  find(id: string): KnownAccount | undefined {
    return this.#byId.get(id);
  }

  ofKey(principal: Principal): KnownAccount | undefined {
    return this.#byKey.get(keyId(principal));
  }

  /** The account that a key pays from: a configured one, or its own. */
  payingAccount(principal: Principal): string {
    return this.ofKey(principal)?.id ?? keyId(principal);
  }

  /** For messages. */
  nameOf(principal: Principal): string {
    return this.ofKey(principal)?.id ?? principal.fingerprint;
  }
}
