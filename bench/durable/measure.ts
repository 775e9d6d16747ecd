import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bare, Batch } from './bare.js';

/** What is made durable, by us and by the engine alone. */
export interface Subject<Item> {
  readonly name: string;
  readonly make: () => Item;
  readonly open: (
    place: string,
  ) => Promise<{ one: (item: Item) => Promise<unknown>; close: () => Promise<void> }>;
  readonly bare: (place: string) => Promise<Bare>;
  /** The rows of a batch, as the engine alone is given them. */
  readonly rows: (items: readonly Item[]) => Batch;
}

/** Under way at once, and rows of a batch of the engine alone. */
export const AT_ONCE = 512;
const BATCHES = 20;
const ROUNDS = 3;
/** Of a load before it is measured, and measured: batches of another size are other code, which is compiled first. */
const [WARM, SECONDS] = [4, 4];
/** The disk still writes what the full load left behind, and its garbage is collected: neither is measured. Milliseconds. */
const QUIET = 1000;

/**
 * A second, ours and the engine's, in turns, so that a slow phase of the machine hits both; then how long one takes when they come
 * at their times whether or not those before are answered: at a quarter of the engine's rate, which is half of what we want to
 * reach of it, and at half of what we do reach.
 */
export async function measure<Item>(
  subject: Subject<Item>,
  places: readonly [string, string],
): Promise<void> {
  const ours = await subject.open(places[0]);
  const bare = await subject.bare(places[1]);
  const make = (count: number): Item[] => Array.from({ length: count }, subject.make);
  const [rates, bareRates]: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    bareRates?.push(
      await bareRate(
        bare,
        Array.from({ length: BATCHES }, () => subject.rows(make(AT_ONCE))),
      ),
    );
    rates?.push(await rate(ours.one, make(BATCHES * AT_ONCE)));
  }
  const [own, alone] = [median(rates ?? []), median(bareRates ?? [])];
  console.log(
    `    ${subject.name.padEnd(9)} ${text(own)}/s   the engine alone ${text(alone)}/s   ratio ${(own / alone).toFixed(2)}`,
  );
  for (const [name, load] of [
    ["a quarter of the engine's rate", alone / 4],
    ['half of ours', own / 2],
  ] as const) {
    const items = make(Math.floor(load * (WARM + SECONDS)));
    globalThis.gc?.();
    await sleep(QUIET);
    const { p50, p99 } = await latency(ours.one, items, load, Math.floor(load * WARM));
    console.log(
      `              at ${text(load).trim()}/s, ${name}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    );
  }
  await ours.close();
  await bare.close();
}

async function bareRate(bare: Bare, batches: readonly Batch[]): Promise<number> {
  const start = performance.now();
  for (const batch of batches) await bare.insert(batch);
  return (batches.length * AT_ONCE) / ((performance.now() - start) / 1000);
}

async function rate<Item>(one: (item: Item) => Promise<unknown>, items: readonly Item[]): Promise<number> {
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item; (item = items[next++]) !== undefined;) await one(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return items.length / ((performance.now() - start) / 1000);
}

async function latency<Item>(
  one: (item: Item) => Promise<unknown>,
  items: readonly Item[],
  perSecond: number,
  unmeasured: number,
): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  let done = 0;
  let failed: unknown;
  const fail = (error: unknown): void => {
    failed ??= error;
  };
  const start = performance.now();
  for (let i = 0; i < items.length;) {
    const due = Math.min(items.length, Math.floor(((performance.now() - start) / 1000) * perSecond) + 1);
    for (; i < due; i++) {
      const asked = start + (i / perSecond) * 1000;
      const isMeasured = i >= unmeasured;
      one(items[i] as Item).then(() => {
        done++;
        if (isMeasured) times.push(performance.now() - asked);
      }, fail);
    }
    await sleep(1);
  }
  while (done < items.length && failed === undefined) await sleep(1);
  if (failed !== undefined) throw failed as Error;
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function text(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en').padStart(8);
}
