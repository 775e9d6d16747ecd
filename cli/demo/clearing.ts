import { parsePrivateKey } from '../../policy/keynote/index.js';
import type { DepositAnswer } from '../../policy/clearing/index.js';
import { ClearingClient } from '../../policy/clearing/io/client.js';
import { depositAll } from '../../policy/clearing/io/depositor.js';
import { ClearingServer } from '../../policy/clearing/io/server.js';
import { BooksDeposits } from '../../policy/stores/books/deposit-source.js';
import type { StoredBooks } from '../../policy/stores/io/books.js';
import { readFixture } from '../../fixtures/index.js';
import { loadClearConfig } from '../clear/load.js';
import { openCentre } from '../clear/settings.js';
import { statementTable } from '../clear/statement.js';
import { print } from '../terminal.js';

/** Whose statements the story ends with. */
const PEOPLE = ['alice', 'martha', 'nick'];

export interface StoryClearing {
  /** Of the clearing centre. */
  readonly config: string;
  /** Nick's key, a fixture. */
  readonly key: string;
  readonly books: StoredBooks;
  readonly clock: () => number;
}

/** What Nick was promised becomes money: he deposits it over HTTP, Martha settles and pays. Returns how much was not accepted. */
export async function clearStory({ config, key, books, clock }: StoryClearing): Promise<number> {
  const loaded = loadClearConfig(config);
  const { algorithms } = loaded.policy;
  const centre = await openCentre(loaded, clock());
  const server = new ClearingServer({ centre, clock, wallClock: Date.now, algorithms });
  try {
    const { port } = await server.listen('127.0.0.1', 0);
    print(`\nNick deposits what he was promised, at the clearing centre on 127.0.0.1:${port}:`);
    const client = new ClearingClient({
      url: `http://127.0.0.1:${port}`,
      key: parsePrivateKey(readFixture(key).toString('latin1')),
    });
    let refused = 0;
    const tell = (answer: DepositAnswer): void => {
      if (answer.answer !== 'accepted') refused++;
      print(`  ${answer.answer}  ${answer.reason}`);
    };
    await depositAll(new BooksDeposits(books), client, {
      progress: (_sent, answers) => answers.forEach(tell),
    });
    client.close();
    for (const { batch, provider, isp, amount, currency } of await centre.settle(clock())) {
      print(`Settlement ${batch}: ${provider} owes ${isp} ${amount} ${currency}, and pays.`);
      await centre.paid(batch, clock());
    }
    for (const account of PEOPLE) {
      const statement = await centre.statement({ account, currency: 'USD' });
      if (statement !== undefined) print(`\n${statementTable(statement)}`);
    }
    const { problems, entries } = await centre.audit({ verify: true });
    print(
      problems.length === 0
        ? `\nAudit: ${entries} entries sum to zero, each has its check, the hash chain is whole.`
        : `\nAudit: ${problems.length} problems`,
    );
    return refused + problems.length;
  } finally {
    await server.close();
    await centre.close();
  }
}
