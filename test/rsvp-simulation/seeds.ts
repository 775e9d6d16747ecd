import type { Mutation } from './mutations.js';
import { runHistory } from './run.js';

/** The first seed that goes wrong, with what did; told in full where it is run alone. */
export function firstProblem(
  seeds: Iterable<number>,
  mutation?: Mutation,
  isTelling = false,
): string | undefined {
  const undo = mutation?.make();
  try {
    for (const seed of seeds) {
      try {
        runHistory(seed, isTelling);
      } catch (error) {
        return `BANDEX_SEED=${seed}: ${(error as Error).message}`;
      }
    }
    return undefined;
  } finally {
    undo?.();
  }
}
