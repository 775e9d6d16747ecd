import { createHash, randomBytes } from 'node:crypto';
import { acceptDeposits } from '../../policy/clearing/accept.js';
import type { HandedIn } from '../../policy/clearing/accept.js';
import { CLEARING_MIGRATIONS } from '../../policy/clearing/index.js';
import type { ClearingSchema, Deposit } from '../../policy/clearing/index.js';
import { uuidV7 } from '../../policy/io/uuid.js';
import { Batcher } from '../../policy/stores/batcher.js';
import { openStore } from '../../policy/stores/io/open.js';
import { openBare } from './bare.js';
import type { Batch } from './bare.js';
import type { Subject } from './measure.js';
import { ATTRIBUTES, checkText, COMMON } from './story.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const USERS = Array.from({ length: 100 }, (_, i) => `user-${i}`);
const SHARED = COMMON.map(({ digest, text }): [string, string] => [digest, text]);

/** Deposits as the clearing centre books them: judged before, each with a nonce and a check of its own. */
export const DEPOSITS: Subject<HandedIn> = {
  name: 'deposits',
  make: newDeposit,
  open: async (place) => {
    const store = await openStore<ClearingSchema>(place, CLEARING_MIGRATIONS);
    await store.db
      .insertInto('csc_accounts')
      .values(
        ['nick', 'martha', ...USERS].map((id) => ({
          ...{
            id,
            name: id,
            kind: id === 'nick' ? 'isp' : id === 'martha' ? 'provider' : 'user',
            keys: '[]',
          },
          ...{ limits: '{}', frozen: 0n, configured: 1n },
        })),
      )
      .execute();
    const batcher = new Batcher<HandedIn, unknown>({
      run: (items) => store.transaction((db) => acceptDeposits(store.engine, db, items, Date.now())),
      most: 512,
    });
    return {
      one: async (item) => {
        const answer = (await batcher.add(item)) as { answer: string; reason: string };
        if (answer.answer !== 'accepted') throw new Error(answer.reason);
      },
      close: () => store.close(),
    };
  },
  bare: (place) => openBare(place, CLEARING_MIGRATIONS, COLUMNS),
  rows,
};

function newDeposit(): HandedIn {
  const id = uuidV7(Date.now());
  const nonce = randomBytes(8).toString('hex');
  const account = USERS[Math.floor(Math.random() * USERS.length)] ?? '';
  const check = checkText(nonce);
  const texts: [string, string][] = [[sha256(check), check], ...SHARED];
  const payer = `key of ${account}`;
  const now = new Date().toISOString();
  const deposit: Deposit = {
    ...{ id, nonce, reservation: `10.0.0.1/17/${nonce} FF 198.51.100.9/5004`, pepId: 'edge-1' },
    ...{ linkName: 'Dublin-NYC', amount: '0.44', currency: 'USD', payers: [payer], route: 'route' },
    ...{
      grantedAt: now,
      committedAt: now,
      attributes: Object.fromEntries(ATTRIBUTES),
      credentials: texts.map(([digest]) => digest),
    },
  };
  const charge = { payer, principal: payer, name: account, account, provider: 'martha', amount: 44n };
  return {
    ...{ isp: 'nick', id, payers: [payer], nonce, deposit, content: sha256(id), scale: 2 },
    judgement: () => ({ charges: [charge], reason: '' }),
    texts: () => texts,
  };
}

const COLUMNS = {
  csc_assertions: ['digest', 'text'],
  csc_deposits: [
    ...['number', 'isp', 'id', 'content', 'evidence', 'currency', 'amount', 'at'],
    ...['first_seq', 'last_seq', 'hash'],
  ],
  csc_charges: ['payer', 'nonce', 'deposit', 'account', 'provider', 'isp', 'currency', 'amount', 'seq'],
  csc_entries: [
    ...['seq', 'transaction_id', 'account', 'counterparty', 'currency', 'amount', 'kind', 'reference'],
    ...['digest', 'at', 'hash'],
  ],
};
let numbers = 0;

function rows(items: readonly HandedIn[]): Batch {
  const batch = {
    csc_assertions: [] as unknown[][],
    csc_deposits: [] as unknown[][],
    csc_charges: [] as unknown[][],
    csc_entries: [] as unknown[][],
  };
  for (const { id, isp, content, deposit, payers, nonce, texts, judgement } of items) {
    const number = ++numbers;
    const [seq, now] = [number * 2, Date.now()];
    const { charges = [] } = judgement() as { charges?: readonly { account: string }[] };
    const account = charges[0]?.account;
    batch.csc_assertions.push([...texts()][0] as string[]);
    batch.csc_deposits.push([
      number,
      isp,
      id,
      content,
      JSON.stringify(deposit),
      'USD',
      44,
      now,
      seq,
      seq + 1,
      content,
    ]);
    batch.csc_charges.push([payers[0], nonce, number, account, 'martha', isp, 'USD', 44, seq]);
    for (const [at, from, to, amount] of [
      [seq, account, isp, -44],
      [seq + 1, isp, account, 44],
    ] as const)
      batch.csc_entries.push([
        at,
        `D${number}`,
        from,
        to,
        'USD',
        amount,
        'deposit',
        number,
        content,
        now,
        content,
      ]);
  }
  return batch;
}
