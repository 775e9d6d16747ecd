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
  /** Holders by PEP and session. */
  readonly #byPlace = new Map<string, Set<string>>();

  of(holder: string): Grant | undefined {
    return this.#byHolder.get(holder);
  }

  /** The most that this PEP was granted for a session in one reservation; undefined where nothing was. */
  bandwidth(pepId: string, session: string): number | undefined {
    const holders = this.#byPlace.get(place(pepId, session));
    if (holders === undefined) return undefined;
    let most = 0;
    for (const holder of holders) most = Math.max(most, this.#byHolder.get(holder)?.bandwidth ?? 0);
    return most;
  }

  add(holder: string, grant: Grant): void {
    this.remove(holder);
    this.#byHolder.set(holder, grant);
    const at = place(grant.pepId, grant.session);
    const holders = this.#byPlace.get(at);
    if (holders === undefined) this.#byPlace.set(at, new Set([holder]));
    else holders.add(holder);
  }

  remove(holder: string): Grant | undefined {
    const grant = this.#byHolder.get(holder);
    if (grant === undefined) return undefined;
    this.#byHolder.delete(holder);
    const at = place(grant.pepId, grant.session);
    const holders = this.#byPlace.get(at);
    holders?.delete(holder);
    if (holders?.size === 0) this.#byPlace.delete(at);
    return grant;
  }
}

/** A session's name holds no newline. */
function place(pepId: string, session: string): string {
  return `${pepId}\n${session}`;
}
