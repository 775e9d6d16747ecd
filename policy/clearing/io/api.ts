import { z } from 'zod';
import { ACCOUNT_KINDS } from '../accounts.js';
import { MAX_DEPOSITS } from './limits.js';

/*
 * What goes over the wire, declared once: requests and responses are checked against it, and /openapi.json comes from it. A wrong type is
 * a mistake of the whole request; a wrong value is the refusal of one deposit, and the judge's matter.
 */

const object = z.strictObject;
const text = (description: string, most = 4096) => z.string().max(most).meta({ description });
const instant = (description: string) => text(`${description} ISO 8601, UTC.`, 40);
const money = (description: string) => text(`${description} A decimal, as \`0.44\`.`, 64);
const number = (description: string) => z.int().nonnegative().meta({ description });

const claim = {
  id: text('Names the grant at the ISP: handing it in twice is the same as once.', 256),
  reservation: text('Session, senders and style.'),
  pepId: text('The router that asked.'),
  linkName: text('Its link.').optional(),
  amount: money('As it was signed.'),
  currency: text('Three capital letters.', 64),
  nonce: text('What the check binds.'),
  duration: z.number().nonnegative().optional().meta({ description: 'Seconds that are paid for.' }),
  payers: z.array(text('A principal.', 8192)).max(64).meta({ description: 'The keys that bound the nonce.' }),
  route: text('The key that the offer was made to.', 8192).optional(),
  nodeKeys: z
    .array(text('A principal.', 8192))
    .max(64)
    .optional()
    .meta({ description: 'Keys of the policy node, where the signed request was the payment.' }),
  grantedAt: instant('When it was granted.'),
  attributes: z
    .record(z.string().max(256), text('A value.'))
    .meta({ description: 'The action attributes as they were evaluated at the grant.' }),
  credentials: z
    .array(z.string().max(128))
    .max(256)
    .meta({ description: 'SHA-256, hex, of the texts of the credentials.' }),
};

export const depositBody = object({
  ...claim,
  committedAt: instant('When the router reported that it installed the reservation.'),
});
export const holdBody = object({ ...claim, expiresAt: instant('When the credit is free again.') });

const assertions = z
  .record(z.string().max(128), z.string())
  .meta({ description: 'Texts of the credentials by their digest; each goes once, whoever shares it.' });

export const depositsBody = object({
  assertions,
  deposits: z.array(depositBody).max(MAX_DEPOSITS, `expected at most ${MAX_DEPOSITS} deposits`),
});
/** Deposits in a file: as a request has them, but of any number. */
export const depositFile = object({ assertions, deposits: z.array(depositBody) });
export const holdsBody = object({
  assertions,
  holds: z.array(holdBody).max(MAX_DEPOSITS, `expected at most ${MAX_DEPOSITS} holds`),
});

const receipt = object({
  deposit: number('Number of the deposit.'),
  entries: z.array(number('Number of a ledger entry.')),
  at: instant('When it was booked.'),
  hash: text("Of the ledger's hash chain after these entries.", 64),
});

const use = object({
  isp: text('Account that handed it in.'),
  id: text('Its name there.'),
  reservation: text('What it paid for.'),
  pepId: text('Where.'),
  amount: money('What it paid.'),
  currency: text('Three capital letters.'),
  nonce: text('The nonce.'),
  grantedAt: instant('When it was granted.'),
  receipt: receipt.optional(),
});

export const depositAnswers = object({
  answers: z
    .array(
      object({
        id: text('Of the deposit.'),
        answer: z.enum(['accepted', 'duplicate', 'double-spent', 'refused']),
        reason: text('One line for people.'),
        receipt: receipt.optional(),
        first: use.optional(),
        second: use.optional(),
      }),
    )
    .meta({ description: 'One for each deposit, in order.' }),
});

export const holdAnswers = object({
  answers: z.array(
    object({
      id: text('Of the hold.'),
      answer: z.enum(['held', 'duplicate', 'double-spent', 'refused']),
      reason: text('One line for people.'),
      expiresAt: instant('When the credit is free again.').optional(),
    }),
  ),
});

export const released = object({ released: z.boolean().meta({ description: 'Was there such a hold?' }) });

export const accountsAnswer = object({
  accounts: z.array(
    object({
      id: text('Names it.'),
      name: text('For people.'),
      kind: z.enum(ACCOUNT_KINDS),
      keys: z.array(text('A principal.')),
      frozen: z.boolean(),
      balances: z.array(
        object({
          currency: text('Three capital letters.'),
          balance: money('Negative: it owes.'),
          unsettled: money('What its users owe and no settlement has moved to it.'),
          held: money('What is reserved for checks that are not deposited yet.'),
          limit: money('The most that it may owe.').optional(),
        }),
      ),
    }),
  ),
});

export const statementAnswer = object({
  account: text('Account.'),
  currency: text('Currency.'),
  opening: money('Balance before the first line.'),
  lines: z.array(
    object({
      entry: number('Number of the ledger entry.'),
      at: instant('When it was booked.'),
      kind: z.enum(['deposit', 'settlement', 'payment']),
      counterparty: text('Account at the other end.'),
      reference: number('Number of the deposit, or of the batch.'),
      reservation: text('What was paid for.'),
      nonce: text('With what.'),
      amount: money('Positive: it has more.'),
      balance: money('After this line.'),
    }),
  ),
  closing: money('Balance after the last line.'),
  next: number('`after` of the next part, where this is not all.').optional(),
});

export const batch = object({
  batch: number('Number of the settlement batch.'),
  provider: text('Owes.'),
  isp: text('Is owed.'),
  currency: text('Currency.'),
  amount: money('So much.'),
  charges: number('For so many charges.'),
  settledAt: instant('When.'),
  paidAt: instant('When it was paid.').optional(),
});
export const batches = object({ settlements: z.array(batch) });

export const auditAnswer = object({
  entries: number('Entries that were looked at.'),
  deposits: number('Deposits that were looked at.'),
  hash: text('Of the last entry.', 64),
  problems: z.array(
    object({
      what: text('Kind of problem.'),
      entry: z.int().optional(),
      deposit: z.int().optional(),
      text: text('One line for people.', 1 << 14),
    }),
  ),
  truncated: z.boolean().meta({ description: 'There are more problems than are listed.' }),
});

export const problem = object({
  error: text('A word for programs.'),
  message: text('One line for people.', 1 << 14),
  where: text('Member of the request, or its path.'),
});

export const accountQuery = object({
  account: text('For an operator: the account that it is done for.', 128).optional(),
});
export const statementQuery = object({
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'expected three capital letters')
    .default('USD'),
  from: z.iso.datetime('expected a time as 2026-03-24T12:00:00Z').optional(),
  to: z.iso.datetime('expected a time as 2026-03-24T12:00:00Z').optional(),
  after: z.coerce.number().int().nonnegative().optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
});
export const auditQuery = object({ verify: z.enum(['true', 'false']).default('false') });
export const idParams = object({ id: z.string().min(1).max(256) });
export const batchParams = object({ id: z.coerce.number().int().positive() });
