import { CLEARING_MIGRATIONS } from '../../policy/clearing/index.js';
import type { ClearingSchema } from '../../policy/clearing/index.js';
import { BOOKS_MIGRATIONS } from '../../policy/stores/books/schema.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import { openStore } from '../../policy/stores/io/open.js';
import { prepareClearing } from './clearing.js';
import type { Mutation } from './mutations.js';
import { Schedule } from './schedule.js';
import type { Databases } from './schedule.js';

export async function openDatabases(): Promise<Databases> {
  const databases = {
    books: await openStore<BooksSchema>(':memory:', BOOKS_MIGRATIONS),
    clearing: await openStore<ClearingSchema>(':memory:', CLEARING_MIGRATIONS),
  };
  await prepareClearing(databases.clearing);
  return databases;
}

/** The first seed that goes wrong, with what did. */
export async function firstProblem(
  databases: Databases,
  seeds: readonly number[],
  mutation?: Mutation,
): Promise<string | undefined> {
  for (const seed of seeds) {
    try {
      await Schedule.run(databases, seed, mutation);
    } catch (error) {
      return `BANDEX_SEED=${seed}: ${(error as Error).message}`;
    }
  }
  return undefined;
}

/** `count` of them, from `first` on. */
export function seedsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => first + n);
}
