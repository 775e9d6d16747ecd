import cliProgress from 'cli-progress';
import type { DepositAnswer, DepositSource } from '../../policy/clearing/index.js';
import type { ClearingClientOptions } from '../../policy/clearing/io/client.js';
import { depositAll } from '../../policy/clearing/io/depositor.js';
import type { DepositCounts } from '../../policy/clearing/io/depositor.js';
import { EXIT } from '../exit.js';
import { print, say } from '../terminal.js';
import { asking } from './remote.js';

export interface DepositOptions {
  readonly client: ClearingClientOptions;
  /** Deposits of one request. */
  readonly batch?: number | undefined;
  /** How many there are, for the progress bar. */
  readonly total?: number | undefined;
  readonly json?: boolean | undefined;
  /** How long a clearing centre that does not answer is tried, milliseconds. */
  readonly patience?: number | undefined;
}

/**
 * Hands in all that a source has, and says what came of it: each answer with `json`, otherwise what is not as it should be and a
 * summary. Sets the exit code to 2 where something was refused or spent twice.
 */
export async function runDeposit(source: DepositSource, options: DepositOptions): Promise<DepositCounts> {
  const { client, batch, total, json = false, patience } = options;
  const bar = progressBar(total);
  const tell = (answer: DepositAnswer): void => {
    if (json) print(JSON.stringify(answer));
    else if (answer.answer === 'refused' || answer.answer === 'double-spent')
      print(`${answer.answer} ${answer.id}: ${answer.reason}`);
  };
  try {
    const counts = await asking(client, (taker) =>
      depositAll(source, taker, {
        ...{ batch, patience },
        progress: (sent, answers) => {
          answers.forEach(tell);
          bar?.update(sent);
        },
        retrying: (error, wait) => say(`bandex: ${error.message}; again in ${wait} ms`),
      }),
    );
    if (!json) print(summary(counts));
    if (counts.refused + counts['double-spent'] > 0) process.exitCode = EXIT.refused;
    return counts;
  } finally {
    bar?.stop();
  }
}

function summary(counts: DepositCounts): string {
  const said = Object.entries(counts).flatMap(([answer, count]) =>
    count === 0 ? [] : [`${count} ${answer}`],
  );
  return said.length === 0 ? 'nothing to deposit' : said.join(', ');
}

/** Only where a person looks. */
function progressBar(total: number | undefined): cliProgress.SingleBar | undefined {
  if (total === undefined || total === 0 || !process.stderr.isTTY) return undefined;
  const bar = new cliProgress.SingleBar(
    {
      format: 'depositing {bar} {value}/{total} {eta_formatted}',
      stream: process.stderr,
      clearOnComplete: true,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0);
  return bar;
}
