import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { onEachEngine } from '../../stores/test/engines.js';
import { audit } from '../audit.js';
import type { AuditProblem, AuditReport } from '../audit.js';
import { judgeOf, known, NOW, openCentre, payment, POLICY, principal, requestOf } from './centre.js';
import type { Opened } from './centre.js';

/** Undoes what a transaction did. */
class Undo extends Error {}

/*
 * The ledger that is tampered with: deposits 1 and 2 (entries 1 to 4), batch 1 (entries 5 and 6: one user), its payment (7 and 8),
 * deposit 3 (entries 9 and 10).
 */
const TAMPERINGS: readonly [
  string,
  string,
  { what: AuditProblem['what']; entry?: number; deposit?: number; text: RegExp },
][] = [
  [
    'an entry with another amount',
    `update csc_entries set amount = 45 where seq = 2`,
    { what: 'chain', entry: 2, text: /entry 2 or one before it was changed/ },
  ],
  [
    'an entry with another amount: its transaction',
    `update csc_entries set amount = 45 where seq = 2`,
    { what: 'sum', entry: 1, text: /transaction D1 sums to 1 USD, not to 0/ },
  ],
  [
    'an entry with another amount: its currency',
    `update csc_entries set amount = 45 where seq = 2`,
    { what: 'sum', text: /all entries in USD sum to 1, not to 0/ },
  ],
  [
    'an entry with another amount: the balance',
    `update csc_entries set amount = 45 where seq = 2`,
    { what: 'balance', text: /the balance of nick is 46 USD, its entries sum to 47/ },
  ],
  [
    'an entry on another account',
    `update csc_entries set account = 'mallory' where seq = 2`,
    { what: 'deposit', entry: 2, deposit: 1, text: /entry 2 is not one of deposit 1/ },
  ],
  [
    'an entry at another time',
    `update csc_entries set at = at + 1 where seq = 4`,
    { what: 'chain', entry: 4, text: /entry 4 or one before it was changed/ },
  ],
  [
    'an entry that is gone',
    `delete from csc_entries where seq = 3`,
    { what: 'chain', entry: 4, text: /entry 3 is missing: entry 4 follows 2/ },
  ],
  [
    'an entry that is gone: its charge',
    `delete from csc_entries where seq = 3`,
    { what: 'charge', entry: 3, deposit: 2, text: /charged by entry 3, which is not so/ },
  ],
  [
    'the last entries that are gone, and a head that agrees',
    `delete from csc_entries where seq >= 9;
     update csc_head set seq = 8, hash = (select hash from csc_entries where seq = 8)`,
    { what: 'deposit', entry: 10, deposit: 3, text: /the receipt of deposit 3 is not that of entry 10/ },
  ],
  [
    'a head that says something else',
    `update csc_head set seq = 9`,
    { what: 'chain', entry: 9, text: /ends with entry 10.*head says 9/ },
  ],
  [
    'an entry of nothing',
    `insert into csc_entries select 11, 'D4', account, counterparty, currency, amount, kind, 4, digest, at, hash
       from csc_entries where seq = 9`,
    { what: 'deposit', entry: 11, deposit: 4, text: /entry 11 is not one of deposit 4/ },
  ],
  [
    'an entry without a spent nonce',
    `delete from csc_charges where seq = 1`,
    { what: 'charge', entry: 1, deposit: 1, text: /entry 1 of deposit 1 has spent no nonce/ },
  ],
  [
    'a deposit without a spent nonce',
    `delete from csc_charges where seq = 1`,
    { what: 'charge', entry: 1, deposit: 1, text: /deposit 1 has not spent the nonces of its payers/ },
  ],
  [
    'another nonce',
    `update csc_charges set nonce = 'other' where seq = 1`,
    { what: 'charge', deposit: 1, text: /deposit 1 has not spent the nonces of its payers/ },
  ],
  [
    'a nonce for no deposit',
    `insert into csc_charges select payer, 'free', 9, account, provider, isp, currency, amount, 99 from csc_charges where seq = 1`,
    {
      what: 'charge',
      entry: 99,
      deposit: 9,
      text: /the nonce of deposit 9 is charged by entry 99, which is not so/,
    },
  ],
  [
    'a charge on another provider',
    `update csc_charges set provider = 'bank' where seq = 9`,
    { what: 'unsettled', text: /bank has 0 USD unsettled, the charges sum to 46/ },
  ],
  [
    'a charge on another provider, and balances that agree',
    `update csc_charges set provider = 'mallory' where seq = 9;
     update csc_balances set unsettled = 0 where account = 'martha';
     insert into csc_balances values ('mallory', 'USD', 0, 46)`,
    {
      what: 'charge',
      deposit: 3,
      text: /not what entry 9 was booked for: its content, its payer or mallory/,
    },
  ],
  [
    'another balance',
    `update csc_balances set balance = balance - 10 where account = 'nick'`,
    { what: 'balance', text: /the balance of nick is 36 USD, its entries sum to 46/ },
  ],
  [
    'another sum of unsettled debts',
    `update csc_balances set unsettled = 0 where account = 'martha'`,
    { what: 'unsettled', text: /martha has 0 USD unsettled, the charges sum to 46/ },
  ],
  [
    'a balance that is gone',
    `delete from csc_balances where account = 'nick'`,
    { what: 'balance', text: /the balance of nick is 0 USD/ },
  ],
  [
    'a deposit that is gone',
    `delete from csc_deposits where number = 2`,
    { what: 'deposit', entry: 3, deposit: 2, text: /entry 3 is not one of deposit 2/ },
  ],
  [
    'the last deposit that is gone with all that it left',
    `delete from csc_deposits where number = 3; delete from csc_charges where deposit = 3;
     delete from csc_entries where reference = 3 and kind = 'deposit'`,
    { what: 'deposit', text: /2 deposits are there, the last is 2; the head of the ledger says 3/ },
  ],
  [
    'a deposit of another amount',
    `update csc_deposits set amount = 440 where number = 1`,
    { what: 'deposit', entry: 2, deposit: 1, text: /deposit 1 is of 440, its entries credit 44/ },
  ],
  [
    'a deposit of another amount than its evidence',
    `update csc_deposits set amount = 440 where number = 1`,
    { what: 'evidence', deposit: 1, text: /is booked as 440 USD, its evidence says 0.44 USD/ },
  ],
  [
    'a deposit of another ISP',
    `update csc_deposits set isp = 'mallory' where number = 1`,
    { what: 'deposit', entry: 1, deposit: 1, text: /entry 1 is not one of deposit 1/ },
  ],
  [
    'other evidence',
    `update csc_deposits set evidence = replace(evidence, '192.0.2.7', '192.0.2.8') where number = 1`,
    { what: 'evidence', deposit: 1, text: /deposit 1 was changed: its digest is/ },
  ],
  [
    'another digest of the evidence',
    `update csc_deposits set content = 'x' where number = 1`,
    { what: 'charge', deposit: 1, text: /deposit 1 is not what entry 1 was booked for/ },
  ],
  [
    'another receipt',
    `update csc_deposits set hash = 'x' where number = 1`,
    { what: 'deposit', entry: 2, deposit: 1, text: /the receipt of deposit 1 is not that of entry 2/ },
  ],
  [
    'another credential',
    `update csc_assertions set text = replace(text, 'Band-X', 'Band-Y')`,
    { what: 'assertion', text: /assertion \w{64} is called \w{64}, but its SHA-256 is/ },
  ],
  [
    'a credential that is gone',
    `delete from csc_assertions where text like '%nonce == "b"%'`,
    { what: 'evidence', deposit: 2, text: /deposit 2 has lost its credential \w{64}/ },
  ],
  [
    'a batch of another amount',
    `update csc_batches set amount = 1000 where number = 1`,
    { what: 'batch', text: /batch 1 says 1000 for 2 charges, there are 2 of 89/ },
  ],
  [
    'a batch that is gone',
    `delete from csc_batches where number = 1`,
    { what: 'batch', text: /martha was settled with nick for 0 USD, the charges sum to 89/ },
  ],
  [
    'a batch that is not paid though it is booked',
    `update csc_batches set paid_at = null`,
    { what: 'batch', entry: 8, text: /batch 1: 89 is booked as paid, 0 is expected/ },
  ],
  [
    'a settlement that moved something else',
    `update csc_entries set amount = amount * 2 where kind = 'settlement'`,
    { what: 'batch', entry: 6, text: /batch 1 moved 178 of ed25519:\w{64}, the charges sum to 89/ },
  ],
  [
    'a payment to somebody else',
    `update csc_entries set account = 'mallory' where seq = 7`,
    { what: 'batch', entry: 7, text: /entry 7 is not one of batch 1/ },
  ],
  [
    'an account that is gone',
    `delete from csc_accounts where id = 'nick'`,
    { what: 'account', entry: 2, text: /account nick has entries from 2 on, but is not there/ },
  ],
];

describe('An audit', () => {
  onEachEngine(({ name, place }) => {
    let opened: Opened;
    before(async () => {
      opened = await openCentre(await place());
      const { centre } = opened;
      const nick = known(centre, 'nick');
      const two = requestOf(payment({ nonce: 'a', amount: '0.44' }), payment({ nonce: 'b', amount: '0.45' }));
      await centre.deposit(nick, two, NOW);
      await centre.settle(NOW);
      await centre.paid(1, NOW);
      await centre.deposit(nick, requestOf(payment({ nonce: 'c', amount: '0.46' })), NOW);
    });
    after(() => opened.centre.close());

    /** The audit of a ledger that somebody with the database's password has changed; undone afterwards. */
    async function auditAfter(statements: string): Promise<AuditReport> {
      let report: AuditReport | undefined;
      await assert.rejects(
        opened.store.transaction(async (db) => {
          for (const statement of [...withoutTriggers(name), ...statements.split(';')])
            await sql.raw(statement).execute(db);
          report = await audit({ db });
          throw new Undo();
        }),
        Undo,
      );
      return report!;
    }

    it('finds nothing where nothing was changed, and says how far it looked', async () => {
      const report = await opened.centre.audit({ verify: true });
      assert.deepEqual([report.problems, report.entries, report.deposits], [[], 10, 3]);
      assert.match(report.hash, /^[0-9a-f]{64}$/);
      assert.deepEqual((await auditAfter('select 1')).problems, []);
    });

    for (const [what, statements, { text, ...where }] of TAMPERINGS) {
      it(`finds ${what}`, async () => {
        const { problems } = await auditAfter(statements);
        const found = problems.find((problem) => problem.what === where.what && text.test(problem.text));
        assert.ok(found, problems.map((problem) => JSON.stringify(problem)).join('\n'));
        if (where.entry !== undefined) assert.equal(found.entry, where.entry);
        if (where.deposit !== undefined) assert.equal(found.deposit, where.deposit);
      });
    }

    it('asks again whether each payment is granted', async () => {
      const policy = POLICY.replace(principal('martha'), principal('mallory'));
      const { problems } = await audit(opened.store, judgeOf({ policy }));
      assert.deepEqual(
        problems.map((problem) => [problem.what, problem.deposit]),
        [1, 2, 3].map((deposit) => ['not-granted', deposit]),
      );
    });
  });
});

function withoutTriggers(name: string): string[] {
  return ['csc_entries', 'csc_deposits', 'csc_charges', 'csc_assertions'].flatMap((table) =>
    name === 'sqlite'
      ? [`drop trigger ${table}_update`, `drop trigger ${table}_delete`]
      : [`drop trigger ${table}_append_only on ${table}`],
  );
}
