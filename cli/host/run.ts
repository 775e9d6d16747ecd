import type { HostEvent } from '../../rsvp/host/index.js';
import { RawSocketError } from '../../rsvp/io/index.js';
import { CliError, EXIT } from '../exit.js';
import { createLog } from '../pdp/log.js';
import { oneLine } from '../replay/decision.js';
import { painter, print, say } from '../terminal.js';
import type { Style } from '../terminal.js';
import { happeningOf } from './happening.js';
import type { Happening } from './happening.js';
import { EndSystem } from './node.js';
import type { HostOptions } from './terms.js';

/** What a command waits for: the event that ends it well. */
export type Until = Happening['event'] | undefined;

/** Prints what happens, and knows when it is enough. */
export class Account {
  readonly #paint = painter(process.stdout);
  #settle: (exitCode: number) => void = () => undefined;
  #isOver = false;
  /** The exit code, once it is known. */
  readonly #ended = new Promise<number>((resolve) => (this.#settle = resolve));

  constructor(
    private readonly options: Pick<HostOptions, 'json' | 'for'>,
    private readonly until: Until,
  ) {
    const { for: millis } = options;
    if (millis !== undefined) setTimeout(() => this.#timeIsOver(), millis).unref();
  }

  tell(event: HostEvent): Happening {
    const happening = happeningOf(event);
    // What tearing down brings about is no news.
    if (this.#isOver) return happening;
    this.write(happening);
    if (this.until !== undefined && happening.event === this.until) this.end(EXIT.ok);
    else if (this.until !== undefined && isRefusal(happening)) this.end(EXIT.refused);
    return happening;
  }

  write(happening: { readonly event: string; readonly text: string }): void {
    const at = new Date().toISOString();
    const { text, ...fields } = happening;
    if (this.options.json === true) print(JSON.stringify({ at, ...fields, text }));
    else {
      const label = this.#paint(COLOURS[happening.event] ?? 'dim', happening.event.padEnd(10));
      print(`${this.#paint('dim', at.slice(11, 23))} ${label} ${oneLine(text)}`);
    }
  }

  /** Until it is known, or Ctrl-C. */
  async over(interrupted: Promise<number>): Promise<number> {
    const exitCode = await Promise.race([this.#ended, interrupted]);
    this.#isOver = true;
    return exitCode;
  }

  end(exitCode: number): void {
    this.#isOver = true;
    this.#settle(exitCode);
  }

  #timeIsOver(): void {
    if (this.until !== undefined) say(`bandex: it was not ${this.until} in time`);
    this.end(this.until === undefined ? EXIT.ok : EXIT.failure);
  }
}

function isRefusal({ event }: Happening): boolean {
  return event === 'refused' || event === 'path-error';
}

const COLOURS: Readonly<Record<string, Style>> = {
  path: 'bold',
  'path-gone': 'yellow',
  reserved: 'green',
  released: 'yellow',
  confirmed: 'green',
  refused: 'red',
  'path-error': 'red',
};

/** An end system for as long as `work` takes, or until Ctrl-C. Returns the exit code. */
export async function onEndSystem(
  options: Pick<HostOptions, 'refresh' | 'udp' | 'tear'>,
  work: (system: EndSystem, interrupted: Promise<number>) => Promise<number>,
): Promise<number> {
  let system: EndSystem;
  try {
    const { refresh, udp } = options;
    const log = createLog({ level: 'warn', format: 'auto' });
    system = await EndSystem.start({ refresh, isUdpOnly: udp === true, log });
  } catch (error) {
    if (error instanceof RawSocketError)
      throw new CliError(`${error.message}; or use --udp, where the router takes it`);
    throw error;
  }
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(EXIT.ok));
  });
  try {
    return await work(system, interrupted);
  } catch (error) {
    // What the engine will not do is a mistake of the command line.
    if (error instanceof RangeError) throw new CliError(error.message, EXIT.usage);
    throw error;
  } finally {
    await system.close(options.tear);
  }
}
