import { Command } from 'commander';
import { receiveCommand } from './host/receive.js';
import { sendCommand } from './host/send.js';

export function command(): Command {
  return new Command('host')
    .description('An end system: announce what is sent, reserve for what is received.')
    .addCommand(sendCommand())
    .addCommand(receiveCommand())
    .addHelpText(
      'after',
      `
It takes Linux with CAP_NET_RAW, or --udp where the router takes RSVP in UDP. What happens is printed, a line an event.

Examples:
  bandex host send --session 192.0.2.7/udp/5004 --bandwidth 5Mbit/s
  bandex host receive offer authorization --check check --session 192.0.2.7/udp/5004 --bandwidth 5Mbit/s`,
    );
}
