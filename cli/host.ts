import { Command } from 'commander';
import { receiveCommand } from './host/receive.js';
import { sendCommand } from './host/send.js';

export function command(): Command {
  return new Command('host')
    .description('An end system: announce what is sent, reserve for what is received.')
    .addCommand(sendCommand())
    .addCommand(receiveCommand());
}
