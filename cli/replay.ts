import { Command } from 'commander';
import { writeFileSync } from 'node:fs';
import type { PepClient } from '../cops/io/index.js';
import { CaptureFile } from './replay/capture.js';
import { connectPep, positiveNumber, withConnection } from './replay/connect.js';
import type { ConnectOptions } from './replay/connect.js';
import { readDecision } from './replay/decision.js';
import { Expectations, expectationsText, readExpectations, verdictOf } from './replay/expect.js';
import type { Expected } from './replay/expect.js';
import { interfaceRule, InterfaceTable } from './replay/interfaces.js';
import { latencyText, Output } from './replay/output.js';
import { Pace, playCapture } from './replay/play.js';
import type { Played, Player } from './replay/player.js';
import { EXIT } from './exit.js';
import { say } from './terminal.js';

interface ReplayOptions extends ConnectOptions {
  readonly interface?: readonly string[];
  readonly router?: readonly string[];
  readonly speed: string;
  readonly refreshes?: true;
  readonly record?: string;
  readonly expect?: string;
  readonly json?: true;
  readonly verbose?: true;
}

export function command(): Command {
  const command = new Command('replay')
    .description('Play the RSVP messages of a capture to a PDP, as a PEP would.')
    .argument('<capture>', 'pcap or pcapng, gzip or not; - is stdin');
  return withConnection(command, 'bandex-replay')
    .option(
      '-i, --interface <address=ifindex...>',
      "the ifIndex of a link, by the router's address on it, a neighbour's, or a prefix",
    )
    .option(
      '-r, --router <address...>',
      'addresses of the router that is played: what it sent itself is left out',
    )
    .option('--speed <speed>', '`max`, `1` for the speed of the capture, or how many times as fast', 'max')
    .option('--refreshes', 'ask also for refreshes that change nothing')
    .option('--record <file>', 'write the decisions down as expectations')
    .option('--expect <file>', 'compare the decisions with such a file')
    .option('--json', 'a decision a line as JSON')
    .option('-v, --verbose', 'say on stderr what else the PDP is told: reports and deletes')
    .addHelpText('after', HELP)
    .action(async (capture: string, options: ReplayOptions) => {
      process.exitCode = await replay(capture, options);
    });
}

const HELP = `
Path and Resv are asked for as RFC 2749 has it: a handle a state, one context in&out for a Path, in&allocation&out for a
unicast FF reservation, in&allocation and then out for each previous hop otherwise; PathErr and ResvErr as transient
handles. Packed reservations are unpacked, refreshes that change nothing are not sent, an installed reservation is reported,
tears and time-outs (by the capture's clock) are deleted. One request is under way at a time, so that decisions
depend on the capture alone. Links without --interface are numbered as they are met: from 1 those of the router's own
addresses (the destinations of Resv messages), from 1001 those of previous hops.

A decision a line: frame, seconds since the first packet, message, session and flow, context, decision, reason, latency.
With --expect the exit code is 0 only if all expectations are met, and 2 otherwise.

Examples:
  bandex replay story.pcap --pdp 127.0.0.1:3288
  bandex replay story.pcap --pdp 127.0.0.1:3288 --record story.expect.yaml
  bandex replay story.pcap --pdp 127.0.0.1:3288 --expect story.expect.yaml     a conformance test for any PDP
  bandex replay trace.pcapng --pdp pdp.example:3183 --tls --cert edge-1.pem --key edge-1.key --pep-id edge-1 \\
      -i 10.0.1.0/24=1 -i 10.0.2.0/24=2 --router 10.0.1.254 10.0.2.254 --speed 10`;

async function replay(capture: string, options: ReplayOptions): Promise<number> {
  const expected = options.expect === undefined ? undefined : readExpectations(options.expect);
  const file = new CaptureFile(capture);
  const client = await connectPep(options);
  const output = new Output(options.json === true, file.size);
  try {
    return await played(file, client, output, expected, options);
  } finally {
    output.stop();
    await client.close();
  }
}

async function played(
  file: CaptureFile,
  client: PepClient,
  output: Output,
  expected: readonly Expected[] | undefined,
  options: ReplayOptions,
): Promise<number> {
  const expectations = expected === undefined ? undefined : new Expectations(expected);
  const all: Played[] = [];
  const pace = new Pace(options.speed === 'max' ? Infinity : positiveNumber('--speed', options.speed));
  client.on('decision', ({ handle, decisions }) => {
    const { outcome, reason } = readDecision(decisions);
    say(`unsolicited decision for handle ${handle}: ${outcome} (${reason})`);
  });
  const started = performance.now();
  const player = await playCapture(file, client, {
    pace,
    router: {
      interfaces: new InterfaceTable((options.interface ?? []).map(interfaceRule)),
      ...(options.router === undefined ? {} : { own: new Set(options.router) }),
      refreshes: options.refreshes === true,
    },
    decided: (decided) => {
      all.push(decided);
      output.decided(decided, pace.start, expectations?.compare(decided)?.problem);
      output.progress(file.read, all.length);
    },
    told: (frame, text) => {
      if (options.verbose === true) say(`frame ${frame}: ${text}`);
    },
    skipped: (frame, why) => say(`frame ${frame}: not played: ${why}`),
  });
  output.stop();
  say(summary(all, player, (performance.now() - started) / 1000));
  if (options.record !== undefined) writeFileSync(options.record, expectationsText(all));
  if (expectations === undefined) return EXIT.ok;
  for (const { frame, problem } of expectations.finish()) say(`frame ${frame}: mismatch: ${problem}`);
  const verdict = verdictOf(expectations);
  say(verdict.text);
  return verdict.exitCode;
}

function summary(all: readonly Played[], player: Player, seconds: number): string {
  const counts = new Map<string, number>();
  for (const { decision } of all) counts.set(decision, (counts.get(decision) ?? 0) + 1);
  const parts = [...counts].map(([decision, count]) => `${count} ${decision}`).join(', ');
  const what = parts === '' ? 'no decisions' : `${all.length} decisions (${parts})`;
  const told = `${player.reports} reports, ${player.deletes} deletes in ${seconds.toFixed(2)} s`;
  return all.length === 0 ? `${what}, ${told}` : `${what}, ${told}; ${latencyText(player.latencies)}`;
}
