import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { flowOf } from '../../rsvp/engine/flow.js';
import type { Flow, TokenBucket } from '../../rsvp/engine/flow.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { durationMillis } from '../config/duration.js';
import { bandwidth, collect, pair, session, wholeNumber } from '../quantities.js';
import type { SessionText } from '../quantities.js';
import { policyDataOf } from '../request/policy-data.js';
import type { PaymentTerms } from '../request/policy-data.js';
import { octetsOf, plainObjects } from '../router/policy/objects.js';

/** What `bandex host send` and `receive` have in common. */
export interface HostOptions extends PaymentTerms {
  readonly session: SessionText;
  readonly bandwidth: number;
  readonly size: number;
  readonly refresh: number;
  readonly for?: number;
  readonly udp?: true;
  readonly tear: boolean;
  readonly json?: true;
}

export function withHostOptions(command: Command): Command {
  return command
    .argument('[credential...]', 'files of KeyNote credentials that go along in POLICY_DATA')
    .requiredOption('--session <session>', 'destination, protocol and port, as 192.0.2.7/udp/5004', session)
    .option('--bandwidth <rate>', 'rate of IP packets, as 5Mbit/s', bandwidth, 1_000_000)
    .option('--size <octets>', 'of the largest IP packet', wholeNumber(65_535), 1500)
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
    .option('--refresh <time>', 'refresh period R (RFC 2205 3.7)', time, 30_000)
    .option('--for <time>', 'end after this, as 10s; with --until, the longest to wait', time)
    .option('--no-tear', 'leave the state behind when it ends: it times out')
    .addOption(new Option('--udp', 'RSVP in UDP, without privileges (RFC 2205 Appendix C)'))
    .option('--json', 'an event a line, as JSON');
}

export function time(text: string): number {
  const millis = durationMillis(text);
  if (millis === undefined || millis === 0) throw new InvalidArgumentError('expected a time, as 10s or 5m.');
  return millis;
}

/** A bucket of a tenth of a second, a peak of twice the rate; packets from 64 octets on. */
export function bucketOf({ bandwidth: bits, size }: Pick<HostOptions, 'bandwidth' | 'size'>): TokenBucket {
  const rate = bits / 8;
  return {
    rate,
    bucket: Math.max(Math.round(rate / 10), size),
    peak: rate * 2,
    minimumPolicedUnit: Math.min(64, size),
    maximumPacketSize: size,
  };
}

export function flowTerms(options: Pick<HostOptions, 'bandwidth' | 'size'>, service: Flow['service']): Flow {
  const bucket = bucketOf(options);
  return flowOf({ ...bucket, service, reservedRate: service === 'guaranteed' ? bucket.rate : 0, slack: 0 });
}

/** POLICY_DATA, as the engine knows it. */
export function policyDataFor(credentials: readonly string[], terms: PaymentTerms): readonly WireObject[] {
  return plainObjects(octetsOf(policyDataOf(credentials, terms)));
}
