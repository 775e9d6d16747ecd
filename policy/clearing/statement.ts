import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { fromMinor } from './currency.js';
import { iso } from './plausible.js';
import { big } from './rows.js';
import type { ClearingSchema, EntryKind, EntryRow } from './schema.js';
import { scales } from './views.js';

export interface StatementQuery {
  readonly account: string;
  readonly currency: string;
  /** From this time on, before that one; milliseconds since 1970. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Goes on behind this entry. */
  readonly after?: number | undefined;
  /** Lines at most. Default 1000. */
  readonly limit?: number | undefined;
}

export interface StatementLine {
  readonly entry: number;
  readonly at: string;
  readonly kind: EntryKind;
  /** Account at the other end, by its name. */
  readonly counterparty: string;
  /** Number of the deposit, or of the batch. */
  readonly reference: number;
  readonly reservation: string;
  readonly nonce: string;
  readonly amount: string;
  /** After this line. */
  readonly balance: string;
}

export interface Statement {
  readonly account: string;
  readonly currency: string;
  readonly opening: string;
  readonly lines: readonly StatementLine[];
  readonly closing: string;
  /** `after` of the next part, where this is not all. */
  readonly next?: number | undefined;
}

type Row = EntryRow & { name: string | null; evidence: string | null };

const MOST_LINES = 1000;

/** What was booked on an account in one currency; undefined where there is no such account. */
export async function statement(
  db: Kysely<ClearingSchema>,
  query: StatementQuery,
): Promise<Statement | undefined> {
  const { account, currency, from = 0, to, after = 0, limit = MOST_LINES } = query;
  const { rows: found } = await sql`select id from csc_accounts where id = ${account}`.execute(db);
  if (found.length === 0) return undefined;
  const scale = (await scales(db))(currency);
  const text = (minor: bigint): string => fromMinor(minor, scale);
  const until = to === undefined ? sql`` : sql`and e.at < ${Math.floor(to)}`;
  // Both are read at one moment: what is booked meanwhile has greater numbers than the last line.
  const { rows } = await sql<Row>`
    select e.*, a.name, d.evidence from csc_entries e
      left join csc_accounts a on a.id = e.counterparty
      left join csc_deposits d on d.number = e.reference and e.kind = 'deposit'
    where e.account = ${account} and e.currency = ${currency} and e.at >= ${Math.ceil(from)} and e.seq > ${after} ${until}
    order by e.seq limit ${limit + 1}`.execute(db);
  const lines = rows.slice(0, limit);
  const { rows: sums } = await sql<{ sum: bigint | null }>`
    select cast(sum(amount) as bigint) as sum from csc_entries e where e.account = ${account} and e.currency = ${currency}
      and (e.at < ${Math.ceil(from)} or e.seq <= ${after}) ${until}`.execute(db);
  let balance = big(sums[0]?.sum ?? null);
  const opening = text(balance);
  const shown = lines.map((row): StatementLine => {
    balance += row.amount;
    const { reservation = '', nonce = '' } =
      row.evidence === null ? {} : (JSON.parse(row.evidence) as { reservation?: string; nonce?: string });
    return {
      ...{
        entry: Number(row.seq),
        at: iso(row.at),
        kind: row.kind,
        counterparty: row.name ?? row.counterparty,
      },
      ...{ reference: Number(row.reference), reservation, nonce },
      ...{ amount: text(row.amount), balance: text(balance) },
    };
  });
  const last = lines.at(-1);
  const next = rows.length > limit && last !== undefined ? { next: Number(last.seq) } : {};
  return { account, currency, opening, lines: shown, closing: text(balance), ...next };
}
