import { fromMinor } from './currency.js';
import type { Books } from './desk.js';
import { MAX_BALANCE } from './journal.js';
import type { Charge } from './judge.js';
import { refuse } from './refuse.js';

/** What a claim asks of the accounts. */
export interface Asked {
  readonly isp: string;
  readonly id: string;
  readonly currency: string;
  readonly nonce: string;
  readonly scale: number;
  readonly charges: readonly Charge[];
}

/**
 * May these accounts be charged? Throws `ClaimRefused` for a frozen account, a nonce that is held by somebody else, and a limit.
 * What was held for this very payment was promised: it is not asked about again.
 */
export function checkCredit(books: Books, asked: Asked): void {
  const { isp, currency, nonce, scale, charges } = asked;
  for (const id of [isp, ...charges.flatMap(({ account, provider }) => [account, provider])])
    if (books.isFrozen(id)) refuse(`account ${id} is frozen`);
  for (const charge of charges) {
    const hold = books.hold(charge.payer, nonce);
    if (hold !== undefined && hold.isp !== isp)
      refuse(
        `the nonce \`${nonce}\` of ${charge.name} is held by ${hold.isp} until ${new Date(Number(hold.expires)).toISOString()}`,
      );
  }
  const promised = charges.map(({ payer }) => {
    const hold = books.hold(payer, nonce);
    return hold?.currency === currency ? hold.amount : 0n;
  });
  const more = new Map<string, bigint>();
  charges.forEach(({ account, provider, amount }, i) => {
    const beyond = amount - (promised[i] ?? 0n);
    for (const id of new Set([account, provider])) more.set(id, (more.get(id) ?? 0n) + beyond);
  });
  const sum = charges.reduce((total, { amount }) => total + amount, 0n);
  for (const id of [isp, ...more.keys()]) {
    const owes = books.owes(id, currency);
    if ((owes < 0n ? -owes : owes) + sum > MAX_BALANCE)
      refuse(`the balance of ${id} in ${currency} would overflow: settle first`);
  }
  for (const [id, amount] of more) {
    const room = books.room(id, currency);
    if (room === undefined || amount <= 0n || room.owes + amount <= room.limit) continue;
    const text = (minor: bigint): string => fromMinor(minor, scale);
    refuse(
      `${id} owes ${text(room.owes)} ${currency}, and with ${text(amount)} more it is above its limit of ${text(room.limit)}`,
    );
  }
}
