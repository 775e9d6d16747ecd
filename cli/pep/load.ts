import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { REASON } from '../../cops/index.js';
import { RequestError } from '../../cops/io/index.js';
import type { PepClient } from '../../cops/io/index.js';
import { CliError } from '../exit.js';
import { copsErrorText, readDecision } from '../replay/decision.js';
import type { Reading } from '../replay/decision.js';
import type { Question } from './questions.js';

export interface LoadOptions {
  /** How many requests altogether. */
  readonly total: number;
  /** Under way at once on each connection. */
  readonly parallel: number;
  /** Requests a second over all connections; undefined: as fast as they are answered. */
  readonly rate?: number;
  /** Report success on what is installed. */
  readonly commit: boolean;
}

export interface Answered {
  readonly question: Question;
  readonly reading: Reading;
  readonly milliseconds: number;
}

/**
 * Asks the questions over and over until there are enough answers. Each request has a handle of its own, which is deleted
 * once it is answered: nothing stays at the PDP.
 */
export async function ask(
  clients: readonly PepClient[],
  questions: readonly Question[],
  options: LoadOptions,
  answered: (answer: Answered) => void,
): Promise<void> {
  const started = performance.now();
  let next = 0;
  const worker = async (client: PepClient, lost: Promise<never>): Promise<void> => {
    while (next < options.total) {
      const index = next++;
      if (options.rate !== undefined) {
        const wait = started + (index / options.rate) * 1000 - performance.now();
        if (wait > 1) await sleep(wait);
      }
      const question = questions[index % questions.length] as Question;
      const asked = performance.now();
      const reading = await Promise.race([askOne(client, question, options.commit), lost]);
      answered({ question, reading, milliseconds: performance.now() - asked });
    }
  };
  await Promise.all(
    clients.flatMap((client) => {
      const lost = new Promise<never>((_resolve, reject) => {
        client.once('lost', ({ reason }) =>
          reject(new CliError(`the connection to the PDP is lost: ${reason}`)),
        );
      });
      lost.catch(() => undefined);
      return Array.from({ length: options.parallel }, () => worker(client, lost));
    }),
  );
}

async function askOne(client: PepClient, question: Question, commit: boolean): Promise<Reading> {
  try {
    const { handle, decisions } = await client.request(question.request);
    const reading = readDecision(decisions);
    if (commit && reading.outcome === 'install') client.report(handle, 'success');
    client.delete(handle, REASON.tear);
    return reading;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const { failure } = error;
    const reason =
      failure.kind === 'error' ? copsErrorText(failure.errorCode, failure.errorSubCode) : error.message;
    return { outcome: 'error', reason, isExplained: true, triggersError: false };
  }
}
