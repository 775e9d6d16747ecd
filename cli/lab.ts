import { Command } from 'commander';
import { downCommand } from './lab/down.js';
import { execCommand } from './lab/exec.js';
import { graphCommand } from './lab/graph.js';
import { inspectCommand } from './lab/inspect.js';
import { pcapCommand } from './lab/pcap.js';
import { receiveCommand } from './lab/receive.js';
import { runCommand } from './lab/run.js';
import { sendCommand } from './lab/send.js';
import { upCommand } from './lab/up.js';

export function command(): Command {
  return new Command('lab')
    .description('Topologies of network namespaces on this machine, from a small file.')
    .enablePositionalOptions()
    .addCommand(upCommand())
    .addCommand(runCommand())
    .addCommand(execCommand())
    .addCommand(downCommand())
    .addCommand(inspectCommand())
    .addCommand(graphCommand())
    .addCommand(pcapCommand())
    .addCommand(sendCommand())
    .addCommand(receiveCommand())
    .addHelpText(
      'after',
      `
A lab needs no root where the kernel lets users make namespaces.

Examples:
  bandex lab run line.yaml                       build it, do its steps, remove it: exit code 0 or 2
  bandex lab up line.yaml                        build it and keep it until Ctrl-C
  bandex lab exec r1 -- tc -s class show dev eth1
  bandex lab pcap r1:r2 | bandex decode -
  bandex lab down --all                          also what a killed one left`,
    );
}
