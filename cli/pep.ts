import { Command, InvalidArgumentError, Option } from 'commander';
import { isIP } from 'node:net';
import { R_TYPE } from '../cops/index.js';
import type { Interface } from '../cops/index.js';
import type { PepClient } from '../cops/io/index.js';
import { ask } from './pep/load.js';
import type { Answered } from './pep/load.js';
import { questionsOf, readCaptureMessages, readMessages } from './pep/questions.js';
import type { Question } from './pep/questions.js';
import { bandwidth, collect, pair, sender, session, wholeNumber } from './quantities.js';
import type { SessionText } from './quantities.js';
import { connectPep, positiveNumber, withConnection } from './replay/connect.js';
import type { ConnectOptions } from './replay/connect.js';
import { oneLine } from './replay/decision.js';
import type { Outcome } from './replay/decision.js';
import { latencyText, percentiles } from './replay/output.js';
import { requestMessage, STYLES } from './request/message.js';
import type { StyleName } from './request/message.js';
import { policyDataOf } from './request/policy-data.js';
import type { PaymentTerms } from './request/policy-data.js';
import { CliError, EXIT } from './exit.js';
import { painter, print, say } from './terminal.js';

interface PepOptions extends ConnectOptions, PaymentTerms {
  readonly message: 'path' | 'resv';
  readonly session?: SessionText;
  readonly sender?: readonly { address: string; port: number }[];
  readonly style: StyleName;
  readonly hop: string;
  readonly bandwidth: number;
  readonly service: 'controlled-load' | 'guaranteed';
  readonly file?: string;
  readonly capture?: string;
  readonly in?: Interface;
  readonly out?: Interface;
  readonly context?: number;
  readonly count: number;
  readonly rate?: string;
  readonly parallel: number;
  readonly connections: number;
  readonly commit?: true;
  readonly json?: true;
}

export function command(): Command {
  const command = new Command('pep')
    .description(
      'Ask a PDP from the command line: one request, or many, with the decision, its reason, and how fast.',
    )
    .argument('[credential...]', 'files of KeyNote credentials that the request carries');
  return withConnection(command, 'bandex-pep')
    .addOption(new Option('--message <type>', 'what to ask about').choices(['path', 'resv']).default('resv'))
    .option('--session <session>', 'destination, protocol and port, as 192.0.2.7/udp/5004', session)
    .option('--sender <sender>', 'source and port, as 198.51.100.9/5004; may be repeated', collect(sender))
    .addOption(new Option('--style <style>', 'reservation style').choices(Object.keys(STYLES)).default('ff'))
    .option('--hop <address>', 'the neighbour that sent the message (RSVP_HOP)', '0.0.0.0')
    .option('--bandwidth <rate>', 'rate of the FLOWSPEC or SENDER_TSPEC, as 50Mbit/s', bandwidth, 1_000_000)
    .addOption(
      new Option('--service <service>', 'service of the FLOWSPEC')
        .choices(['controlled-load', 'guaranteed'])
        .default('controlled-load'),
    )
    .option('--claim <name=value>', 'a claimed attribute; may be repeated', collect(pair))
    .option(
      '--check <file>',
      'a check: goes along, and what it says of amount, currency and nonce is claimed',
    )
    .option('--deflate', 'deflate the credentials')
    .option(
      '--by-reference <file>',
      'credentials that go by their SHA-256 alone; may be repeated',
      collect(String),
    )
    .option('--file <file>', 'ask for these messages instead: a line each, hex or JSON; - is stdin')
    .option('--capture <file>', 'ask for the messages of a capture instead')
    .option(
      '--in <address=ifindex>',
      'In-Interface: where the message came from, and by which interface',
      interfaceOption,
    )
    .option('--out <address=ifindex>', 'Out-Interface: where it goes, and by which', interfaceOption)
    .option(
      '--context <steps>',
      'in, allocation, out, joined by + (default: as RFC 2749 5.1 has it)',
      contextOption,
    )
    .option('-c, --count <number>', 'how many times to ask for each message', wholeNumber(1e9), 1)
    .option('--rate <number>', 'requests a second at most')
    .option('-p, --parallel <number>', 'requests under way at once on a connection', wholeNumber(10_000), 1)
    .option('--connections <number>', 'connections, each a PEP of its own', wholeNumber(10_000), 1)
    .option('--commit', 'report that what is installed was put to use')
    .option('--json', 'a decision a line as JSON, then a summary')
    .addHelpText('after', HELP)
    .action(async (credentials: readonly string[], options: PepOptions) => {
      process.exitCode = await pep(credentials, options);
    });
}

const HELP = `
Each request has a handle of its own, which is deleted when it is answered. The exit code is 2 if any request was refused.

Examples:
  bandex pep --pdp 127.0.0.1:3288 --session 192.0.2.7/udp/5004 --sender 198.51.100.9/5004 --bandwidth 50Mbit/s \\
      --check check --in 192.0.2.7=1 offer authorization
  bandex pep --pdp 127.0.0.1:3288 --capture story.pcap
  bandex request --session 192.0.2.7/udp/5004 --as hex | bandex pep --pdp 127.0.0.1:3288 --file -
  bandex pep --pdp 127.0.0.1:3288 --message path --session 192.0.2.7/udp/5004 --sender 198.51.100.9/5004 \\
      --count 100000 --parallel 64 --connections 4        how many decisions a second`;

async function pep(credentials: readonly string[], options: PepOptions): Promise<number> {
  const questions = questionsFrom(credentials, options);
  if (questions.length === 0)
    throw new CliError('there is no Path, Resv, PathErr or ResvErr to ask about', EXIT.invalid);
  const rate = options.rate === undefined ? {} : { rate: positiveNumber('--rate', options.rate) };
  const total = questions.length * options.count;
  const tally = new Tally(options.json === true, total <= MOST_LINES);
  const clients: PepClient[] = [];
  try {
    for (let i = 0; i < options.connections; i++) {
      clients.push(await connectPep(i === 0 ? options : { ...options, pepId: `${options.pepId}-${i + 1}` }));
    }
    const started = performance.now();
    const { parallel, commit = false } = options;
    await ask(clients, questions, { total, parallel, commit, ...rate }, (answer) => tally.add(answer));
    tally.finish((performance.now() - started) / 1000);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  return tally.exitCode;
}

function questionsFrom(credentials: readonly string[], options: PepOptions): Question[] {
  const interfaces = {
    ...(options.in === undefined ? {} : { inInterface: options.in }),
    ...(options.out === undefined ? {} : { outInterface: options.out }),
    ...(options.context === undefined ? {} : { rType: options.context }),
  };
  if (options.file !== undefined)
    return readMessages(options.file).flatMap((message) => questionsOf(message, interfaces));
  if (options.capture !== undefined) {
    return readCaptureMessages(options.capture).flatMap((message) => questionsOf(message, interfaces));
  }
  if (options.session === undefined)
    throw new CliError('pep: one of --session, --file and --capture is needed', EXIT.usage);
  const { message, style, hop, service, session: about, sender: senders = [], bandwidth: rate } = options;
  const policyData = policyDataOf(credentials, options);
  return questionsOf(
    requestMessage({
      message,
      session: about,
      senders,
      style,
      hop,
      bandwidth: rate,
      service,
      refresh: 30_000,
      ttl: 64,
      policyData,
    }),
    interfaces,
  );
}

/** More decisions than these are counted, not listed. */
const MOST_LINES = 100;
const COLOURS = { install: 'green', remove: 'yellow', null: 'dim', error: 'red' } as const;

/** Decisions as they come: listed where they are few, counted by outcome and reason. */
class Tally {
  readonly #latencies: number[] = [];
  readonly #counts = new Map<
    string,
    { readonly decision: Outcome; readonly reason: string; count: number }
  >();
  readonly #paint = painter(process.stdout);

  constructor(
    readonly isJson: boolean,
    readonly isListed: boolean,
  ) {}

  add({ question, reading, milliseconds }: Answered): void {
    const { message, session: about, flow } = question;
    const { outcome: decision } = reading;
    const reason = oneLine(reading.reason);
    this.#latencies.push(milliseconds);
    const key = `${decision} ${reason}`;
    const entry = this.#counts.get(key);
    if (entry === undefined) this.#counts.set(key, { decision, reason, count: 1 });
    else entry.count++;
    if (this.isJson) {
      print(
        JSON.stringify({
          message,
          session: about,
          flow,
          decision,
          reason,
          milliseconds: Number(milliseconds.toFixed(3)),
        }),
      );
    } else if (this.isListed) {
      const paint = this.#paint;
      const time = paint('dim', `${milliseconds.toFixed(2)} ms`);
      print(
        `${paint(COLOURS[decision], decision.padEnd(7))}  ${message} ${about} ${flow}  ${reason}  ${time}`,
      );
    }
  }

  finish(seconds: number): void {
    const perSecond = Math.round(this.#latencies.length / seconds);
    if (this.isJson) {
      const decisions = [...this.#counts.values()];
      print(
        JSON.stringify({
          summary: { decisions, seconds, perSecond, milliseconds: percentiles(this.#latencies) },
        }),
      );
      return;
    }
    if (!this.isListed) {
      for (const { decision, reason, count } of this.#counts.values()) {
        print(
          `${String(count).padStart(8)}  ${this.#paint(COLOURS[decision], decision.padEnd(7))}  ${reason}`,
        );
      }
    }
    say(
      `${this.#latencies.length} decisions in ${seconds.toFixed(2)} s, ${perSecond}/s; ${latencyText(this.#latencies)}`,
    );
  }

  get exitCode(): number {
    const decisions = new Set([...this.#counts.values()].map(({ decision }) => decision));
    if (decisions.has('error')) return EXIT.failure;
    return decisions.has('remove') ? EXIT.refused : EXIT.ok;
  }
}

function interfaceOption(text: string): Interface {
  const [, address = '', ifindex = ''] = /^([0-9a-fA-F.:]+)=(\d{1,10})$/.exec(text) ?? [];
  if (isIP(address) === 0 || Number(ifindex) > 0xffff_ffff)
    throw new InvalidArgumentError('expected ADDRESS=IFINDEX, as 192.0.2.7=1.');
  return { address, ifindex: Number(ifindex) };
}

const STEPS: Readonly<Record<string, number>> = {
  in: R_TYPE.incoming,
  allocation: R_TYPE.allocation,
  out: R_TYPE.outgoing,
};

function contextOption(text: string): number {
  let flags = 0;
  for (const step of text.split('+')) {
    const flag = STEPS[step];
    if (flag === undefined) throw new InvalidArgumentError('expected in, allocation, out, joined by +.');
    flags |= flag;
  }
  return flags;
}
