import type { Deposit, DepositAnswer, DepositRequest, DepositSource } from '../../clearing/index.js';
import { credentialDigest } from '../../keynote/index.js';
import type { DepositRecord, Due } from './deposits.js';
import type { BooksSchema, DepositState } from './schema.js';

/** Where the payments are: what `StoredBooks` does. */
export interface DepositBooks {
  due(limit: number): Promise<Due>;
  recordDeposits(records: readonly DepositRecord[], now: number): Promise<void>;
}

/** What a PDP's books have for the clearing centre: committed payments, with the credentials that prove them. */
export class BooksDeposits implements DepositSource {
  constructor(private readonly books: DepositBooks) {}

  async next(limit: number): Promise<DepositRequest> {
    const { grants, credentials } = await this.books.due(limit);
    const assertions: Record<string, string> = { ...credentials };
    const deposits = grants.map((grant) => {
      const checks = JSON.parse(grant.checks) as string[];
      const digests = checks.map((text) => {
        const digest = credentialDigest(text);
        assertions[digest] = text;
        return digest;
      });
      return depositOf(grant, digests);
    });
    return { assertions, deposits };
  }

  record(answers: readonly DepositAnswer[], now: number): Promise<void> {
    const records = answers.map((answer) => ({
      id: answer.id,
      state: STATES[answer.answer],
      answer: JSON.stringify(answer),
    }));
    return this.books.recordDeposits(records, now);
  }
}

/** A duplicate was accepted before: the answer to that was lost. */
const STATES: Readonly<Record<DepositAnswer['answer'], DepositState>> = {
  accepted: 'accepted',
  duplicate: 'accepted',
  'double-spent': 'double-spent',
  refused: 'refused',
};

function depositOf(grant: BooksSchema['grants'], checks: readonly string[]): Deposit {
  const { route, nodeKeys } = JSON.parse(grant.requesters) as { route?: string; nodeKeys?: string[] };
  return {
    id: grant.id,
    reservation: grant.reservation,
    pepId: grant.pep_id,
    ...(grant.link_name === null ? {} : { linkName: grant.link_name }),
    amount: grant.amount,
    currency: grant.currency,
    nonce: grant.nonce,
    ...(grant.duration === null ? {} : { duration: Number(grant.duration) }),
    payers: JSON.parse(grant.payers) as string[],
    ...(route === undefined ? {} : { route }),
    ...(nodeKeys === undefined ? {} : { nodeKeys }),
    grantedAt: iso(grant.granted_at),
    committedAt: iso(grant.committed_at ?? grant.granted_at),
    attributes: JSON.parse(grant.attributes) as Record<string, string>,
    credentials: [...checks, ...(JSON.parse(grant.credentials) as string[])],
  };
}

function iso(at: bigint): string {
  return new Date(Number(at)).toISOString();
}
