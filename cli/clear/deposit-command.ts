import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import type { DepositAnswer, DepositRequest, DepositSource } from '../../policy/clearing/index.js';
import { MAX_DEPOSITS } from '../../policy/clearing/io/limits.js';
import { CliError, EXIT } from '../exit.js';
import { wholeNumber } from '../quantities.js';
import { runDeposit } from './deposit.js';
import { remoteClient, remoteOptions } from './remote.js';
import type { RemoteOptions } from './remote.js';

interface Options extends RemoteOptions {
  readonly file: string;
  readonly batch: number;
  readonly json?: true;
}

/** Hands in what stands in a file; a PDP's own books are a source as well (`runDeposit`). */
export function depositCommand(): Command {
  const command = new Command('deposit').description('Hand payments in to a clearing centre.');
  return remoteOptions(command)
    .requiredOption('--file <file>', 'deposits as JSON: {"assertions": {...}, "deposits": [...]}')
    .option('--batch <count>', 'deposits of one request', wholeNumber(MAX_DEPOSITS), 200)
    .option('--json', 'each answer, an object a line')
    .addHelpText(
      'after',
      `
What was handed in before is a duplicate and does no harm: repeat it when in doubt. Exits with 2 where a deposit is refused
or its nonce was spent before.

Examples:
  bandex clear deposit --file deposits.json --url https://clearing.example:8443 --key nick.key
  bandex clear deposit --file deposits.json --url https://clearing.example:8443 --key nick.key --json | jq -r .answer`,
    )
    .action(async (options: Options) => {
      const source = new FileSource(await readDeposits(options.file));
      const { batch, json } = options;
      await runDeposit(source, { client: remoteClient(options), batch, total: source.total, json });
    });
}

async function readDeposits(file: string): Promise<DepositRequest> {
  const { depositFile } = await import('../../policy/clearing/io/api.js');
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new CliError(`${file}: ${error.message}`, EXIT.invalid);
    throw error;
  }
  const { success, data, error } = depositFile.safeParse(content);
  if (success) return data;
  const [issue] = error.issues;
  throw new CliError(`${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, EXIT.invalid);
}

class FileSource implements DepositSource {
  readonly total: number;
  #done = 0;

  constructor(private readonly request: DepositRequest) {
    this.total = request.deposits.length;
  }

  next(limit: number): Promise<DepositRequest> {
    const deposits = this.request.deposits.slice(this.#done, this.#done + limit);
    const wanted = new Set(deposits.flatMap(({ credentials }) => credentials));
    const assertions = Object.entries(this.request.assertions).filter(([digest]) => wanted.has(digest));
    return Promise.resolve({ assertions: Object.fromEntries(assertions), deposits });
  }

  record(answers: readonly DepositAnswer[]): Promise<void> {
    this.#done += answers.length;
    return Promise.resolve();
  }
}
