import { Command, Option } from 'commander';
import { HostSession } from '../../rsvp/host/index.js';
import { CliError, EXIT } from '../exit.js';
import { bandwidth, sender, wholeNumber } from '../quantities.js';
import type { EndSystem } from './node.js';
import { Account, onEndSystem } from './run.js';
import type { Until } from './run.js';
import { bucketOf, policyDataFor, withHostOptions } from './terms.js';
import type { HostOptions } from './terms.js';
import { TrafficGenerator } from './traffic/generator.js';

interface SendOptions extends HostOptions {
  readonly sender?: { readonly address: string; readonly port: number };
  readonly ttl: number;
  readonly until?: Exclude<Until, undefined>;
  readonly traffic?: number | true;
}

export function sendCommand(): Command {
  return withHostOptions(new Command('send'))
    .description('Announce what this machine sends, so that receivers can reserve for it.')
    .option(
      '--sender <sender>',
      'source and port, as 198.51.100.9/5004 (default: our address on the way, and the port of the session)',
      sender,
    )
    .option('--ttl <hops>', 'of the data: Paths go no further', wholeNumber(255), 64)
    .addOption(
      new Option('--until <event>', 'end with 0 when this has happened, with 2 on an error').choices([
        'reserved',
        'released',
      ]),
    )
    .option('--traffic [rate]', 'send numbered UDP packets, at this rate or that of --bandwidth', bandwidth)
    .addHelpText('after', HELP)
    .action(async (credentials: readonly string[], options: SendOptions) => {
      process.exitCode = await onEndSystem(options, (system, interrupted) =>
        send(system, credentials, options, interrupted),
      );
    });
}

const HELP = `
It announces until Ctrl-C, which tears the path state down.

Examples:
  bandex host send --session 192.0.2.7/udp/5004 --bandwidth 5Mbit/s
  bandex host send --session 192.0.2.7/udp/5004 --bandwidth 5Mbit/s --until reserved --no-tear
  bandex host send --session 192.0.2.7/udp/5004 --bandwidth 5Mbit/s --traffic`;

async function send(
  system: EndSystem,
  credentials: readonly string[],
  options: SendOptions,
  interrupted: Promise<number>,
): Promise<number> {
  const { session: about, ttl, until, traffic, size } = options;
  const { address: destination, protocol, port } = about;
  const from = options.sender ?? { address: system.sourceFor(destination) ?? '', port };
  if (from.address === '') throw new CliError(`--session: there is no way from here to ${destination}`);
  if (system.interfaceOf(from.address) === undefined)
    throw new CliError(`--sender: ${from.address} is no address of this machine`, EXIT.usage);
  const account = new Account(options, until);
  const session = new HostSession(system, { destination, protocol, port }, (event) => {
    account.tell(event);
  });
  session.send({ ...from, tspec: bucketOf(options), ttl, policyData: policyDataFor(credentials, options) });
  if (traffic === undefined) return account.over(interrupted);
  const generator = new TrafficGenerator({
    from,
    to: { address: destination, port },
    rate: (traffic === true ? options.bandwidth : traffic) / 8,
    size: Math.min(size, LARGEST_TEST_PACKET),
    failed: (error) => account.write({ event: 'traffic', text: error.message }),
  });
  await generator.start();
  try {
    return await account.over(interrupted);
  } finally {
    await generator.stop();
    account.write({ event: 'total', text: `${generator.sent} packets sent` });
  }
}

/** Smaller ones show a rate more finely. */
const LARGEST_TEST_PACKET = 1000;
