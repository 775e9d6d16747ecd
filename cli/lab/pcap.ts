import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { Command } from 'commander';
import { CliError, EXIT } from '../exit.js';
import { say } from '../terminal.js';
import { requireTcpdump, TCPDUMP } from './capture.js';
import { linkNumber } from './lab.js';
import { enterWords } from './namespace.js';
import { findLab } from './state.js';
import { wireDevice } from './wire.js';

interface Options {
  readonly lab?: string;
  readonly output?: string;
  readonly filter?: string;
}

export function pcapCommand(): Command {
  return new Command('pcap')
    .description(
      'Capture what goes over a link of a running lab, both ways, until interrupted (pcap on stdout).',
    )
    .argument('<link>', 'as r1:r2; the first node is where it is captured')
    .option('--lab <name>', 'name of the lab, where several are running')
    .option('-o, --output <file>', 'write to this file')
    .option('--filter <expression>', 'of tcpdump')
    .addHelpText(
      'after',
      `
Examples:
  bandex lab pcap r1:r2 -o r1-r2.pcap
  bandex lab pcap r1:r2 --filter 'ip proto 46' | bandex decode -
  bandex lab pcap r1:r2 | wireshark -k -i -`,
    )
    .action(pcap);
}

async function pcap(link: string, { lab, output, filter }: Options): Promise<void> {
  if (output === undefined && process.stdout.isTTY)
    throw new CliError('a capture is not for a terminal: give --output, or a pipe', EXIT.usage);
  const state = findLab(lab);
  const device = wireDevice(linkNumber(state.links, link), 0);
  requireTcpdump();
  const words = [...TCPDUMP, '-i', device, ...(filter === undefined ? [] : [filter])];
  const child = spawn('env', [...enterWords(state.wire, state.mode), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(output === undefined ? process.stdout : createWriteStream(output));
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const asked: NodeJS.Signals[] = [];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      asked.push(signal);
      child.kill('SIGINT');
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0 && asked.length === 0) throw new CliError(`tcpdump: ${said.trim()}`);
  say(said.trim().split('\n').slice(-3).join(', '));
}
