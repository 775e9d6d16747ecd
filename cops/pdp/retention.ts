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
  /** The latest session of each PEP: what an older one holds is of no use once the PEP has opened anew. */
  readonly #latest = new Map<string, PdpSession>();

  constructor(readonly pdp: Pdp) {}

  /** Keeps the states of a session that has lost its connection. */
  keep(now: number, session: PdpSession): void {
    const { stateRetention } = this.pdp.limits;
    const key = keyOf(session);
    if (stateRetention === 0 || session.states.size === 0 || this.#latest.get(key) !== session) {
      this.end(session, LOST);
      return;
    }
    // What waits for a decision is asked again by a PEP that comes back: it never had an answer.
    for (const state of session.states.values()) this.pdp.dropWaiting(state);
    this.#kept.set(key, { session, until: now + stateRetention });
  }

  /** Ends the states of a session that is over. */
  end(session: PdpSession, end: EndOfRequest): void {
    const key = keyOf(session);
    if (this.#latest.get(key) === session) this.#latest.delete(key);
    this.pdp.endSession(session, end);
  }

  /**
   * A PEP has opened a client-type. `cached` is the PDP whose decisions it still holds: if that is us, it gets its
   * states back; if it holds none, they are of no use to it and end (RFC 2748 2.5). True if all its state is here.
   */
  reclaim(session: PdpSession, cached: PdpAddress | undefined): boolean {
    const key = keyOf(session);
    this.#latest.set(key, session);
    const kept = this.#kept.get(key);
    if (kept === undefined) return false;
    const ours = [session.peer.local, ...(this.pdp.options.addresses ?? [])];
    const isOurs =
      cached !== undefined && ours.some((own) => own?.address === cached.address && own.port === cached.port);
    this.#kept.delete(key);
    if (!isOurs) {
      this.pdp.endSession(kept.session, LOST);
      return false;
    }
    session.adopt(kept.session.states.values());
    return !kept.session.isSynchronizing;
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
    this.end(kept.session, LOST);
  }
}

const LOST: EndOfRequest = { kind: 'lost' };

function keyOf(session: PdpSession): string {
  return `${session.clientType} ${session.pepId}`;
}
