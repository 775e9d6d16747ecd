import type { EngineEvent } from '../../rsvp/engine/event.js';

/** What was refused, and why: an engine keeps no state of it. */
export interface RefusalNote {
  readonly session: string;
  readonly kind: 'path' | 'resv';
  /** Address of the neighbour that asked. */
  readonly hop: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly rate?: number;
  readonly interface?: number;
}

const MOST = 1000;

/** Refusals of late, until the state would have timed out that was refused, or is granted after all. */
export class RefusalNotes {
  readonly #notes = new Map<string, RefusalNote>();

  constructor(
    /** Milliseconds. */
    readonly lifetime: number,
    readonly now: () => number,
  ) {}

  take(event: EngineEvent): void {
    switch (event.kind) {
      case 'admission-refused': {
        const { session, hop, text: reason, asked: rate, interface: index } = event;
        this.#note({ session, kind: 'resv', hop, reason, at: this.now(), rate, interface: index });
        return;
      }
      case 'policy-refused': {
        const { session, hop, reason, message } = event;
        if (message === 'Path' || message === 'Resv')
          this.#note({ session, kind: message === 'Path' ? 'path' : 'resv', hop, reason, at: this.now() });
        return;
      }
      case 'path':
        this.#notes.delete(keyOf('path', event.session, event.hop));
        return;
      case 'resv':
        this.#notes.delete(keyOf('resv', event.session, event.hop));
        return;
      default:
    }
  }

  all(): RefusalNote[] {
    const since = this.now() - this.lifetime;
    for (const [key, { at }] of this.#notes) if (at < since) this.#notes.delete(key);
    return [...this.#notes.values()];
  }

  #note(note: RefusalNote): void {
    const key = keyOf(note.kind, note.session, note.hop);
    // The newest stands last.
    this.#notes.delete(key);
    this.#notes.set(key, note);
    if (this.#notes.size <= MOST) return;
    for (const oldest of this.#notes.keys()) {
      this.#notes.delete(oldest);
      return;
    }
  }
}

function keyOf(kind: string, session: string, hop: string): string {
  return `${kind} ${session} ${hop}`;
}
