import { credentialDigest, parseAssertion } from './assertion.js';
import type { Assertion } from './assertion.js';
import { STRANGER_LIMITS } from './limits.js';
import type { Limits } from './limits.js';
import type { Principal } from './principal.js';

export interface CacheOptions {
  /** Credentials kept; the one that was not used for the longest time goes first. Default 4096. */
  readonly credentials?: number;
  /** Keys kept, imported and ready. Default 4096. */
  readonly keys?: number;
  /** Octets of text of the credentials kept, and of the keys: a long one costs several others. Default 4 MiB each. */
  readonly octets?: number;
  /** Of a credential's text; default `STRANGER_LIMITS`. */
  readonly limits?: Limits;
}

/**
 * Credentials whose signatures were right, parsed, by the SHA-256 of their text, and the keys that signed
 * them. Only a verified credential is kept, so nobody fills the cache with rubbish.
 */
export class CredentialCache {
  readonly #credentials: LeastRecent<Assertion>;
  readonly #keys: LeastRecent<Principal>;
  readonly #limits: Limits;
  hits = 0;
  misses = 0;

  constructor(options: CacheOptions = {}) {
    const octets = options.octets ?? 1 << 22;
    this.#credentials = new LeastRecent(options.credentials ?? 4096, octets);
    this.#keys = new LeastRecent(options.keys ?? 4096, octets);
    this.#limits = options.limits ?? STRANGER_LIMITS;
  }

  get size(): number {
    return this.#credentials.size;
  }

  /** Of the texts of the credentials kept. */
  get octets(): number {
    return this.#credentials.octets;
  }

  /** The parsed credential; throws as `parseAssertion` does. */
  parse(text: string): Assertion {
    const digest = credentialDigest(text);
    const known = this.#credentials.get(digest);
    if (known !== undefined) {
      this.hits++;
      return known;
    }
    this.misses++;
    return parseAssertion(text, this.#limits);
  }

  /** The credential with this digest (see `credentialDigest`), if it was verified before and is still kept. */
  find(digest: string): Assertion | undefined {
    return this.#credentials.get(digest);
  }

  /** Keeps a credential whose signature by `authorizer` is right. `query` calls this. */
  keep(assertion: Assertion, authorizer: Principal): void {
    const { digest } = assertion;
    if (this.#credentials.has(digest)) return;
    this.#credentials.set(digest, assertion);
    this.#keys.set(authorizer.text, authorizer);
  }

  principal(text: string): Principal | undefined {
    return this.#keys.get(text);
  }
}

/** A map of bounded size: what was not used for the longest time goes first. */
class LeastRecent<Value extends { readonly text: string }> {
  readonly #entries = new Map<string, Value>();
  #octets = 0;

  constructor(
    private readonly limit: number,
    private readonly octetLimit: number,
  ) {
    if (!(limit >= 1)) throw new RangeError('a cache must hold at least one entry');
  }

  /** Of the texts held. */
  get octets(): number {
    return this.#octets;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#delete(key);
    this.#entries.set(key, value);
    this.#octets += value.text.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.limit && this.#octets <= this.octetLimit) return;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#octets -= this.#entries.get(key)?.text.length ?? 0;
    this.#entries.delete(key);
  }
}
