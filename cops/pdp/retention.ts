import type { PdpAddress } from '../wire/writer.js';
import type { EndOfRequest } from './options.js';
import type { Pdp } from './pdp.js';
import type { PdpSession } from './session.js';

interface Kept {
  readonly session: PdpSession;
  readonly until: number;
}

/**
 * Request states that outlive their connection, for a PEP that comes back: "if the service interruption was temporary
 * and the PDP still contains the complete state for the PEP, the PDP may choose not to synchronize all states"
 * (RFC 2748 2.5).
 */
export class Retention {
  /** By client-type and PEPID, the oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor(readonly pdp: Pdp) {}

  /** Keeps the states of a session that has lost its connection. */
  keep(now: number, session: PdpSession): void {
    if (session.states.size === 0) return;
    const { stateRetention } = this.pdp.limits;
    if (stateRetention === 0) {
      this.pdp.endSession(session, LOST);
      return;
    }
    const key = keyOf(session);
    this.#end(key);
    this.#kept.set(key, { session, until: now + stateRetention });
  }

  /**
   * A PEP has opened a client-type again. `cached` is the PDP whose decisions it still holds: if that is us, it gets
   * its states back (true); if it holds none, they are of no use to it and end (RFC 2748 2.5).
   */
  reclaim(session: PdpSession, cached: PdpAddress | undefined): boolean {
    const key = keyOf(session);
    const kept = this.#kept.get(key);
    if (kept === undefined) return false;
    const ours = [session.peer.local, ...(this.pdp.options.addresses ?? [])];
    const isOurs =
      cached !== undefined && ours.some((own) => own?.address === cached.address && own.port === cached.port);
    if (!isOurs) {
      this.#end(key);
      return false;
    }
    this.#kept.delete(key);
    session.adopt(kept.session.states.values());
    return true;
  }

  /** Gives up the oldest to make room; false where nothing is kept. */
  endOldest(): boolean {
    const oldest = this.#kept.keys().next();
    if (oldest.done === true) return false;
    this.#end(oldest.value);
    return true;
  }

  nextTimeout(): number | undefined {
    let next: number | undefined;
    for (const { until } of this.#kept.values()) if (next === undefined || until < next) next = until;
    return next;
  }

  handleTimeout(now: number): void {
    for (const [key, { until }] of this.#kept) if (until <= now) this.#end(key);
  }

  #end(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.pdp.endSession(kept.session, LOST);
  }
}

const LOST: EndOfRequest = { kind: 'lost' };

function keyOf(session: PdpSession): string {
  return `${session.clientType} ${session.pepId}`;
}
