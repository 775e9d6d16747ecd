import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { Command } from 'commander';
import { durationMillis } from '../config/duration.js';
import { CliError, EXIT } from '../exit.js';
import { bandwidth, wholeNumber } from '../quantities.js';
import { print } from '../terminal.js';

interface Options {
  readonly rate: number;
  readonly octets: number;
  readonly duration: number;
  readonly json?: true;
}

export function sendCommand(): Command {
  return new Command('send')
    .description('Send UDP packets at a rate, as an application with a reservation does.')
    .argument('<address>', 'where to')
    .argument('<port>', 'UDP port, of both sides', wholeNumber(65_535))
    .option('--rate <bandwidth>', 'of IP packets', bandwidth, 1_000_000)
    .option('--octets <n>', 'of an IP packet', wholeNumber(65_000), 1000)
    .option('--duration <time>', 'how long, as 500ms or 10s', millis, 2000)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  bandex lab exec receiver -- bandex lab receive 5004
  bandex lab exec sender -- bandex lab send receiver 5004 --rate 2Mbit/s --duration 10s`,
    )
    .action(send);
}

/** IP and UDP headers. */
const HEADERS = { 4: 28, 6: 48 } as const;

async function send(name: string, port: number, { rate, octets, duration, json }: Options): Promise<void> {
  const { lookup } = await import('node:dns/promises');
  const address = isIP(name) !== 0 ? name : (await lookup(name)).address;
  const family = isIP(address) === 6 ? 6 : 4;
  if (octets < HEADERS[family])
    throw new CliError(`--octets: expected ${HEADERS[family]} at least, which are headers`, EXIT.usage);
  const socket = createSocket({ type: `udp${family}`, sendBufferSize: 1 << 20 });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, resolve);
  });
  const payload = Buffer.alloc(octets - HEADERS[family]);
  const perMilli = rate / 8 / octets / 1000;
  const packets = Math.max(1, Math.round(perMilli * duration));
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    let given = 0;
    let done = 0;
    const sent = (error: Error | null): void => {
      if (error !== null) reject(error);
      else if (++done === packets) resolve();
    };
    const timer = setInterval(() => {
      const due = Math.min(packets, Math.ceil((performance.now() - started) * perMilli));
      for (; given < due; given++) socket.send(payload, port, address, sent);
      if (given === packets) clearInterval(timer);
    }, 1);
  });
  socket.close();
  const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
  if (json === true) print(JSON.stringify({ packets, octets: packets * octets, seconds }));
  else print(`sent ${packets} packets, ${packets * octets} octets, in ${seconds} s`);
}

function millis(text: string): number {
  const found = durationMillis(text);
  if (found === undefined || found === 0)
    throw new CliError('--duration: expected a time as 10s', EXIT.usage);
  return found;
}
