import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { AuditProblem, Problems } from './audit.js';
import type { ClearingSchema } from './schema.js';

/** A statement that finds what two tables do not agree about, and how to say it. */
interface CrossCheck {
  readonly what: AuditProblem['what'];
  readonly find: string;
  readonly say: (row: Row) => string;
}

/** Columns `entry` and `deposit`, where there are any, say where it is. */
type Row = Readonly<Record<string, bigint | number | string | null>>;

const t = (value: Row[string] | undefined): string => String(value ?? 'nothing');

const CHECKS: readonly CrossCheck[] = [
  {
    what: 'sum',
    find: `select transaction_id, currency, cast(sum(amount) as bigint) as total, min(seq) as entry from csc_entries
      group by transaction_id, currency having sum(amount) <> 0`,
    say: (row) =>
      `transaction ${t(row['transaction_id'])} sums to ${t(row['total'])} ${t(row['currency'])}, not to 0`,
  },
  {
    what: 'sum',
    find: `select currency, cast(sum(amount) as bigint) as total from csc_entries group by currency having sum(amount) <> 0`,
    say: (row) => `all entries in ${t(row['currency'])} sum to ${t(row['total'])}, not to 0`,
  },
  {
    what: 'balance',
    find: `select account, currency, cast(sum(entries) as bigint) as entries, cast(sum(kept) as bigint) as kept,
        max(seq) as entry from (
          select account, currency, amount as entries, 0 as kept, seq from csc_entries
          union all select account, currency, 0, balance, 0 from csc_balances) as both_sides
      group by account, currency having sum(entries) <> sum(kept)`,
    say: (row) =>
      `the balance of ${t(row['account'])} is ${t(row['kept'])} ${t(row['currency'])}, its entries sum to ${t(row['entries'])}`,
  },
  {
    what: 'unsettled',
    find: `select provider, currency, cast(sum(charged) as bigint) as charged, cast(sum(kept) as bigint) as kept from (
          select provider, currency, amount as charged, 0 as kept from csc_charges
            where provider <> account and seq > (select settled from csc_head)
          union all select account, currency, 0, unsettled from csc_balances) as both_sides
      group by provider, currency having sum(charged) <> sum(kept)`,
    say: (row) =>
      `${t(row['provider'])} has ${t(row['kept'])} ${t(row['currency'])} unsettled, the charges sum to ${t(row['charged'])}`,
  },
  {
    what: 'deposit',
    find: `select e.seq as entry, e.reference as deposit from csc_entries e
      left join csc_deposits d on d.number = e.reference
      where e.kind = 'deposit' and (d.number is null or e.seq < d.first_seq or e.seq > d.last_seq
        or e.currency <> d.currency or e.at <> d.at
        or not ((e.amount < 0 and e.counterparty = d.isp) or (e.amount > 0 and e.account = d.isp)))`,
    say: (row) => `entry ${t(row['entry'])} is not one of deposit ${t(row['deposit'])}`,
  },
  {
    what: 'deposit',
    find: `select d.number as deposit, d.amount, cast(coalesce(sum(e.amount), 0) as bigint) as credited,
        min(e.seq) as entry from csc_deposits d
      left join csc_entries e on e.seq between d.first_seq and d.last_seq and e.amount > 0 and e.kind = 'deposit'
      group by d.number, d.amount having d.amount <> coalesce(sum(e.amount), 0)`,
    say: (row) =>
      `deposit ${t(row['deposit'])} is of ${t(row['amount'])}, its entries credit ${t(row['credited'])}`,
  },
  {
    what: 'deposit',
    find: `select d.number as deposit, d.last_seq as entry from csc_deposits d
      left join csc_entries e on e.seq = d.last_seq where e.seq is null or e.hash <> d.hash`,
    say: (row) => `the receipt of deposit ${t(row['deposit'])} is not that of entry ${t(row['entry'])}`,
  },
  {
    what: 'deposit',
    find: `select h.deposits as head, count(d.number) as counted, max(d.number) as last from csc_head h
      left join csc_deposits d on true group by h.deposits
      having count(d.number) <> h.deposits or coalesce(max(d.number), 0) <> h.deposits`,
    say: (row) =>
      `${t(row['counted'])} deposits are there, the last is ${t(row['last'])}; the head of the ledger says ${t(row['head'])}`,
  },
  {
    what: 'charge',
    find: `select c.seq as entry, c.deposit from csc_charges c left join csc_entries e on e.seq = c.seq
      where e.seq is null or e.kind <> 'deposit' or e.account <> c.account or e.counterparty <> c.isp
        or e.currency <> c.currency or e.amount <> -c.amount or e.reference <> c.deposit`,
    say: (row) =>
      `the nonce of deposit ${t(row['deposit'])} is charged by entry ${t(row['entry'])}, which is not so`,
  },
  {
    what: 'charge',
    find: `select e.seq as entry, e.reference as deposit from csc_entries e left join csc_charges c on c.seq = e.seq
      where e.kind = 'deposit' and e.amount < 0 and c.seq is null`,
    say: (row) => `entry ${t(row['entry'])} of deposit ${t(row['deposit'])} has spent no nonce`,
  },
  {
    what: 'batch',
    find: `select b.number, b.amount, b.charges, cast(coalesce(sum(c.amount), 0) as bigint) as charged, count(c.seq) as counted
      from csc_batches b left join csc_charges c on c.provider = b.provider and c.isp = b.isp and c.currency = b.currency
        and c.seq > b.after_seq and c.seq <= b.through_seq
      group by b.number, b.amount, b.charges having b.amount <> coalesce(sum(c.amount), 0) or b.charges <> count(c.seq)`,
    say: (row) =>
      `batch ${t(row['number'])} says ${t(row['amount'])} for ${t(row['charges'])} charges, there are ${t(row['counted'])} of ${t(row['charged'])}`,
  },
  {
    what: 'batch',
    find: `select provider, isp, currency, cast(sum(charged) as bigint) as charged, cast(sum(batched) as bigint) as batched from (
          select provider, isp, currency, amount as charged, 0 as batched from csc_charges
            where seq <= (select settled from csc_head)
          union all select provider, isp, currency, 0, amount from csc_batches) as both_sides
      group by provider, isp, currency having sum(charged) <> sum(batched)`,
    say: (row) =>
      `${t(row['provider'])} was settled with ${t(row['isp'])} for ${t(row['batched'])} ${t(row['currency'])}, the charges sum to ${t(row['charged'])}`,
  },
  {
    what: 'batch',
    find: `select number, account, cast(sum(expected) as bigint) as expected, cast(sum(moved) as bigint) as moved,
        max(entry) as entry from (
          select b.number, c.account, c.amount as expected, 0 as moved, null as entry from csc_batches b
            join csc_charges c on c.provider = b.provider and c.isp = b.isp and c.currency = b.currency
              and c.seq > b.after_seq and c.seq <= b.through_seq where c.account <> c.provider
          union all select reference, account, 0, amount, seq from csc_entries
            where kind = 'settlement' and amount > 0) as both_sides
      group by number, account having sum(expected) <> sum(moved)`,
    say: (row) =>
      `batch ${t(row['number'])} moved ${t(row['moved'])} of ${t(row['account'])}, the charges sum to ${t(row['expected'])}`,
  },
  {
    what: 'batch',
    find: `select number, cast(sum(expected) as bigint) as expected, cast(sum(paid) as bigint) as paid,
        max(entry) as entry from (
          select number, case when paid_at is null then 0 else amount end as expected, 0 as paid, null as entry
            from csc_batches
          union all select reference, 0, amount, seq from csc_entries where kind = 'payment' and amount > 0) as both_sides
      group by number having sum(expected) <> sum(paid)`,
    say: (row) =>
      `batch ${t(row['number'])}: ${t(row['paid'])} is booked as paid, ${t(row['expected'])} is expected`,
  },
  {
    what: 'batch',
    find: `select e.seq as entry, e.reference from csc_entries e left join csc_batches b on b.number = e.reference
      where e.kind <> 'deposit' and (b.number is null or e.currency <> b.currency
        or (e.kind = 'payment' and (e.amount <> (case when e.amount < 0 then -b.amount else b.amount end)
          or e.account <> (case when e.amount < 0 then b.isp else b.provider end)))
        or (e.kind = 'settlement' and b.provider <> (case when e.amount < 0 then e.account else e.counterparty end)))`,
    say: (row) => `entry ${t(row['entry'])} is not one of batch ${t(row['reference'])}`,
  },
  {
    what: 'account',
    find: `select account, min(seq) as entry from csc_entries e
      where not exists (select 1 from csc_accounts a where a.id = e.account) group by account`,
    say: (row) => `account ${t(row['account'])} has entries from ${t(row['entry'])} on, but is not there`,
  },
];

/** Each statement sees one moment, and all that was booked by then is whole. */
export async function crossChecks(db: Kysely<ClearingSchema>, problems: Problems): Promise<void> {
  for (const { what, find, say } of CHECKS) {
    const { rows } = await sql.raw<Row>(find).execute(db);
    for (const row of rows) {
      const { entry, deposit } = row;
      problems.add({
        what,
        ...(isNothing(entry) ? {} : { entry: Number(entry) }),
        ...(isNothing(deposit) ? {} : { deposit: Number(deposit) }),
        text: say(row),
      });
    }
  }
}

/** The statement has no such column, or it is null. */
function isNothing(value: Row[string] | undefined): value is null | undefined {
  return value === undefined || value === null;
}
