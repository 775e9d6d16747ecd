import { readStatement, Revocations } from '../../policy/payment/index.js';
import type { RevocationOptions } from '../../policy/payment/index.js';
import type { Assertion } from '../../policy/keynote/index.js';
import type { StoredBooks } from '../../policy/stores/io/books.js';
import type { Logger } from './log.js';

/**
 * What the database says is revoked, as far as our policy lets whoever says so. `check` looks for what is new; the statements
 * are judged here, whoever wrote them into the database.
 */
export class RevocationWatch {
  #revocations: Revocations;
  #read = 0;

  constructor(
    private options: RevocationOptions,
    private readonly log: Logger,
  ) {
    this.#revocations = new Revocations(options.names);
  }

  get size(): number {
    return this.#revocations.size;
  }

  readonly why = (credential: Assertion): string | undefined => this.#revocations.why(credential);

  /** Another policy may let others revoke: all is judged again. */
  set policy(options: RevocationOptions) {
    this.options = options;
    this.#revocations = new Revocations(options.names);
    this.#read = 0;
  }

  /** Reads what is new; returns whether anything more is revoked now. */
  async check(books: StoredBooks): Promise<boolean> {
    if ((await books.countRevocations()) === this.#read) return false;
    const records = await books.revocations();
    this.#read = records.length;
    let more = false;
    for (const record of records) {
      const read = this.#judge(record);
      if (typeof read === 'string') {
        this.log.warn({ at: new Date(record.at).toISOString(), problem: read }, 'revocation refused');
        continue;
      }
      if (!this.#revocations.add(read)) continue;
      more = true;
      const { subject, by, reason } = read;
      const about = subject.isKey ? subject.fingerprint : subject.text;
      this.log.info(
        { subject: about, by: by.fingerprint, ...(reason === undefined ? {} : { reason }) },
        'revoked',
      );
    }
    return more;
  }

  #judge(record: Parameters<typeof readStatement>[0]): ReturnType<typeof readStatement> {
    try {
      return readStatement(record, this.options);
    } catch (error) {
      // What stands in the database may be anything.
      return (error as Error).message;
    }
  }
}
