import type { ArrivedPacket } from '../engine/packet.js';
import type { RsvpMessage } from '../wire/index.js';
import { Drop } from './effect.js';
import type { Journal } from './effect.js';
import { Associations } from './handshake.js';
import type { ChallengeFor } from './handshake.js';
import { claimOf, isGenuine } from './integrity.js';
import type { Claim } from './integrity.js';
import type { InterfaceIntegrity } from './options.js';

const RESPONSE = 26;
const WINDOW = 32;

/** Is a message from whom it says, and fresh (RFC 2747 4.2)? */
export class Authenticator {
  readonly associations: Associations;
  #warned = new Set<string>();

  constructor(
    secret: Uint8Array | undefined,
    readonly journal: Journal,
    /** Sends an Integrity Challenge. */
    readonly challenge: (challenge: ChallengeFor) => void,
  ) {
    this.associations = new Associations(secret);
  }

  /**
   * Undefined: it may go on. `sender` is the neighbour by RSVP_HOP or IP source; only a digest that is right makes it more than
   * a claim, and nothing is remembered before. An Integrity Response ends here in any case.
   */
  check(
    now: number,
    { receive: ring, ...integrity }: InterfaceIntegrity,
    packet: ArrivedPacket,
    octets: Uint8Array,
    message: RsvpMessage,
    sender: string,
  ): Drop | 'answered' | undefined {
    const isResponse = message.msgType === RESPONSE;
    if (ring === undefined)
      return isResponse ? new Drop('unexpected-response', 'nobody was challenged here') : undefined;
    const claim = claimOf(octets);
    if (claim instanceof Drop) return claim;
    if (claim === undefined)
      return new Drop('unauthenticated', 'INTEGRITY is not its first object (RFC 2747 4)');
    const { keyId } = claim;
    const choice = ring.receiving(now, sender, keyId);
    if (choice === 'unknown') return new Drop('unknown-key', `key ${keyId} of ${sender} is not known`);
    if (choice === 'expired') return new Drop('expired-key', `key ${keyId} of ${sender} has expired`);
    if (!isGenuine(octets, claim, choice.key))
      return new Drop('bad-digest', `the digest is not one of key ${keyId} (RFC 2747 4.2)`);
    if (choice.isExpired) this.#warn(keyId, sender);
    const window = integrity.window ?? WINDOW;
    if (!isResponse) return this.#fresh(now, claim, sender, packet.interface, { ...integrity, window });
    if (!this.associations.answered(message, claim, sender, packet.interface, window))
      return new Drop('unexpected-response', 'it does not answer a challenge of ours (RFC 2747 4.3)');
    this.journal.notice('handshake', `${sender} has answered our challenge with key ${keyId}`);
    return 'answered';
  }

  #fresh(
    now: number,
    { keyId, sequenceNumber, answersChallenges }: Claim,
    sender: string,
    interfaceIndex: number,
    { handshake = 'on', window }: InterfaceIntegrity & { readonly window: number },
  ): Drop | undefined {
    if (handshake === 'required' && !answersChallenges)
      return new Drop('no-handshake', `${sender} does not answer challenges: HF is 0 (RFC 2747 4.3)`);
    // RFC 2747 4.3: none SHOULD be sent to those who do not answer.
    const challenges = handshake !== 'off' && answersChallenges;
    const { associations } = this;
    const manner = { window, challenges };
    const verdict = associations.check(sender, interfaceIndex, keyId, sequenceNumber, manner);
    if (verdict === 'fresh') return undefined;
    const number = sequenceNumber.toString();
    if (verdict === 'replayed')
      return new Drop(
        'replayed',
        `sequence number ${number} of key ${keyId} was seen or is too old (RFC 2747 4.2)`,
      );
    if (verdict === 'challenge') {
      const challenge = associations.challenge(now, sender, interfaceIndex, keyId);
      if (challenge !== undefined) this.challenge(challenge);
    }
    return new Drop(
      'unsynchronised',
      `the first sequence number of ${sender} is not known yet (RFC 2747 4.3)`,
    );
  }

  #warn(keyId: string, sender: string): void {
    if (this.#warned.has(`${keyId} ${sender}`)) return;
    this.#warned.add(`${keyId} ${sender}`);
    const text = `key ${keyId}, the last of ${sender}, has expired and is accepted on (RFC 2747 5.3)`;
    this.journal.notice('last-key-expired', text);
  }
}
