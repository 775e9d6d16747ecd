import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { table } from '../stores/store.js';
import type { Cell, EngineName } from '../stores/store.js';
import { big } from './rows.js';
import type { AccountRow, BalanceRow, ClearingSchema, DepositRow, HoldRow } from './schema.js';

type Db = Kysely<ClearingSchema>;

/** Names what is handed in: by whom and how it is called, and whose nonce it spends. */
export interface Named {
  readonly isp: string;
  readonly id: string;
  /** `keyId` of each payer that is claimed. */
  readonly payers: readonly string[];
  readonly nonce: string;
}

/** What the ledger knows of things that are handed in. */
export interface Known {
  /** The deposit that an ISP has under a name. */
  named(isp: string, id: string): DepositRow | undefined;
  /** The deposits that have spent a nonce. */
  spent(payers: readonly string[], nonce: string): readonly DepositRow[];
}

export async function findKnown(engine: EngineName, db: Db, wanted: readonly Named[]): Promise<Known> {
  const names = wanted.map(({ isp, id }) => [isp, id]);
  const nonces = wanted.flatMap(({ payers, nonce }) => payers.map((payer) => [payer, nonce]));
  const byName = await sql<DepositRow>`select d.* from csc_deposits d join ${table(engine, names)}
    on d.isp = value ->> 0 and d.id = value ->> 1`.execute(db);
  const bySpent = await sql<DepositRow & { spent_payer: string; spent_nonce: string }>`
    select d.*, c.payer as spent_payer, c.nonce as spent_nonce from csc_charges c
    join ${table(engine, nonces)} on c.payer = value ->> 0 and c.nonce = value ->> 1
    join csc_deposits d on d.number = c.deposit`.execute(db);
  const named = new Map(byName.rows.map((row) => [`${row.isp} ${row.id}`, row]));
  const spent = new Map(bySpent.rows.map((row) => [`${row.spent_payer} ${row.spent_nonce}`, row]));
  return {
    named: (isp, id) => named.get(`${isp} ${id}`),
    spent: (payers, nonce) => {
      const uses = payers.flatMap((payer) => spent.get(`${payer} ${nonce}`) ?? []);
      return uses.filter(({ number }, i) => uses.findIndex((use) => use.number === number) === i);
    },
  };
}

/** Accounts as the database has them: what they may owe, and what they do. */
export class Books {
  readonly #accounts: ReadonlyMap<string, AccountRow>;
  readonly #limits = new Map<string, ReadonlyMap<string, bigint>>();
  readonly #owes = new Map<string, bigint>();
  readonly #holds = new Map<string, HoldRow>();

  private constructor(
    accounts: readonly AccountRow[],
    balances: readonly BalanceRow[],
    held: readonly { account: string; currency: string; amount: bigint }[],
    holds: readonly HoldRow[],
  ) {
    this.#accounts = new Map(accounts.map((row) => [row.id, row]));
    for (const { account, currency, balance, unsettled } of balances)
      this.owe(account, currency, unsettled - balance);
    for (const { account, currency, amount } of held) this.owe(account, currency, amount);
    for (const hold of holds) this.#holds.set(`${hold.payer} ${hold.nonce}`, hold);
  }

  /** `now`: holds that have ended by then are as good as gone. */
  static async load(
    engine: EngineName,
    db: Db,
    accounts: readonly string[],
    nonces: readonly Pick<Named, 'payers' | 'nonce'>[],
    now: bigint,
  ): Promise<Books> {
    const ids = table(
      engine,
      [...new Set(accounts)].map((id): Cell[] => [id]),
    );
    const spends = nonces.flatMap(({ payers, nonce }) => payers.map((payer) => [payer, nonce]));
    const list = sql`(select value ->> 0 from ${ids})`;
    const found = await sql<AccountRow>`select * from csc_accounts where id in ${list}`.execute(db);
    const balances = await sql<BalanceRow>`select * from csc_balances where account in ${list}`.execute(db);
    const held = await sql<{ account: string; currency: string; amount: bigint }>`
      select account, currency, cast(sum(amount) as bigint) as amount from csc_holds
        where expires > ${now} and account in ${list} group by account, currency
      union all
      select provider, currency, cast(sum(amount) as bigint) from csc_holds
        where expires > ${now} and provider <> account and provider in ${list}
        group by provider, currency`.execute(db);
    const holds = await sql<HoldRow>`select h.* from csc_holds h join ${table(engine, spends)}
      on h.payer = value ->> 0 and h.nonce = value ->> 1 where h.expires > ${now}`.execute(db);
    const sums = held.rows.map((row) => ({ ...row, amount: big(row.amount) }));
    return new Books(found.rows, balances.rows, sums, holds.rows);
  }

  account(id: string): AccountRow | undefined {
    return this.#accounts.get(id);
  }

  isFrozen(id: string): boolean {
    return this.#accounts.get(id)?.frozen === 1n;
  }

  /** What is left until an account's limit; undefined where it has none. */
  room(id: string, currency: string): { readonly limit: bigint; readonly owes: bigint } | undefined {
    const limit = this.#limitsOf(id).get(currency);
    return limit === undefined ? undefined : { limit, owes: this.owes(id, currency) };
  }

  /** Its debt, its users' debts that are not settled yet, and what is held on it. */
  owes(id: string, currency: string): bigint {
    return this.#owes.get(`${id} ${currency}`) ?? 0n;
  }

  owe(id: string, currency: string, more: bigint): void {
    this.#owes.set(`${id} ${currency}`, this.owes(id, currency) + more);
  }

  /** The live hold on a payer's nonce. */
  hold(payer: string, nonce: string): HoldRow | undefined {
    return this.#holds.get(`${payer} ${nonce}`);
  }

  addHold(hold: HoldRow): void {
    this.#holds.set(`${hold.payer} ${hold.nonce}`, hold);
    this.owe(hold.account, hold.currency, hold.amount);
    if (hold.provider !== hold.account) this.owe(hold.provider, hold.currency, hold.amount);
  }

  removeHold(hold: HoldRow): void {
    if (!this.#holds.delete(`${hold.payer} ${hold.nonce}`)) return;
    this.owe(hold.account, hold.currency, -hold.amount);
    if (hold.provider !== hold.account) this.owe(hold.provider, hold.currency, -hold.amount);
  }

  #limitsOf(id: string): ReadonlyMap<string, bigint> {
    let limits = this.#limits.get(id);
    if (limits === undefined) {
      const stored = JSON.parse(this.#accounts.get(id)?.limits ?? '{}') as Record<string, string>;
      limits = new Map(Object.entries(stored).map(([currency, amount]) => [currency, BigInt(amount)]));
      this.#limits.set(id, limits);
    }
    return limits;
  }
}
