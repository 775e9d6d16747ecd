import { readFileSync } from 'node:fs';
import type { DepositAnswer, DepositRequest, DepositSource } from '../../policy/clearing/index.js';
import { CliError, EXIT } from '../exit.js';

/** Deposits of a file, which keeps no answers: for handing in what another tool has written. */
export async function fileSource(file: string): Promise<DepositSource & { readonly total: number }> {
  const { depositFile } = await import('../../policy/clearing/io/api.js');
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new CliError(`${file}: ${error.message}`, EXIT.invalid);
    throw error;
  }
  const { success, data, error } = depositFile.safeParse(content);
  if (success) return new FileSource(data);
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
