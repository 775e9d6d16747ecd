import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClearingClient } from '../../policy/clearing/io/client.js';
import { depositAll } from '../../policy/clearing/io/depositor.js';
import { parsePrivateKey } from '../../policy/keynote/index.js';
import { BooksDeposits } from '../../policy/stores/books/deposit-source.js';
import { StoredBooks } from '../../policy/stores/io/books.js';

/*
 * A process that hands in what the books of a database say is due, as long as it lives:
 * `depositor.js <database> <url of the clearing centre> <key file> <time>`.
 */

const [database = '', url = '', keyFile = '', time = ''] = process.argv.slice(2);
const started = Date.now();
const clock = (): number => Date.parse(time) + Date.now() - started;

const books = await StoredBooks.open(database, { instance: `depositor-${process.pid}` });
const key = parsePrivateKey(readFileSync(keyFile, 'latin1'));
const source = new BooksDeposits(books);
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
