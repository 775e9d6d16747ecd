import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowConfig, StepConfig } from './schema.js';
import { commandText, commandWords } from './lab.js';
import type { Lab } from './lab.js';
import type { Ended } from './node.js';

/** What became of a step. */
export interface StepResult {
  readonly step: string;
  readonly on?: string;
  readonly ok: boolean;
  /** Why not, or what was measured. */
  readonly detail?: string;
  readonly seconds: number;
  readonly exit?: number;
  readonly output?: string;
  readonly error?: string;
  readonly sent?: number;
  readonly received?: number;
}

/** Does one after the other, all of them whatever fails; those in the background are told last. */
export async function runSteps(
  lab: Lab,
  steps: readonly StepConfig[],
  told: (result: StepResult) => void,
): Promise<boolean> {
  const background: Promise<StepResult>[] = [];
  let isOk = true;
  const tell = (result: StepResult): void => {
    isOk &&= result.ok;
    told(result);
  };
  for (const step of steps) {
    const result = runStep(lab, step);
    if (step.background) background.push(result);
    else tell(await result);
  }
  for (const result of background) tell(await result);
  return isOk;
}

async function runStep(lab: Lab, step: StepConfig): Promise<StepResult> {
  const started = performance.now();
  const until = started + step.timeout;
  for (;;) {
    const result = await attempt(lab, step, until - performance.now());
    const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
    if (result.ok || !step.retry || performance.now() + RETRY_MS >= until) return { ...result, seconds };
    await sleep(RETRY_MS);
  }
}

const RETRY_MS = 250;
type Attempt = Omit<StepResult, 'seconds'>;

async function attempt(lab: Lab, step: StepConfig, patience: number): Promise<Attempt> {
  if (step.wait !== undefined) {
    await sleep(step.wait);
    return { step: step.name ?? `wait ${step.wait} ms`, ok: true };
  }
  if (step.flow !== undefined) return flow(lab, step, step.flow, patience);
  const { on = '', run = '', name, expect = {} } = step;
  const process = lab.node(on).spawn(commandWords(run));
  const ended = await within(process.ended, patience);
  const about = { step: name ?? commandText(run), on };
  if (ended === undefined) {
    const { out, err } = await process.stop();
    return { ...about, ok: false, detail: 'it takes too long', output: out, error: err };
  }
  const detail = disappointment(ended, expect);
  return {
    ...about,
    ok: detail === undefined,
    ...(detail === undefined ? {} : { detail }),
    ...(ended.code === undefined ? {} : { exit: ended.code }),
    output: ended.out,
    error: ended.err,
  };
}

/** Undefined: it is as expected. */
function disappointment(
  { code, signal, out, err }: Ended,
  { exit = 0, output, error }: NonNullable<StepConfig['expect']>,
): string | undefined {
  if (code !== exit) return `expected exit code ${exit}, got ${code ?? signal ?? 'none'}`;
  if (output !== undefined && !output.test(out)) return `expected ${String(output)} on stdout`;
  if (error !== undefined && !error.test(err)) return `expected ${String(error)} on stderr`;
  return undefined;
}

/** Both sides are commands of this program, which anybody can run by hand. */
async function flow(lab: Lab, step: StepConfig, about: FlowConfig, patience: number): Promise<Attempt> {
  const { from, to, rate, octets, duration, port, family } = about;
  const title = step.name ?? `${from} -> ${to} udp/${port} ${rate / 1e6} Mbit/s`;
  const failed = (detail: string): Attempt => ({ step: title, ok: false, detail });
  const address = lab.node(to).address(family);
  if (address === undefined) return failed(`${to} has no IPv${family} address`);
  const receiver = lab.node(to).spawn(['bandex', 'lab', 'receive', String(port), '--json']);
  try {
    await receiver.printed(/listening/);
    const words = ['--rate', `${rate}`, '--octets', `${octets}`, '--duration', `${duration}ms`, '--json'];
    const sender = lab.node(from).spawn(['bandex', 'lab', 'send', address, String(port), ...words]);
    const ended = await within(sender.ended, patience);
    if (ended === undefined) {
      await sender.stop();
      return failed('it takes too long');
    }
    if (ended.code !== 0) return failed(ended.err.trim());
    const { packets: sent } = JSON.parse(ended.out) as { packets: number };
    // What waits in queues on the way.
    await sleep(DRAIN_MS);
    const { out } = await receiver.stop('SIGINT');
    const { packets: received } = JSON.parse(out) as { packets: number };
    const loss = ((sent - received) / Math.max(1, sent)) * 100;
    const { lossBelow, lossAbove } = step.expect ?? {};
    const text = `${received} of ${sent} packets, ${loss.toFixed(1)} % lost`;
    const isBad =
      (lossBelow !== undefined && !(loss < lossBelow || loss === 0)) ||
      (lossAbove !== undefined && !(loss > lossAbove));
    const wanted = [
      ...(lossBelow === undefined ? [] : [`below ${lossBelow} %`]),
      ...(lossAbove === undefined ? [] : [`above ${lossAbove} %`]),
    ].join(' and ');
    return {
      step: title,
      ok: !isBad,
      detail: isBad ? `expected a loss ${wanted}: ${text}` : text,
      sent,
      received,
    };
  } finally {
    await receiver.stop();
  }
}

const DRAIN_MS = 500;

async function within<T>(promise: Promise<T>, millis: number): Promise<T | undefined> {
  const stop = new AbortController();
  const late = sleep(Math.max(1, millis), undefined, { signal: stop.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
