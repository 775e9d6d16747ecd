import { Command, Option } from 'commander';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { PAYMENT_RSVP } from '../policy/payment/index.js';
import { buildIp, pcapHeader, pcapRecord, timestampOfMillis } from '../rsvp/capture/index.js';
import { toHex } from '../rsvp/wire/index.js';
import type { WireObject } from '../rsvp/wire/index.js';
import { CliError, EXIT } from './exit.js';
import { bandwidth, collect, instant, pair, sender, session, wholeNumber } from './quantities.js';
import type { SessionText } from './quantities.js';
import { MESSAGES, requestMessage, STYLES } from './request/message.js';
import type { MessageName, StyleName } from './request/message.js';
import { policyDataOf } from './request/policy-data.js';
import { print, say } from './terminal.js';

interface Options {
  readonly message: MessageName;
  readonly session: SessionText;
  readonly sender?: readonly { address: string; port: number }[];
  readonly style: StyleName;
  readonly hop?: string;
  readonly to?: string;
  readonly bandwidth: number;
  readonly service: 'controlled-load' | 'guaranteed';
  readonly refresh: number;
  readonly claim?: readonly (readonly [string, string])[];
  readonly check?: string;
  readonly deflate?: true;
  readonly byReference?: readonly string[];
  readonly as: 'hex' | 'json' | 'element' | 'pcap';
  readonly output?: string;
  readonly append?: true;
  readonly at?: number;
  readonly mtu: number;
  readonly ttl: number;
  readonly id: number;
}

export function command(): Command {
  return new Command('request')
    .description(
      'Make an RSVP message that carries claims and credentials: as hex, JSON, a policy element or packets.',
    )
    .argument('[credential...]', 'files of KeyNote credentials, blank lines between several')
    .addOption(new Option('--message <type>', 'message').choices(Object.keys(MESSAGES)).default('resv'))
    .requiredOption('--session <session>', 'destination, protocol and port, as 192.0.2.7/udp/5004', session)
    .option('--sender <sender>', 'source and port, as 198.51.100.9/5004; may be repeated', collect(sender))
    .addOption(new Option('--style <style>', 'reservation style').choices(Object.keys(STYLES)).default('ff'))
    .option('--hop <address>', 'address of the node that sends it (RSVP_HOP); default 0.0.0.0 or ::')
    .option('--to <address>', 'IP destination of packets (default: the session of a Path)')
    .option('--bandwidth <rate>', 'rate of the FLOWSPEC or SENDER_TSPEC, as 50Mbit/s', bandwidth, 1_000_000)
    .addOption(
      new Option('--service <service>', 'service of the FLOWSPEC')
        .choices(['controlled-load', 'guaranteed'])
        .default('controlled-load'),
    )
    .option('--refresh <ms>', 'refresh period R', wholeNumber(0xffffffff), 30_000)
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
    .addOption(
      new Option('--as <form>', 'what to make').choices(['hex', 'json', 'element', 'pcap']).default('hex'),
    )
    .option('-o, --output <file>', 'write there instead of to stdout')
    .option('--append', 'add packets to a pcap file that this command made')
    .option('--at <time>', 'time of the packets, as 2027-03-20T20:00:00Z (default: now)', instant)
    .option('--mtu <octets>', 'longest packet; longer messages become fragments', wholeNumber(0xffff), 1500)
    .option('--ttl <hops>', 'IP time to live, and Send_TTL', wholeNumber(255), 64)
    .option('--id <number>', 'IP identification', wholeNumber(0xffff), 1)
    .addHelpText(
      'after',
      `
Examples:
  Alice's reservation with her check, the offer and Martha's authorization, as hex for a decoder:
    bandex request offer authorization --check check --session 192.0.2.7/udp/5004 \\
      --sender 198.51.100.9/5004 --bandwidth 50Mbit/s | bandex decode --hex rsvp -v

  The same as real packets, fragmented where they must be:
    bandex request offer authorization --check check --session 192.0.2.7/udp/5004 \\
      --sender 198.51.100.9/5004 --hop 192.0.2.7 --to 192.0.2.1 --as pcap -o resv.pcap

  The policy element alone, in hex:
    bandex request offer authorization --check check --session 192.0.2.7/udp/5004 --as element`,
    )
    .action((files: readonly string[], options: Options) => {
      const policyData = policyDataOf(files, options);
      try {
        write(options, policyData);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new CliError(error.message, EXIT.usage);
      }
    });
}

function write(options: Options, policyData: readonly WireObject[]): void {
  const { session: about, bandwidth: rate, message } = options;
  const hop = hopOf(options);
  const input = requestMessage({
    ...options,
    session: about,
    senders: options.sender ?? [],
    bandwidth: rate,
    policyData,
    hop,
  });
  const octets = PAYMENT_RSVP.encode(input);
  switch (options.as) {
    case 'hex': {
      text(options, toHex(octets));
      return;
    }
    case 'json': {
      text(options, JSON.stringify(PAYMENT_RSVP.toJson(PAYMENT_RSVP.decode(octets))));
      return;
    }
    case 'element': {
      text(options, toHex(PAYMENT_RSVP.encode({ msgType: 0, objects: policyData }).subarray(COMMON_HEADER)));
      return;
    }
    case 'pcap': {
      packets(options, octets, message);
      return;
    }
  }
}

const COMMON_HEADER = 8;
const RSVP_PROTOCOL = 46;

function text(options: Options, line: string): void {
  if (options.output === undefined) print(line);
  else writeFileSync(options.output, `${line}\n`);
}

/** Everything in a message is of its session's family (RFC 2205 3.1). */
function hopOf({ session: { address }, hop, sender: senders = [] }: Options): string {
  const isIpv6 = address.includes(':');
  for (const other of [...(hop === undefined ? [] : [hop]), ...senders.map((one) => one.address)]) {
    if (other.includes(':') !== isIpv6)
      throw new CliError(`${other} is not of the same address family as the session`, EXIT.usage);
  }
  return hop ?? (isIpv6 ? '::' : '0.0.0.0');
}

/** Path and PathTear go to the session, with Router Alert (RFC 2205 3.11.1); the others hop by hop. */
function packets(options: Options, octets: Uint8Array, message: MessageName): void {
  const hop = hopOf(options);
  const isPath = message === 'path' || message === 'pathtear';
  const src = isPath ? (options.sender?.[0]?.address ?? hop) : hop;
  const dst = options.to ?? (isPath ? options.session.address : undefined);
  if (dst === undefined)
    throw new CliError('--to: packets of a Resv need an IP destination, the previous hop', EXIT.usage);
  const alert = isPath ? { routerAlert: 0 } : {};
  const fields = {
    src,
    dst,
    protocol: RSVP_PROTOCOL,
    ttl: options.ttl,
    identification: options.id,
    ...alert,
  };
  const time = timestampOfMillis(options.at ?? Date.now());
  const records = buildIp(fields, octets, options.mtu).map((packet) => pcapRecord({ time, octets: packet }));
  const { output, append } = options;
  if (output === undefined) {
    process.stdout.write(Buffer.concat([pcapHeader(), ...records]));
    return;
  }
  if (append === true && existsSync(output)) appendFileSync(output, Buffer.concat(records));
  else writeFileSync(output, Buffer.concat([pcapHeader(), ...records]));
  say(
    `${output}: ${message}, ${octets.length} octets in ${records.length} packet${records.length === 1 ? '' : 's'}`,
  );
}
