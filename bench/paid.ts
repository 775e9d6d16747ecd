import { readFixture } from '../fixtures/index.js';
import { parsePrivateKey, signAssertion } from '../policy/keynote/index.js';
import { microcheck, paymentObject } from '../policy/payment/index.js';
import { main as cops } from './cops.js';
import type { CopsBenchResult } from './cops.js';
import { resv } from './request.js';

/**
 * COPS decisions with the paper's whole chain (check, offer, authorization; Ed25519), decided as `bandex pdp` does. Each handle
 * has a check of its own; after its first time round its credentials are known, as on any refresh or update: what a new
 * check costs, Table I says.
 */
export async function main(): Promise<readonly CopsBenchResult[]> {
  const text = (name: string): string => readFixture(`story/${name}`).toString('latin1');
  const alice = parsePrivateKey(text('keys/alice.key'));
  const common = [text('credentials/offer'), text('credentials/authorization')];
  const clientSi = (handle: number): Uint8Array => {
    // All requests are of one length, so that the sender finds its way in them.
    const nonce = `nonce${String(handle).padStart(6, '0')}`;
    const check = microcheck({
      from: alice.principal.toText('base64'),
      to: text('keys/nick.pub').trim(),
      appDomain: 'Band-X',
      money: { amount: '0.44', currency: 'USD' },
      nonce,
      date: '20071120',
    });
    const claims = Object.entries({ amount: '0.44', currency: 'USD', nonce });
    const message = resv(
      handle,
      paymentObject({ claims, assertions: [signAssertion(check, alice), ...common] }),
    );
    return message.subarray(COMMON_HEADER);
  };
  console.log('With the full credential chain, known after the first time round:');
  return cops({ decide: new URL('./paid-decide.js', import.meta.url).href, clientSi, warmUp: 4 });
}

const COMMON_HEADER = 8;
