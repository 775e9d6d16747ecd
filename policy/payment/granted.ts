/** What is granted at this moment, by who holds it. */
export interface Grant {
  readonly pepId: string;
  readonly session: string;
  readonly reservation: string;
  /** bit/s */
  readonly bandwidth: number;
}

export class Granted {
  readonly #byHolder = new Map<string, Grant>();
  /** Holders by reservation, and by PEP and session. */
  readonly #index = new Map<string, Set<string>>();

  of(holder: string): Grant | undefined {
    return this.#byHolder.get(holder);
  }

  /** Does anybody hold this reservation? */
  has(reservation: string): boolean {
    return this.#index.has(reservation);
  }

  /** The most that this PEP was granted for a session in one reservation; undefined where nothing was. */
  bandwidth(pepId: string, session: string): number | undefined {
    const holders = this.#index.get(place(pepId, session));
    if (holders === undefined) return undefined;
    return Math.max(...[...holders].map((holder) => this.#byHolder.get(holder)?.bandwidth ?? 0));
  }

  add(holder: string, grant: Grant): void {
    this.remove(holder);
    this.#byHolder.set(holder, grant);
    for (const key of keysOf(grant)) {
      const holders = this.#index.get(key);
      if (holders === undefined) this.#index.set(key, new Set([holder]));
      else holders.add(holder);
    }
  }

  remove(holder: string): Grant | undefined {
    const grant = this.#byHolder.get(holder);
    if (grant === undefined) return undefined;
    this.#byHolder.delete(holder);
    for (const key of keysOf(grant)) {
      const holders = this.#index.get(key);
      holders?.delete(holder);
      if (holders?.size === 0) this.#index.delete(key);
    }
    return grant;
  }
}

function keysOf(grant: Grant): readonly string[] {
  return [grant.reservation, place(grant.pepId, grant.session)];
}

/** A PEPID holds no newline (it is printable ASCII, RFC 2748 2.2.11), so this is no reservation's name. */
function place(pepId: string, session: string): string {
  return `${pepId}\n${session}`;
}
