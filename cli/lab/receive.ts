import { createSocket } from 'node:dgram';
import { Command } from 'commander';
import { wholeNumber } from '../quantities.js';
import { print, say } from '../terminal.js';

export function receiveCommand(): Command {
  return new Command('receive')
    .description('Count UDP packets that arrive at a port, over IPv4 and IPv6, until interrupted.')
    .argument('<port>', 'UDP port', wholeNumber(65_535))
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  bandex lab exec receiver -- bandex lab receive 5004
  bandex lab exec receiver -- bandex lab receive 5004 --json`,
    )
    .action(receive);
}

async function receive(port: number, { json }: { readonly json?: true }): Promise<void> {
  const socket = createSocket({ type: 'udp6', recvBufferSize: 1 << 20 });
  let packets = 0;
  let octets = 0;
  socket.on('message', (payload, { family, address }) => {
    packets++;
    // An IPv4 sender is seen as `::ffff:10.0.0.1`.
    octets += payload.length + (family === 'IPv6' && !address.startsWith('::ffff:') ? 48 : 28);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, resolve);
  });
  say(`listening on UDP port ${port}`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  socket.close();
  if (json === true) print(JSON.stringify({ packets, octets }));
  else print(`received ${packets} packets, ${octets} octets`);
}
