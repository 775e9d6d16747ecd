import { randomFillSync, sign } from 'node:crypto';
import { parseAssertion, signAssertion } from '../policy/keynote/index.js';
import type { PrivateKey } from '../policy/keynote/index.js';
import {
  creditAuthorization,
  Doorkeeper,
  microcheck,
  offer,
  paymentObject,
  PaymentPolicy,
  Quarantine,
  sourceId,
} from '../policy/payment/index.js';
import type { PartyKind, Verdict } from '../policy/payment/index.js';
import { asRequest, NOW, resv } from './request.js';
import type { Kind } from './request.js';

/** One way to bother a policy node, as cheap for the attacker as it can be: a message made once, and changed where it must be. */
export interface Attack {
  readonly name: string;
  readonly octets: number;
  /** Another one that was never sent before. */
  readonly next: (i: number) => Buffer;
  /** How it is refused. */
  readonly reason: string;
}

const ROUTER = 'edge-1';
const HOP = '192.0.2.7';
const NEVER = { failures: 1_000_000, within: 1000, for: 1000 };

/** The people of one kind of keys. */
export class Story {
  readonly #nick: PrivateKey;
  readonly #route: PrivateKey;
  readonly #martha: PrivateKey;
  readonly #alice: PrivateKey;
  readonly #mallory: PrivateKey;

  constructor(readonly kind: Kind) {
    this.#nick = kind.newKey();
    this.#route = kind.newKey();
    this.#martha = kind.newKey();
    this.#alice = kind.newKey();
    this.#mallory = kind.newKey();
  }

  attacks(): Attack[] {
    const real = this.#message(this.#alice, '0.44');
    const garbage = withGarbage(real.message);
    const dear = this.#message(this.#alice, '0.60');
    const stranger = this.#message(this.#mallory, '0.44');
    return [
      { name: 'garbage element', octets: real.message.length, next: garbage, reason: 'bad-element' },
      { name: 'forged signature', ...forged(real), reason: 'bad-signature' },
      { name: 'signed by an unknown key', ...signed(stranger, this.#mallory), reason: 'not-authorized' },
      { name: 'a customer, over the limit', ...signed(dear, this.#alice), reason: 'not-authorized' },
    ];
  }

  /** A policy node that knows the customer, with a quarantine that has only `shut` in it. */
  node(shut?: PartyKind): (octets: Buffer) => Verdict {
    const quarantine = new Quarantine({ key: NEVER, source: NEVER, pep: NEVER });
    const doorkeeper = new Doorkeeper(quarantine);
    const policy = new PaymentPolicy({
      policy: [
        parseAssertion(
          `Authorizer: "POLICY"\nLicensees: "${nameOf(this.#martha)}" && "${nameOf(this.#nick)}"\nConditions: app_domain == "Band-X";\n`,
        ),
      ],
      appDomain: 'Band-X',
      routes: { other: nameOf(this.#route) },
      algorithms: this.kind.algorithms,
      admit: (request, hop) => doorkeeper.admit(request, hop, NOW),
      screen: (request, credentials) => doorkeeper.screen(request, credentials, NOW),
    });
    const decide = (octets: Buffer): Verdict => {
      const request = asRequest(octets, 'h');
      const verdict = policy.decide(request, NOW);
      const { pepId, objects } = request;
      doorkeeper.judged(
        { pepId, objects, verdict, signers: (credentials) => policy.signers(request, credentials, verdict) },
        NOW,
      );
      return verdict;
    };
    const paid = decide(this.#message(this.#alice, '0.44').message);
    if (!paid.granted) throw new Error(paid.reason);
    const ids = { key: nameOf(this.#alice), source: sourceId(HOP, ROUTER), pep: ROUTER };
    if (shut !== undefined)
      quarantine.load(
        [{ kind: shut, id: ids[shut], since: NOW, until: NOW + 1, failures: 1, reason: 'bad-signature' }],
        NOW,
      );
    return decide;
  }

  #message(by: PrivateKey, amount: string): { message: Buffer; check: string } {
    const { algorithm } = this.kind;
    const between = (from: PrivateKey, to: PrivateKey) => ({
      from: nameOf(from),
      to: nameOf(to),
      appDomain: 'Band-X',
    });
    const usd = (sum: string) => ({ amount: sum, currency: 'USD' });
    const terms = { money: usd(amount), nonce: NONCE, date: '20071120' };
    const check = signAssertion(microcheck({ ...between(by, this.#nick), ...terms }), by, algorithm);
    const offered = offer({
      ...between(this.#nick, this.#route),
      price: usd('0.44'),
      bandwidth: 50_000_000,
      until: '20071121',
    });
    const allowed = creditAuthorization({
      ...between(this.#martha, this.#alice),
      limit: { below: usd('0.56') },
    });
    const claims = Object.entries({ amount, currency: 'USD', nonce: NONCE });
    const assertions = [
      check,
      signAssertion(offered, this.#nick, algorithm),
      signAssertion(allowed, this.#martha, algorithm),
    ];
    return { message: Buffer.from(resv(0, paymentObject({ claims, assertions }))), check };
  }
}

const NONCE = 'nonce-00000000';

function nameOf(key: PrivateKey): string {
  return key.principal.toText('base64');
}

/** Right in its lengths and P-Type up to the element, and noise from there on. */
function withGarbage(message: Buffer): (i: number) => Buffer {
  const from = message.indexOf('amount=') - 4;
  const to = message.indexOf('Signature:');
  return () => {
    const octets = Buffer.from(message);
    randomFillSync(octets, from, to - from);
    // Noise is now and then well-formed: not with an attribute longer than the message.
    octets[from] = 0xff;
    return octets;
  };
}

/** The text of a customer whom it overheard, with another nonce, and any signature. */
function forged({ message, check }: Template): Pick<Attack, 'octets' | 'next'> {
  const at = placesOf(message, check);
  return {
    octets: message.length,
    next: (i) => {
      const octets = Buffer.from(message);
      writeNonce(octets, at.nonces, i);
      octets.write(String(i).padStart(8, '0'), at.signature, 'latin1');
      return octets;
    },
  };
}

/** A new check, signed. */
function signed({ message, check }: Template, key: PrivateKey): Pick<Attack, 'octets' | 'next'> {
  const at = placesOf(message, check);
  const hash = key.principal.kind === 'rsa' ? 'sha256' : null;
  const body = Buffer.from(check.slice(0, check.indexOf('Signature:')) + at.algorithm, 'latin1');
  const inBody = [body.indexOf(NONCE)];
  return {
    octets: message.length,
    next: (i) => {
      const octets = Buffer.from(message);
      writeNonce(octets, at.nonces, i);
      writeNonce(body, inBody, i);
      octets.write(sign(hash, body, key.key).toString('base64'), at.signature, 'latin1');
      return octets;
    },
  };
}

interface Template {
  readonly message: Buffer;
  readonly check: string;
}

function placesOf(
  message: Buffer,
  check: string,
): { nonces: number[]; signature: number; algorithm: string } {
  const start = message.indexOf(check, 0, 'latin1');
  const quoted = check.indexOf('"', check.indexOf('Signature:')) + 1;
  const algorithm = check.slice(quoted, check.indexOf(':', quoted) + 1);
  return {
    nonces: [message.indexOf(`nonce=${NONCE}`) + 'nonce='.length, start + check.indexOf(NONCE)],
    signature: start + quoted + algorithm.length,
    algorithm,
  };
}

function writeNonce(octets: Buffer, places: readonly number[], i: number): void {
  const digits = String(i + 1).padStart(8, '0');
  for (const at of places) octets.write(digits, at + 'nonce-'.length, 'latin1');
}
