import assert from 'node:assert/strict';
import fc from 'fast-check';
import { onEachEngine } from '../../stores/test/engines.js';
import type { DepositAnswer } from '../index.js';
import { claimOf, account, known, NOW, openCentre, payment, principal, requestOf } from './centre.js';
import type { Opened } from './centre.js';

/*
 * Anything that may happen to a clearing centre, in any order, beside a model of twenty lines that knows nothing of SQL: a nonce pays
 * once, and who owes whom is a sum over what was accepted.
 */

const NONCES = 8;
const AMOUNTS = ['0.44', '0.45', '0.50'] as const;
const LIMIT = 160n;
const HOLD = 3_600_000;

type Step =
  | {
      readonly do: 'deposit';
      readonly nonces: readonly number[];
      readonly amount: number;
      readonly place: number;
      readonly lost: boolean;
    }
  | { readonly do: 'hold'; readonly nonce: number; readonly amount: number }
  | { readonly do: 'release'; readonly nonce: number }
  | { readonly do: 'settle' }
  | { readonly do: 'pay'; readonly batch: number }
  | { readonly do: 'wait' }
  | { readonly do: 'restart' };

const index = (below: number) => fc.integer({ min: 0, max: below - 1 });
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('deposit' as const),
      nonces: fc.array(index(NONCES), { minLength: 1, maxLength: 4 }),
      amount: index(AMOUNTS.length),
      place: index(2),
      lost: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      nonce: index(NONCES),
      amount: index(AMOUNTS.length),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), nonce: index(NONCES) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'settle' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pay' as const), batch: index(4) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'wait' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

class Model {
  readonly spent = new Map<number, { amount: bigint; content: string; settled: boolean }>();
  readonly holds = new Map<number, { amount: bigint; expires: number }>();
  readonly batches: { amount: bigint; paid: boolean }[] = [];
  now = NOW;

  /** What Martha owes, one way or another. */
  get owed(): bigint {
    return this.sum(this.spent.values()) - this.sum(this.batches.filter(({ paid }) => paid)) + this.held;
  }

  get held(): bigint {
    return this.sum([...this.holds.values()].filter(({ expires }) => expires > this.now));
  }

  deposit(nonce: number, amount: bigint, content: string): DepositAnswer['answer'] {
    const before = this.spent.get(nonce);
    if (before !== undefined) return before.content === content ? 'duplicate' : 'double-spent';
    const hold = this.holds.get(nonce);
    const promised = hold !== undefined && hold.expires > this.now ? hold.amount : 0n;
    if (amount > promised && this.owed + amount - promised > LIMIT) return 'refused';
    this.holds.delete(nonce);
    this.spent.set(nonce, { amount, content, settled: false });
    return 'accepted';
  }

  /** `live` is the amount that the nonce is held for. */
  hold(nonce: number, amount: bigint): string {
    if (this.spent.has(nonce)) return 'double-spent';
    const live = this.holds.get(nonce);
    if (live !== undefined && live.expires > this.now)
      return live.amount === amount ? 'duplicate' : 'refused';
    if (this.owed + amount > LIMIT) return 'refused';
    this.holds.set(nonce, { amount, expires: this.now + HOLD });
    return 'held';
  }

  release(nonce: number): void {
    this.holds.delete(nonce);
  }

  settle(): bigint | undefined {
    const open = [...this.spent.values()].filter(({ settled }) => !settled);
    if (open.length === 0) return undefined;
    for (const one of open) one.settled = true;
    this.batches.push({ amount: this.sum(open), paid: false });
    return this.sum(open);
  }

  sum(of: Iterable<{ amount: bigint }>): bigint {
    return [...of].reduce((total, { amount }) => total + amount, 0n);
  }
}

const cents = (amount: number): bigint => BigInt((AMOUNTS[amount] ?? '').replace('.', ''));
const minor = (text: string | undefined): bigint => BigInt((text ?? '0').replace('.', ''));

describe('The ledger beside its model', () => {
  onEachEngine(({ name, place }) => {
    it('says the same after anything that may happen, and sums to zero', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 40 }), async (steps) => {
          const where = await place();
          const model = new Model();
          let opened = await open(where);
          const runner = new Runner(model);
          try {
            for (const step of steps) {
              if (step.do === 'restart') {
                await opened.centre.close();
                opened = await open(where);
              } else await runner.run(opened, step);
            }
            await compare(opened, model);
          } finally {
            await opened.centre.close();
          }
        }),
        { numRuns: name === 'sqlite' ? 60 : 8, ...seed() },
      );
    }).timeout(60_000);
  });
});

/** A failure prints its seed: `SEED=... npx mocha ...` repeats it. */
function seed(): { seed?: number } {
  const { SEED } = process.env;
  return SEED === undefined ? {} : { seed: Number(SEED) };
}

function open(where: string): Promise<Opened> {
  return openCentre(where, {
    accounts: [
      account('martha', 'provider', ['martha'], { limit: { USD: LIMIT } }),
      account('nick', 'isp', ['nick']),
    ],
  });
}

class Runner {
  constructor(private readonly model: Model) {}

  async run({ centre }: Opened, step: Exclude<Step, { do: 'restart' }>): Promise<void> {
    const { model } = this;
    const nick = known(centre, 'nick');
    switch (step.do) {
      case 'deposit': {
        const paid = step.nonces.map((nonce) => paymentOf(nonce, step.amount, step.place));
        const answers = await centre.deposit(nick, requestOf(...paid), model.now);
        const expected = step.nonces.map((nonce) =>
          model.deposit(nonce, cents(step.amount), `${step.amount} ${step.place}`),
        );
        // A lost answer: nobody saw it, and what follows must be as if somebody had.
        if (!step.lost)
          assert.deepEqual(
            answers.map(({ answer }) => answer),
            expected,
            answers.map(({ reason }) => reason).join('; '),
          );
        return;
      }
      case 'hold': {
        const { deposit, assertions } = paymentOf(step.nonce, step.amount, 0);
        const claim = claimOf(deposit);
        const holds = [
          { ...claim, id: `${step.nonce}`, expiresAt: new Date(model.now + HOLD).toISOString() },
        ];
        const [answer] = await centre.hold(nick, { assertions, holds }, model.now);
        assert.equal(answer?.answer, model.hold(step.nonce, cents(step.amount)), answer?.reason);
        return;
      }
      case 'release':
        await centre.release('nick', `${step.nonce}`);
        model.release(step.nonce);
        return;
      case 'settle': {
        const [batch, ...more] = await centre.settle(model.now);
        assert.deepEqual(more, []);
        assert.equal(batch === undefined ? undefined : minor(batch.amount), model.settle());
        return;
      }
      case 'pay': {
        const batch = model.batches[step.batch];
        const { answer } = await centre.paid(step.batch + 1, model.now);
        assert.equal(answer, batch === undefined ? 'unknown' : batch.paid ? 'was-paid' : 'paid');
        if (batch !== undefined) batch.paid = true;
        return;
      }
      case 'wait':
        model.now += HOLD / 2;
    }
  }
}

const KNOWN_PAYMENTS = new Map<string, ReturnType<typeof payment>>();

/** Signing takes most of the time: each is made once. */
function paymentOf(nonce: number, amount: number, where: number): ReturnType<typeof payment> {
  const name = `${nonce} ${amount} ${where}`;
  let paid = KNOWN_PAYMENTS.get(name);
  if (paid === undefined) {
    const deposit = { id: name, reservation: `reservation ${where}` };
    paid = payment({ nonce: `nonce ${nonce}`, amount: AMOUNTS[amount] ?? '', deposit });
    KNOWN_PAYMENTS.set(name, paid);
  }
  return paid;
}

async function compare({ centre }: Opened, model: Model): Promise<void> {
  const accounts = await centre.accounts(model.now);
  const balance = (of: (account: (typeof accounts)[number]) => boolean) => {
    const [usd] = accounts.find(of)?.balances ?? [];
    return { balance: minor(usd?.balance), unsettled: minor(usd?.unsettled), held: minor(usd?.held) };
  };
  const all = model.sum(model.spent.values());
  const open = model.sum([...model.spent.values()].filter(({ settled }) => !settled));
  const paid = model.sum(model.batches.filter((batch) => batch.paid));
  const user = balance(({ keys }) => keys.includes(principal('alice')));
  const martha = balance(({ id }) => id === 'martha');
  const nick = balance(({ id }) => id === 'nick');
  assert.deepEqual(martha, { balance: open - all + paid, unsettled: open, held: model.held });
  assert.equal(user.balance, -open);
  assert.equal(nick.balance, all - paid);
  assert.equal(user.balance + martha.balance + nick.balance, 0n);
  for (const { id, balances } of accounts) {
    const statement = await centre.statement({ account: id, currency: 'USD' });
    const sum = model.sum((statement?.lines ?? []).map(({ amount }) => ({ amount: minor(amount) })));
    assert.equal(sum, minor(balances[0]?.balance));
    assert.equal(minor(statement?.closing), sum);
  }
  assert.deepEqual((await centre.audit({ verify: true })).problems, []);
}
