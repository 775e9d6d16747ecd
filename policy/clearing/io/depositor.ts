import { setTimeout as sleep } from 'node:timers/promises';
import type { DepositAnswer, DepositRequest, DepositSource } from '../deposit.js';
import { ClearingRefused, ClearingUnavailable } from './client.js';

export interface DepositAllOptions {
  /** Deposits of one request. Default 200. */
  readonly batch?: number | undefined;
  /** Told after each batch: deposits that have an answer now. */
  readonly progress?: ((sent: number, answers: readonly DepositAnswer[]) => void) | undefined;
  /** Told of what is tried again, and after how many milliseconds. */
  readonly retrying?: ((error: ClearingUnavailable, wait: number) => void) | undefined;
  /** How long a clearing centre that does not answer is tried, milliseconds. Default 60000. */
  readonly patience?: number | undefined;
  /** Between two tries: the first time, doubled up to the most; milliseconds. Default 200 to 10000. */
  readonly wait?: { readonly first: number; readonly most: number } | undefined;
  /** Milliseconds since 1970. */
  readonly clock?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type DepositCounts = Record<DepositAnswer['answer'], number>;

const BATCH = 200;
const PATIENCE = 60_000;
const WAIT = { first: 200, most: 10_000 } as const;

/** What a clearing centre is to the loop: `ClearingClient` is one. */
export interface DepositTaker {
  deposit(request: DepositRequest): Promise<readonly DepositAnswer[]>;
}

/**
 * Hands in all that a source has. An answer is recorded only when it has come, and what has none is handed in again, which is
 * harmless: so this can be killed at any instant, and started again. Throws `ClearingRefused` where the clearing centre will not
 * listen (a wrong key, a malformed request), `ClearingUnavailable` after `patience` without an answer.
 */
export async function depositAll(
  source: DepositSource,
  taker: DepositTaker,
  options: DepositAllOptions = {},
): Promise<DepositCounts> {
  const { batch = BATCH, progress, clock = Date.now, signal } = options;
  const counts: DepositCounts = { accepted: 0, duplicate: 0, 'double-spent': 0, refused: 0 };
  let sent = 0;
  let last: string | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const request = await source.next(batch);
    if (request.deposits.length === 0) return counts;
    const names = request.deposits.map(({ id }) => id);
    // A source that gives the same again and again would keep us here for ever.
    if (JSON.stringify(names) === last)
      throw new Error(`deposit ${names[0] ?? ''} was answered, and came again`);
    last = JSON.stringify(names);
    const answers = matched(names, await insist(() => taker.deposit(request), options));
    await source.record(answers, clock());
    for (const { answer } of answers) counts[answer]++;
    sent += answers.length;
    progress?.(sent, answers);
  }
}

/** An answer for each, by its name. */
function matched(names: readonly string[], answers: readonly DepositAnswer[]): readonly DepositAnswer[] {
  if (answers.length === names.length && answers.every(({ id }, i) => id === names[i])) return answers;
  throw new ClearingRefused(200, 'the clearing centre did not answer what it was asked');
}

async function insist<Answer>(ask: () => Promise<Answer>, options: DepositAllOptions): Promise<Answer> {
  const { patience = PATIENCE, wait: { first, most } = WAIT, retrying, signal } = options;
  const until = performance.now() + patience;
  for (let wait = first; ; wait = Math.min(wait * 2, most)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ClearingUnavailable) || performance.now() + wait > until) throw error;
      retrying?.(error, wait);
    }
    // Several PDPs that lost the same server do not come back at the same instant.
    await sleep(wait * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : { signal });
  }
}
