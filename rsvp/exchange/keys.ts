/** HMAC (RFC 2104) with its hash: RFC 2747 6 asks for MD5 and lets others be. */
export type IntegrityAlgorithm = 'hmac-md5' | 'hmac-sha1' | 'hmac-sha256';

/** A key for INTEGRITY objects (RFC 2747 2.2, Appendix 1). Times are those of the clock that `now` comes from. */
export interface IntegrityKey {
  /** Key Identifier: 48 bits, as 12 hex digits. Unique for one sender. */
  readonly id: string;
  readonly secret: Uint8Array;
  readonly algorithm: IntegrityAlgorithm;
  /** Address of the neighbour that uses it, or that it is used for; left out: any. */
  readonly neighbour?: string;
  /** KeyStartValid and KeyEndValid: in force from the first on, before the second. Left out: for ever. */
  readonly from?: number;
  readonly until?: number;
}

/** Keys of one direction on an interface. A changed set is a new value: so keys are added and deleted by hand (RFC 2747 5.2). */
export class KeyRing {
  constructor(readonly keys: readonly IntegrityKey[]) {
    const names = new Set<string>();
    for (const { id, secret, from, until, neighbour } of keys) {
      if (!/^[0-9a-f]{12}$/.test(id))
        throw new TypeError(`keys: \`${id}\` is not 12 hex digits in lower case`);
      if (secret.length === 0) throw new TypeError(`keys: key ${id} has an empty secret`);
      if ((from ?? -Infinity) >= (until ?? Infinity))
        throw new RangeError(`keys: key ${id} ends before it begins`);
      const name = `${id} ${neighbour ?? ''}`;
      if (names.has(name)) throw new TypeError(`keys: two keys have the id ${id}`);
      names.add(name);
    }
  }

  /**
   * The key to sign with: of those in force the one that began last, so that a new key takes over when its time comes;
   * one for this neighbour before one for any. Undefined where none has begun.
   */
  signing(now: number, neighbour: string): Choice | undefined {
    const fitting = this.#for(neighbour).filter((key) => (key.from ?? -Infinity) <= now);
    const own = fitting.filter((key) => key.neighbour !== undefined);
    return choose(own.length > 0 ? own : fitting, now);
  }

  /** The key that this neighbour's message names, as far as it may be used. */
  receiving(now: number, neighbour: string, id: string): Choice | 'unknown' | 'expired' {
    const fitting = this.#for(neighbour);
    const named = fitting.filter((key) => key.id === id);
    const key = named.find((one) => one.neighbour !== undefined) ?? named[0];
    if (key === undefined || (key.from ?? -Infinity) > now) return 'unknown';
    if (isInForce(key, now)) return { key, isExpired: false };
    const last = choose(
      fitting.filter((one) => (one.from ?? -Infinity) <= now),
      now,
    );
    return last?.key === key ? last : 'expired';
  }

  #for(neighbour: string): IntegrityKey[] {
    return this.keys.filter((key) => key.neighbour === undefined || key.neighbour === neighbour);
  }
}

export interface Choice {
  readonly key: IntegrityKey;
  /**
   * All are out of their time, and this one was the last. RFC 2747 5.3 has it go on: not to authenticate is unacceptable, and
   * to lose reservations is not advisable. The network manager has to be told.
   */
  readonly isExpired: boolean;
}

function choose(begun: readonly IntegrityKey[], now: number): Choice | undefined {
  const inForce = begun.filter((key) => isInForce(key, now));
  const [first] = inForce;
  if (first !== undefined) {
    const latest = inForce.reduce(
      (best, key) => ((key.from ?? -Infinity) >= (best.from ?? -Infinity) ? key : best),
      first,
    );
    return { key: latest, isExpired: false };
  }
  const [expired] = [...begun].sort((a, b) => (b.until ?? Infinity) - (a.until ?? Infinity));
  return expired === undefined ? undefined : { key: expired, isExpired: true };
}

function isInForce(key: IntegrityKey, now: number): boolean {
  return (key.from ?? -Infinity) <= now && now < (key.until ?? Infinity);
}
