import { OP } from '../wire/codes.js';
import type { DecisionError } from '../wire/decision.js';
import type { Integrity } from '../wire/integrity.js';
import { MessageWriter, writeClose } from '../wire/writer.js';
import type { PepEffect } from './options.js';

/** What a PEP has to send and to tell, collected while one input is handled. */
export class PepOutput {
  /** Signs what is sent, once that is negotiated (RFC 2748 4.1). */
  integrity: Integrity | undefined;

  readonly #writer = new MessageWriter();
  #effects: PepEffect[] = [];

  constructor(readonly clientType: number) {}

  begin(opCode: number, clientType = this.clientType, flags = 0): MessageWriter {
    return this.#writer.begin(opCode, clientType, flags);
  }

  /** Ends what `begin` began. */
  end(now: number): void {
    this.#writer.end(this.integrity, now);
  }

  keepAlive(now: number): void {
    this.begin(OP.KA, 0);
    this.end(now);
  }

  close(now: number, clientType: number, error: DecisionError): void {
    writeClose(this.#writer, clientType, error);
    this.end(now);
  }

  effect(effect: PepEffect): void {
    // A new connection starts with nothing to send; what is to be sent belongs to the one before.
    if (effect.kind === 'disconnect' && this.#writer.size > 0) {
      this.#effects.push({ kind: 'send', octets: this.#writer.take() });
    }
    this.#effects.push(effect);
  }

  /** Sending comes first: whoever acts on a decision at once must find the order of messages kept. */
  collect(): readonly PepEffect[] {
    if (this.#writer.size === 0 && this.#effects.length === 0) return NO_EFFECTS;
    const effects = this.#effects;
    this.#effects = [];
    if (this.#writer.size > 0) effects.unshift({ kind: 'send', octets: this.#writer.take() });
    return effects;
  }
}

const NO_EFFECTS: readonly PepEffect[] = [];
