import { randomBytes } from 'node:crypto';
import { uuidV7 } from '../../policy/io/uuid.js';
import type { GrantRequest, NonceKey, Payment, Verdict } from '../../policy/payment/index.js';
import { nonceDigest } from '../../policy/stores/books/digest.js';
import { BOOKS_MIGRATIONS } from '../../policy/stores/books/schema.js';
import { StoredBooks } from '../../policy/stores/io/books.js';
import { openBare } from './bare.js';
import type { Batch } from './bare.js';
import type { Subject } from './measure.js';
import { ATTRIBUTES, checkFor, COMMON, PAYMENT } from './story.js';

const PAYERS = Array.from({ length: 100 }, () => `ed25519-base64:${randomBytes(32).toString('base64')}`);

/** Grants as `bandex pdp` writes them down: judged before, each with a check and a nonce of its own. */
export const GRANTS: Subject<GrantRequest> = {
  name: 'grants',
  make: newGrant,
  open: async (place) => {
    const books = await StoredBooks.open(place, { instance: 'bench' });
    return { one: (request) => books.grant(request), close: () => books.close() };
  },
  bare: (place) => openBare(place, BOOKS_MIGRATIONS, COLUMNS),
  rows,
};

function newGrant(): GrantRequest {
  const id = uuidV7(Date.now());
  const nonce = randomBytes(8).toString('hex');
  const check = checkFor(nonce);
  const payment: Payment = {
    ...PAYMENT,
    nonce,
    reservation: PAYMENT.reservation.replace('5004', nonce),
    credentials: [check, ...COMMON],
    checks: [check],
  };
  const verdict: Verdict = { granted: true, reason: '', attributes: ATTRIBUTES, payment };
  return {
    id,
    holder: id,
    pepId: 'edge-1',
    handle: '00000001',
    linkName: 'Dublin-NYC',
    keys: [{ payer: PAYERS[Math.floor(Math.random() * PAYERS.length)] ?? '', nonce }],
    verdict,
    leaving: undefined,
    now: Date.now(),
    recheck: () => verdict,
  };
}

const COLUMNS = {
  nonces: ['digest', 'grant_id'],
  grants: [
    ...[
      'id',
      'reservation',
      'session',
      'pep_id',
      'handle',
      'link_name',
      'amount',
      'sum',
      'currency',
      'nonce',
    ],
    ...['payers', 'attributes', 'checks', 'credentials', 'totalled', 'requesters', 'state', 'granted_at'],
  ],
  holders: ['grant_id', 'holder', 'pep_id', 'handle', 'instance', 'since'],
};

function rows(requests: readonly GrantRequest[]): Batch {
  const nonces: unknown[][] = [];
  const grants: unknown[][] = [];
  const holders: unknown[][] = [];
  for (const { id, keys, verdict, pepId, handle, linkName, now } of requests) {
    const payment = verdict.payment as Payment;
    const { nonce, reservation, session, amount, currency, requesters, checks } = payment;
    const payers = keys.map(({ payer }) => payer);
    nonces.push([nonceDigest(keys[0] as NonceKey), id]);
    grants.push([
      ...[id, reservation, session, pepId, handle, linkName, amount, 440_000, currency, nonce],
      JSON.stringify(payers),
      JSON.stringify(Object.fromEntries(verdict.attributes)),
      JSON.stringify(checks.map(({ text }) => text)),
      JSON.stringify(COMMON.map(({ digest }) => digest)),
      ...['[]', JSON.stringify(requesters), 'held', now],
    ]);
    holders.push([id, `bench/${id}`, pepId, handle, 'bench', now]);
  }
  return { nonces, grants, holders };
}
