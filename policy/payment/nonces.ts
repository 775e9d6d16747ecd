/**
 * Which reservation a nonce has paid for. A nonce belongs to the key that bound it in a credential; the same reservation
 * presents it again on every refresh and at the other routers of the ISP, and is not charged again; any other
 * reservation with it is refused.
 *
 * A reservation moves `held` (the PDP said Install) `-> committed` (a PEP reported success). While none has committed, its
 * nonces are let go with its last holder (a PEP's request that failed or never reported); once committed, they stay spent.
 */
export interface NonceKey {
  /** Canonical principal of the key that bound the nonce. */
  readonly payer: string;
  readonly nonce: string;
}

export interface NonceUse extends NonceKey {
  /** The reservation that it pays for. */
  readonly reservation: string;
  /** When the reservation was first held, in milliseconds. */
  readonly since: number;
  readonly state: 'held' | 'committed';
}

export interface NonceRegistry {
  /**
   * Takes all these nonces for one reservation, or none of them: `again` if it had all of them before, or the use that
   * stands in the way. `holder` is the request (PEP and handle) that asks; asking again changes nothing.
   */
  hold(
    keys: readonly NonceKey[],
    reservation: string,
    holder: string,
    now: number,
  ): 'new' | 'again' | NonceUse;
  commit(reservation: string): void;
  release(reservation: string, holder: string): void;
}

interface Holding {
  readonly reservation: string;
  readonly since: number;
  readonly keys: Map<string, NonceKey>;
  readonly holders: Set<string>;
  committed: boolean;
}

/** A registry in memory: it forgets with the process. */
export class MemoryNonces implements NonceRegistry {
  readonly #byNonce = new Map<string, Holding>();
  readonly #byReservation = new Map<string, Holding>();

  /** Nonces taken, held or committed. */
  get size(): number {
    return this.#byNonce.size;
  }

  hold(
    keys: readonly NonceKey[],
    reservation: string,
    holder: string,
    now: number,
  ): 'new' | 'again' | NonceUse {
    for (const key of keys) {
      const other = this.#byNonce.get(idOf(key));
      if (other === undefined || other.reservation === reservation) continue;
      const state = other.committed ? 'committed' : 'held';
      return { ...key, reservation: other.reservation, since: other.since, state };
    }
    let holding = this.#byReservation.get(reservation);
    if (holding === undefined) {
      holding = { reservation, since: now, keys: new Map(), holders: new Set(), committed: false };
      this.#byReservation.set(reservation, holding);
    }
    holding.holders.add(holder);
    const before = holding.keys.size;
    for (const key of keys) {
      holding.keys.set(idOf(key), key);
      this.#byNonce.set(idOf(key), holding);
    }
    return holding.keys.size === before ? 'again' : 'new';
  }

  commit(reservation: string): void {
    const holding = this.#byReservation.get(reservation);
    if (holding !== undefined) holding.committed = true;
  }

  release(reservation: string, holder: string): void {
    const holding = this.#byReservation.get(reservation);
    if (holding === undefined) return;
    holding.holders.delete(holder);
    if (holding.committed || holding.holders.size > 0) return;
    for (const id of holding.keys.keys()) this.#byNonce.delete(id);
    this.#byReservation.delete(reservation);
  }
}

/** A nonce is printable, so the last newline is what separates. */
function idOf(key: NonceKey): string {
  return `${key.payer}\n${key.nonce}`;
}
