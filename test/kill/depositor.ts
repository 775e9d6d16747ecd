import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DepositRequest, DepositSource } from '../../policy/clearing/index.js';
import { ClearingClient } from '../../policy/clearing/io/client.js';
import { depositAll } from '../../policy/clearing/io/depositor.js';
import { parsePrivateKey } from '../../policy/keynote/index.js';
import { StoredBooks } from '../../policy/stores/io/books.js';

/*
 * A process that hands in what the books of a database say is due, as long as it lives:
 * `depositor.js <database> <url of the clearing centre> <key file> <time>`.
 */

const [database = '', url = '', keyFile = '', time = ''] = process.argv.slice(2);
const started = Date.now();
const clock = (): number => Date.parse(time) + Date.now() - started;

/** Committed payments, as an ISP hands them in. */
export function depositsOf(books: StoredBooks): DepositSource {
  return {
    next: async (limit): Promise<DepositRequest> => {
      const { grants, credentials } = await books.due(limit);
      const iso = (at: bigint | null): string => new Date(Number(at ?? 0n)).toISOString();
      return {
        assertions: credentials,
        deposits: grants.map((grant) => {
          const { route, nodeKeys } = JSON.parse(grant.requesters) as { route?: string; nodeKeys?: string[] };
          return {
            ...{ id: grant.id, reservation: grant.reservation, pepId: grant.pep_id, amount: grant.amount },
            ...{ currency: grant.currency, nonce: grant.nonce, payers: JSON.parse(grant.payers) as string[] },
            ...(grant.link_name === null ? {} : { linkName: grant.link_name }),
            ...(route === undefined ? {} : { route }),
            ...(nodeKeys === undefined ? {} : { nodeKeys }),
            ...{ grantedAt: iso(grant.granted_at), committedAt: iso(grant.committed_at) },
            attributes: JSON.parse(grant.attributes) as Record<string, string>,
            credentials: JSON.parse(grant.credentials) as string[],
          };
        }),
      };
    },
    record: (answers, now) =>
      books.recordDeposits(
        answers.map((answer) => ({
          id: answer.id,
          state: answer.answer === 'duplicate' ? 'accepted' : answer.answer,
          answer: JSON.stringify(answer),
        })),
        now,
      ),
  };
}

if (process.argv[1]?.endsWith('depositor.js') === true) {
  const books = await StoredBooks.open(database, { instance: `depositor-${process.pid}` });
  const key = parsePrivateKey(readFileSync(keyFile, 'latin1'));
  const source = depositsOf(books);
  process.stdout.write('{"port":1}\n');
  for (;;) {
    const client = new ClearingClient({ url, key, timeout: 2000 });
    try {
      await depositAll(source, client, { batch: 20, patience: 1000, clock });
    } catch (error) {
      process.stderr.write(`${(error as Error).message}\n`);
    }
    await sleep(50);
  }
}
