import { COPS_PORT } from '../wire/codes.js';
import type { PdpAddress } from '../wire/writer.js';
import type { PdpTarget, PepLimits } from './options.js';

/** Which PDP comes next (RFC 2748 2.3): the list in its order, redirections, and pauses between rounds. */
export class Failover {
  /** When the next round begins; undefined while there is a PDP to try, or to talk to. */
  retryAt: number | undefined;

  /** Place in the list; -1 for a PDP that is not in it. */
  #place = 0;
  #redirects = 0;
  #retryDelay: number;

  constructor(
    readonly pdps: readonly [PdpTarget, ...PdpTarget[]],
    readonly limits: PepLimits,
    readonly random: () => number,
  ) {
    this.#retryDelay = limits.retryLeast;
  }

  /** The list from its beginning. */
  first(): PdpTarget {
    this.retryAt = undefined;
    this.#place = 0;
    return this.pdps[0];
  }

  /**
   * Where to turn after losing a PDP. After a connection that worked (`isStable`) the primary is first again; otherwise
   * the next in the list; after the last one comes a pause, and undefined: "keep trying all relevant PDPs".
   */
  next(now: number, isStable: boolean): PdpTarget | undefined {
    if (isStable) this.#settled();
    this.#place = isStable ? 0 : this.#place + 1;
    const target = this.pdps[this.#place];
    if (target === undefined) {
      this.retryAt = now + this.#retryDelay * (1 - this.random() / 4);
      this.#retryDelay = Math.min(2 * this.#retryDelay, this.limits.retryMost);
      this.#redirects = 0;
    }
    return target;
  }

  /**
   * The PDP at the other end of a PDPRedirAddr; undefined where that has happened too often in a row. One that is not in
   * the list is spoken to as `from` was. If it cannot be reached, the list begins anew.
   */
  redirect(address: PdpAddress, from: PdpTarget, isStable: boolean): PdpTarget | undefined {
    if (isStable) this.#settled();
    if (++this.#redirects > this.limits.redirects) return undefined;
    this.#place = this.pdps.findIndex(
      (pdp) => pdp.host === address.address && (pdp.port ?? COPS_PORT) === address.port,
    );
    const { tls, keys } = from;
    return (
      this.pdps[this.#place] ?? {
        host: address.address,
        port: address.port,
        ...(tls === undefined ? {} : { tls }),
        ...(keys === undefined ? {} : { keys }),
      }
    );
  }

  #settled(): void {
    this.#retryDelay = this.limits.retryLeast;
    this.#redirects = 0;
  }
}
