import Table from 'cli-table3';
import { Command } from 'commander';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fixturePath } from '../fixtures/index.js';
import { clearStory } from './demo/clearing.js';
import { policyClock } from './pdp/clock.js';
import type { Clock } from './pdp/clock.js';
import { loadConfig } from './pdp/load.js';
import type { LoadedConfig } from './pdp/load.js';
import { createLog } from './pdp/log.js';
import { PdpService } from './pdp/service.js';
import type { Decided } from './pdp/service.js';
import { CaptureFile } from './replay/capture.js';
import { connectPep } from './replay/connect.js';
import { Expectations, readExpectations, verdictOf } from './replay/expect.js';
import { InterfaceTable } from './replay/interfaces.js';
import { Pace, playCapture } from './replay/play.js';
import type { Played } from './replay/player.js';
import { EXIT } from './exit.js';
import { hasColour, painter, print, say } from './terminal.js';

interface DemoOptions {
  readonly once?: true;
  readonly classic?: true;
}

/** The day that the story's checks are dated: `fixtures/story/README.md`. */
const STORY_TIME = Date.parse('2007-11-20T20:00:00Z');
const PEP_ID = 'nicks-router';

export function command(): Command {
  return new Command('demo')
    .description(
      'Start a policy server, play the story of Alice, Martha and Nick to it, show what it decides and why, and how Nick gets his money.',
    )
    .option('--once', 'end after the statements')
    .option('--classic', "the paper's own credentials, RSA-1024 with SHA-1, and a policy that accepts them")
    .addHelpText('after', HELP)
    .action(async (options: DemoOptions) => {
      process.exitCode = await demo(options);
    });
}

const HELP = `
The policy server listens on loopback, on COPS port 3288 or, where that is taken, on a free one, and lives on the story's own
day. The capture goes through a real COPS connection. The exit code is 0 if the decisions are the story's, 2 if not.

Examples:
  bandex demo             goes on serving until Ctrl-C, and says what to try
  bandex demo --once      ends after the statements`;

async function demo(options: DemoOptions): Promise<number> {
  const folder = options.classic === true ? 'story/classic' : 'story';
  const reasons = new Map<string, string>();
  let watch: (decided: Decided) => void = ({ request, reason }) => reasons.set(request.handle, reason);
  const clock = policyClock(STORY_TIME);
  const books = mkdtempSync(join(tmpdir(), 'bandex-story-'));
  const config = loadConfig(fixturePath(`${folder}/pdp.yaml`));
  const store = { ...config.store, database: join(books, 'nick.db') };
  const { service, port } = await startPdp({ ...config, store }, clock, (decided) => watch(decided));
  try {
    const capture = fixturePath(`${folder}/story.pcap`);
    say(
      `Nick's policy server on 127.0.0.1:${port}, on 20 November 2007, judges what Alice asks of his router:`,
    );
    const played = await playStory(capture, `127.0.0.1:${port}`);
    print(storyTable(played, reasons));
    const unpaid = await clearStory({
      config: fixturePath(`${folder}/clear.yaml`),
      key: `story/keys/nick${options.classic === true ? '-rsa' : ''}.key`,
      books: service.books,
      clock,
    });
    const told = judge(played, fixturePath(`${folder}/expect.yaml`));
    const exitCode = unpaid > 0 ? EXIT.refused : told;
    if (options.once === true) return exitCode;
    const live = new LiveLines();
    watch = (decided) => live.add(decided);
    print(whatNext(capture, port));
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
    });
    return exitCode;
  } finally {
    await service.stop();
    rmSync(books, { recursive: true });
  }
}

/** On the COPS port, so that what we say to try next is short; on a free one where somebody else is there. */
async function startPdp(
  config: LoadedConfig,
  clock: Clock,
  decided: (decided: Decided) => void,
): Promise<{ service: PdpService; port: number }> {
  const log = createLog({ level: 'error', format: 'auto' });
  const start = async (port: number): Promise<{ service: PdpService; port: number }> => {
    const listen = [{ address: '127.0.0.1', port, tls: false }];
    const service = new PdpService({ ...config, listen, metrics: undefined }, { log, decided, clock });
    const [at] = await service.start();
    return { service, port: at?.port ?? port };
  };
  try {
    return await start(config.listen[0]?.port ?? 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return start(0);
  }
}

async function playStory(capture: string, pdp: string): Promise<Played[]> {
  const client = await connectPep({ pdp, pepId: PEP_ID, timeout: '10' });
  const played: Played[] = [];
  try {
    await playCapture(new CaptureFile(capture), client, {
      router: { interfaces: new InterfaceTable() },
      pace: new Pace(Infinity),
      decided: (decision) => played.push(decision),
      told: () => undefined,
      skipped: (frame, why) => say(`frame ${frame}: not played: ${why}`),
    });
  } finally {
    await client.close();
  }
  return played;
}

const COLOURS = { install: 'green', remove: 'yellow', null: 'dim', error: 'red' } as const;
/** Frame, message, session and decision take this much of a line; the reason has the rest. */
const OTHER_COLUMNS = 60;
const LEAST_REASON = 40;

/** Lines a second that a person can follow. */
const MOST_LINES = 20;

/** Decisions as they are made while the demo serves: the first few of each second, and how many more there were. */
class LiveLines {
  readonly #paint = painter(process.stdout);
  #count = 0;

  add({ request, message, outcome, reason }: Decided): void {
    if (this.#count === 0) setTimeout(() => this.#rest(), 1000).unref();
    if (this.#count++ >= MOST_LINES) return;
    print(
      `${this.#paint('dim', request.pepId)}  ${message}  ${this.#paint(COLOURS[outcome], outcome)}  ${reason}`,
    );
  }

  #rest(): void {
    if (this.#count > MOST_LINES) print(this.#paint('dim', `... and ${this.#count - MOST_LINES} more`));
    this.#count = 0;
  }
}

/** What the router is told is `installed`; why it was granted, the PDP's own log says. */
function storyTable(played: readonly Played[], reasons: ReadonlyMap<string, string>): string {
  const paint = painter(process.stdout);
  const width = process.stdout.isTTY ? process.stdout.columns : 140;
  const table = new Table({
    head: ['frame', 'message', 'session', 'decision', 'reason'],
    colWidths: [7, 9, 22, 10, Math.max(LEAST_REASON, width - OTHER_COLUMNS)],
    colAligns: ['right'],
    wordWrap: true,
    style: {
      head: hasColour(process.stdout) ? ['bold'] : [],
      border: hasColour(process.stdout) ? ['gray'] : [],
      compact: true,
    },
  });
  for (const { frame, message, session, handle, decision, reason } of played) {
    const why = decision === 'install' ? (reasons.get(handle) ?? reason) : reason;
    table.push([frame, message, session, paint(COLOURS[decision], decision), why]);
  }
  return table.toString();
}

function judge(played: readonly Played[], file: string): number {
  if (!existsSync(file)) return EXIT.ok;
  const expectations = new Expectations(readExpectations(file));
  for (const decision of played) expectations.compare(decision);
  expectations.finish();
  for (const { frame, problem } of expectations.mismatches) say(`frame ${frame}: ${problem}`);
  return verdictOf(expectations).exitCode;
}

function whatNext(capture: string, port: number): string {
  const paint = painter(process.stdout);
  const file = relative(process.cwd(), capture);
  const tries = [
    [`npx bandex decode -v ${file}`, 'every message, credentials opened up'],
    [`npx bandex replay ${file} --pdp 127.0.0.1:${port}`, 'the same again, from another terminal'],
    [
      `npx bandex pep --pdp 127.0.0.1:${port} --in 192.0.2.7=1 --capture ${file} --count 500`,
      'how fast it answers',
    ],
    ['npx bandex --help', 'all commands'],
  ] as const;
  const lines = tries.map(([line, what]) => `  ${paint('bold', line)}\n      ${paint('dim', what)}`);
  return `\nThe policy server goes on serving on 127.0.0.1:${port}, on 20 November 2007. Ctrl-C ends it. Try:\n\n${lines.join('\n')}\n`;
}
