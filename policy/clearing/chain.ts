import { sha256 } from './deposit.js';
import type { ChargeRow, EntryRow } from './schema.js';

/**
 * Each entry's hash covers the hash before it, so whoever kept one (a receipt has one) can tell that nothing before it was
 * changed. Members are text: a bigint has no one form in JSON.
 */
export function entryHash(before: string, entry: Omit<EntryRow, 'hash'>): string {
  const { seq, transaction_id, account, counterparty, currency, amount, kind, reference, digest, at } = entry;
  const members = [seq, transaction_id, account, counterparty, currency, amount, kind, reference, digest, at];
  return sha256(`${before}\n${JSON.stringify(members.map(String))}`);
}

/** What an entry of a deposit says of its evidence: what was paid for, by whom, and who settles for it. */
export function chargeDigest(
  content: string,
  { payer, provider }: Pick<ChargeRow, 'payer' | 'provider'>,
): string {
  return sha256(JSON.stringify([content, payer, provider]));
}
