import { Command, Option } from 'commander';
import { writeFileSync } from 'node:fs';
import type { ReserveRequest } from '../../rsvp/host/index.js';
import { HostSession } from '../../rsvp/host/index.js';
import { CliError, EXIT } from '../exit.js';
import { collect, sender } from '../quantities.js';
import { rateText } from '../show/text.js';
import type { EndSystem } from './node.js';
import { Account, onEndSystem } from './run.js';
import type { Until } from './run.js';
import { flowTerms, policyDataFor, withHostOptions } from './terms.js';
import type { HostOptions } from './terms.js';
import type { Sample } from './traffic/meter.js';
import { trafficPlot } from './traffic/plot.js';
import type { Mark } from './traffic/plot.js';
import { TrafficSink } from './traffic/sink.js';

interface ReceiveOptions extends HostOptions {
  readonly sender?: readonly { readonly address: string; readonly port: number }[];
  readonly style: 'ff' | 'se' | 'wf';
  readonly service: 'controlled-load' | 'guaranteed';
  readonly confirm: boolean;
  readonly reserve: boolean;
  readonly until?: Exclude<Until, undefined>;
  readonly traffic?: true;
  readonly plot?: string;
}

export function receiveCommand(): Command {
  return withHostOptions(new Command('receive'))
    .description('Reserve for what is sent to this machine, and say what becomes of it.')
    .option(
      '--sender <sender>',
      'source and port, as 198.51.100.9/5004; may be repeated (default: whoever sends)',
      collect(sender),
    )
    .addOption(new Option('--style <style>', 'reservation style').choices(['ff', 'se', 'wf']).default('ff'))
    .addOption(
      new Option('--service <service>', 'service')
        .choices(['controlled-load', 'guaranteed'])
        .default('controlled-load'),
    )
    .option('--no-confirm', 'ask for no confirmation (RFC 2205 2.6)')
    .option('--no-reserve', 'only listen: to show what traffic does without a reservation')
    .addOption(
      new Option('--until <event>', 'end with 0 when this has happened, with 2 when it is refused').choices([
        'path',
        'confirmed',
        'path-gone',
      ]),
    )
    .option('--traffic', 'count the test traffic of `bandex host send --traffic`, a line a second')
    .option('--plot <file>', 'with --traffic: draw rate and loss over time, as SVG')
    .addHelpText('after', HELP)
    .action(async (credentials: readonly string[], options: ReceiveOptions) => {
      process.exitCode = await onEndSystem(options, (system, interrupted) =>
        receive(system, credentials, options, interrupted),
      );
    });
}

const HELP = `
The reservation stands until Ctrl-C, which tears it down. Where it is refused the reason of the policy server is printed.

Examples:
  bandex host receive --session 192.0.2.7/udp/5004 --bandwidth 5Mbit/s --until confirmed --no-tear
  bandex host receive offer authorization --check check --session 192.0.2.7/udp/5004 --sender 198.51.100.9/5004 \\
      --bandwidth 50Mbit/s
  bandex host receive --session 192.0.2.7/udp/5004 --bandwidth 5Mbit/s --traffic --plot rate.svg --for 30s`;

async function receive(
  system: EndSystem,
  credentials: readonly string[],
  options: ReceiveOptions,
  interrupted: Promise<number>,
): Promise<number> {
  const { session: about, traffic, until } = options;
  const { address: destination, protocol, port } = about;
  if (isMulticast(destination)) system.join(destination);
  else if (system.interfaceOf(destination) === undefined)
    throw new CliError(`--session: ${destination} is no address of this machine`, EXIT.usage);
  const account = new Account(options, until);
  const measured = traffic === true ? new Measurement(options, account) : undefined;
  await measured?.start();
  const policyData = policyDataFor(credentials, options);
  let isAnswered = false;
  const heard = new Map<string, { readonly address: string; readonly port: number }>();
  const session = new HostSession(system, { destination, protocol, port }, (event) => {
    const happening = account.tell(event);
    if (happening.event === 'confirmed' || happening.event === 'refused') isAnswered = true;
    measured?.mark(happening.event);
    if (event.type !== 'PATH_EVENT' || event.state === 'gone') return;
    const isNew = !heard.has(event.sender);
    heard.set(event.sender, senderOf(event.sender));
    if (isNew && options.sender === undefined && options.style !== 'wf') reserve([...heard.values()]);
  });
  let asked: readonly { readonly address: string; readonly port: number }[] | undefined;
  const reserve = (senders: NonNullable<typeof asked>): void => {
    asked = senders;
    if (options.reserve)
      session.reserve({ ...requestOf(options, senders), policyData, confirm: options.confirm });
  };
  if (options.style === 'wf') reserve([]);
  else if (options.sender !== undefined) reserve(options.sender);
  // A confirmation is asked for once (RFC 2205 2.6), and a message may be lost: until an answer comes it is asked for again.
  const again = setInterval(() => {
    if (options.confirm && !isAnswered && asked !== undefined) reserve(asked);
  }, options.refresh);
  try {
    return await account.over(interrupted);
  } finally {
    clearInterval(again);
    await measured?.stop();
  }
}

function requestOf(
  options: ReceiveOptions,
  senders: readonly { readonly address: string; readonly port: number }[],
): Pick<ReserveRequest, 'style' | 'flows'> {
  const flow = flowTerms(options, options.service);
  switch (options.style) {
    case 'wf':
      return { style: 'WF', flows: [{ flow, senders: [] }] };
    case 'se':
      return { style: 'SE', flows: [{ flow, senders }] };
    case 'ff':
      return { style: 'FF', flows: senders.map((one) => ({ flow, senders: [one] })) };
  }
}

/** Of `10.0.0.1:5004` or `[::1]:5004`, as upcalls name senders. */
function senderOf(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

function isMulticast(address: string): boolean {
  return address.includes(':') ? /^ff/i.test(address) : Number.parseInt(address, 10) >= 224;
}

/** Test traffic, as it arrives. */
class Measurement {
  readonly #samples: Sample[] = [];
  readonly #marks: Mark[] = [];
  readonly #sink: TrafficSink;

  constructor(
    private readonly options: ReceiveOptions,
    private readonly account: Account,
  ) {
    const { address, port } = options.session;
    this.#sink = new TrafficSink(
      { address, port },
      (sample) => this.#sampled(sample),
      (error) => {
        account.write({ event: 'traffic', text: error.message });
      },
    );
  }

  start(): Promise<void> {
    return this.#sink.start();
  }

  mark(text: string): void {
    this.#marks.push({ at: this.#sink.now, text });
  }

  async stop(): Promise<void> {
    await this.#sink.stop();
    const { received, lost, duplicates, reordered } = this.#sink.meter.totals;
    const share = received + lost === 0 ? 0 : (lost / (received + lost)) * 100;
    const total = { event: 'total', received, lost, duplicates, reordered };
    this.account.write({
      ...total,
      text: `${received} packets received, ${lost} lost (${share.toFixed(2)} %)`,
    });
    const { plot, session: about } = this.options;
    if (plot === undefined) return;
    const title = `${about.address} port ${about.port}: test traffic`;
    writeFileSync(plot, trafficPlot(title, this.#samples, this.#marks));
  }

  #sampled(sample: Sample): void {
    this.#samples.push(sample);
    const { rate, loss, received, lost } = sample;
    const text = `${rateText(rate)}, ${(loss * 100).toFixed(2)} % lost`;
    this.account.write({ event: 'traffic', ...{ rate, loss, received, lost }, text });
  }
}
