import { Command, InvalidArgumentError, Option } from 'commander';
import { filterOf, type FilterOptions } from './decode/filter.js';
import { Output } from './decode/output.js';
import { renderJson, renderLine, renderTree } from './decode/render.js';
import { decodeFiles, decodeHex, type DecodeOptions } from './decode/run.js';
import { CliError, EXIT } from './exit.js';

interface Options extends FilterOptions {
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly hex?: 'rsvp' | 'cops';
  readonly count?: number;
  readonly strict?: boolean;
  readonly copsPort?: readonly number[];
  readonly udpPort?: readonly number[];
}

export function command(): Command {
  return new Command('decode')
    .description('Decode the RSVP and COPS messages of captures (pcap, pcapng, gzip of them), or of hex.')
    .argument('[file...]', 'captures; `-` is stdin')
    .option('-v, --verbose', 'the whole tree of each message, with the names of the RFCs')
    .option('--json', 'one JSON object a line: frame, time, src, dst, and rsvp or cops')
    .addOption(
      new Option('--hex <protocol>', 'read messages in hex from stdin, one a line').choices(['rsvp', 'cops']),
    )
    .option('--type <type>', 'messages of this type, by name or number (Path, REQ, 12)', collect)
    .option('--session <session>', 'ADDRESS[:PORT][/PROTOCOL] of the session', collect)
    .option('--sender <sender>', 'ADDRESS[:PORT] of a sender template or filter', collect)
    .option('--src <address>', 'source of the IP packet: an address or network', collect)
    .option('--dst <address>', 'destination of the IP packet: an address or network', collect)
    .option('--port <port>', 'port of the session, of a sender, or of UDP or TCP', collect)
    .option('--faults', 'messages with something wrong, and what is wrong without a message')
    .option('-c, --count <n>', 'stop after n messages', wholeNumber)
    .option('--strict', 'end with exit code 3 if anything is wrong with the capture or a message')
    .option('--cops-port <port>', 'a TCP port that carries COPS, beside 3288', collectNumber)
    .option('--udp-port <port>', 'a UDP port that carries RSVP, beside 1698 and 1699', collectNumber)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

const EXAMPLES = `
A filter that is given several times is met by any of them; different filters have to be met all.
Faults (a wrong checksum, truncation, garbage) are shown where they are and do not end the decoding;
the exit code is 0 unless a file is no capture (3), cannot be read (1), or --strict is given.
With --hex, a line that is malformed makes it 3.

Examples:
  bandex decode link.pcap                           one line a message
  bandex decode -v link.pcap --session 10.9.2.2     the whole tree of what concerns a session
  bandex decode --json link.pcapng.gz | jq .rsvp.type
  tcpdump -w - ip proto 46 | bandex decode -
  bandex decode --faults *.pcap
  echo 10090000 00000008 | bandex decode --hex cops -v
  bandex decode --hex rsvp --json < hex | bandex encode rsvp     gives the same hex`;

async function run(files: readonly string[], options: Options): Promise<void> {
  if (options.verbose === true && options.json === true) throw usage('-v and --json exclude each other');
  const decode: DecodeOptions = {
    filter: filterFrom(options),
    render: options.json === true ? renderJson : options.verbose === true ? renderTree : renderLine,
    capture: {
      copsPorts: [3288, ...(options.copsPort ?? [])],
      rsvpPorts: [1698, 1699, ...(options.udpPort ?? [])],
    },
    count: options.count ?? Infinity,
    strict: options.strict === true,
  };
  const out = new Output();
  if (options.hex !== undefined) {
    if (files.some((file) => file !== '-')) throw usage('--hex reads stdin, not files');
    process.exitCode = await decodeHex(options.hex, process.stdin, decode, out);
  } else {
    if (files.length === 0) throw usage('no capture given (`-` is stdin)');
    process.exitCode = await decodeFiles(files, decode, out);
  }
}

function filterFrom(options: FilterOptions): ReturnType<typeof filterOf> {
  try {
    return filterOf(options);
  } catch (error) {
    if (error instanceof RangeError) throw usage(error.message);
    throw error;
  }
}

function usage(message: string): CliError {
  return new CliError(message, EXIT.usage);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function collectNumber(value: string, before: readonly number[] = []): readonly number[] {
  const port = wholeNumber(value);
  if (port > 65_535) throw new InvalidArgumentError('A port is at most 65535.');
  return [...before, port];
}

function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(value);
}
