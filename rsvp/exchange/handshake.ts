import { createHmac } from 'node:crypto';
import { Challenge, find } from '../wire/index.js';
import type { RsvpMessage, WireObject } from '../wire/index.js';
import { TimerHeap } from './heap.js';
import type { Timed } from './heap.js';
import { neighbourKey } from './neighbour.js';
import { SequenceWindow } from './replay.js';

/** What a receiver keeps of one sender's key (RFC 2747 2.2): numbers seen, or the challenge that will tell the first. */
class Association implements Timed {
  due = 0;
  slot = -1;
  window: SequenceWindow | undefined;
  cookie: Uint8Array | undefined;
  /** Times that the present challenge was sent. */
  attempts = 0;

  constructor(
    readonly name: string,
    readonly sender: string,
    readonly interfaceIndex: number,
    readonly keyId: string,
  ) {}
}

/** A challenge to send. */
export interface ChallengeFor {
  readonly sender: string;
  readonly interfaceIndex: number;
  readonly challenge: WireObject;
}

/** Senders and keys; each has shown that it holds the key, so this guards against many keys, not against strangers. */
const ASSOCIATIONS = 4096;
const INTERVAL = 1000;
const ATTEMPTS = 5;

/** The receiver's security associations: replay windows, and the handshake by which they begin (RFC 2747 4.2, 4.3). */
export class Associations {
  readonly #all = new Map<string, Association>();
  readonly #heap = new TimerHeap<Association>();
  readonly #secret: Uint8Array | undefined;
  #challenges = 0;

  constructor(secret: Uint8Array | undefined) {
    this.#secret = secret;
  }

  /** A genuine message of this sender has this number. `challenge`: nothing is known of it, and it has to be asked first. */
  check(
    sender: string,
    interfaceIndex: number,
    keyId: string,
    sequenceNumber: bigint,
    manner: { readonly window: number; readonly challenges: boolean },
  ): 'fresh' | 'replayed' | 'unsynchronised' | 'challenge' {
    const name = nameOf(keyId, sender, interfaceIndex);
    let association = this.#all.get(name);
    if (association?.window !== undefined) {
      // Kept in the order of use, so that the one to give up for another is the first.
      this.#all.delete(name);
      this.#all.set(name, association);
      return association.window.accept(sequenceNumber) ? 'fresh' : 'replayed';
    }
    association ??= this.#add(new Association(name, sender, interfaceIndex, keyId));
    if (!manner.challenges) {
      association.window = new SequenceWindow(sequenceNumber, manner.window);
      return 'fresh';
    }
    return association.cookie === undefined ? 'challenge' : 'unsynchronised';
  }

  /** Begins a handshake, or asks once more. */
  challenge(now: number, sender: string, interfaceIndex: number, keyId: string): ChallengeFor | undefined {
    const association = this.#all.get(nameOf(keyId, sender, interfaceIndex));
    return association === undefined ? undefined : this.#ask(now, association);
  }

  /** An Integrity Response, genuine: true where it answers our challenge. Its number is the first (RFC 2747 4.2 step 6). */
  answered(
    response: RsvpMessage,
    claim: { readonly keyId: string; readonly sequenceNumber: bigint },
    sender: string,
    interfaceIndex: number,
    window: number,
  ): boolean {
    const given = find(response, Challenge);
    const association = this.#all.get(nameOf(claim.keyId, sender, interfaceIndex));
    const cookie = association?.cookie;
    if (association === undefined || cookie === undefined || given?.keyId !== claim.keyId) return false;
    if (Buffer.compare(given.challengeCookie, cookie) !== 0) return false;
    association.window = new SequenceWindow(claim.sequenceNumber, window);
    association.cookie = undefined;
    this.#heap.delete(association);
    return true;
  }

  next(): number | undefined {
    return this.#heap.next();
  }

  /** A challenge that was not answered and is repeated (RFC 2747 4.3); after the last the next message begins another. */
  take(now: number): ChallengeFor | undefined {
    for (let due = this.#heap.pop(now); due !== undefined; due = this.#heap.pop(now)) {
      if (due.attempts < ATTEMPTS) return this.#ask(now, due);
      this.#all.delete(due.name);
    }
    return undefined;
  }

  #add(association: Association): Association {
    if (this.#all.size >= ASSOCIATIONS) {
      const [oldest] = this.#all.values();
      if (oldest !== undefined) {
        this.#all.delete(oldest.name);
        this.#heap.delete(oldest);
      }
    }
    this.#all.set(association.name, association);
    return association;
  }

  #ask(now: number, association: Association): ChallengeFor {
    const { sender, interfaceIndex, keyId } = association;
    if (association.cookie === undefined) association.attempts = 0;
    association.cookie ??= this.#cookie(now, association.name);
    this.#heap.set(association, now + INTERVAL * 2 ** association.attempts);
    association.attempts++;
    const challenge = Challenge.make({ reserved: 0, keyId, challengeCookie: association.cookie });
    return { sender, interfaceIndex, challenge };
  }

  /** "An MD5 hash of a local secret and a timestamp" (RFC 2747 4.3), keyed; the count makes it unique. */
  #cookie(now: number, name: string): Uint8Array {
    if (this.#secret === undefined) throw new TypeError('secret: needed where senders are challenged');
    const text = `${now} ${this.#challenges++} ${name}`;
    return createHmac('sha256', this.#secret).update(text).digest().subarray(0, 8);
  }
}

/** Key Identifier and the sender's address: wherever a message comes in, what was seen before is seen (RFC 2747 2.1). */
function nameOf(keyId: string, sender: string, interfaceIndex: number): string {
  return `${keyId} ${neighbourKey(sender, interfaceIndex)}`;
}

/** How many Integrity Challenges are answered: each costs a signature, and nobody has to authenticate to send one. */
export class ChallengeLimit {
  #tokens = BURST;
  #at = -Infinity;

  allows(now: number): boolean {
    this.#tokens = Math.min(BURST, this.#tokens + Math.max(0, now - this.#at) / EVERY);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

const BURST = 16;
/** Milliseconds. */
const EVERY = 100;
