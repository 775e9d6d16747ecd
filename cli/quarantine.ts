import { Command } from 'commander';
import { listCommand } from './quarantine/list.js';
import { releaseCommand } from './quarantine/release.js';

export function command(): Command {
  return new Command('quarantine')
    .description(
      'Who is not listened to for a while by the policy servers of a database, and who is to be again.',
    )
    .addCommand(listCommand())
    .addCommand(releaseCommand())
    .addHelpText(
      'after',
      `
A key, a neighbour (source) or a router (pep) that fails too often is in quarantine: its requests are refused unread. The rules
are in the configuration, under \`quarantine\`. Running policy servers take notice within a second.

Examples:
  bandex quarantine list --config pdp.yaml                              who, since when, until when, and why
  bandex quarantine release key Alice --config pdp.yaml                 by a name of \`policy.names\`
  bandex quarantine release source 192.0.2.7@edge-1 --config pdp.yaml   a neighbour of the router edge-1
  bandex quarantine release --all --config pdp.yaml`,
    );
}
