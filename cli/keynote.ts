import { Command } from 'commander';
import { explainCommand } from './keynote/explain.js';
import { formatCommand } from './keynote/fmt.js';
import { keygenCommand } from './keynote/keygen.js';
import { queryCommand } from './keynote/query.js';
import { signCommand } from './keynote/sign.js';
import { verifyCommand } from './keynote/verify.js';

export function command(): Command {
  return new Command('keynote')
    .description('Write, sign, check and question KeyNote assertions (RFC 2704, RFC 2792).')
    .addCommand(keygenCommand())
    .addCommand(signCommand())
    .addCommand(verifyCommand())
    .addCommand(queryCommand())
    .addCommand(explainCommand())
    .addCommand(formatCommand())
    .addHelpText(
      'after',
      `
Examples:
  bandex keynote keygen alice.key                   an Ed25519 key; the public key goes to alice.key.pub
  bandex keynote sign check.txt --key alice.key     prints the signed assertion
  bandex keynote verify credentials.txt             a verdict a line; exit code 2 if one is not verified
  bandex keynote query queries.json                 {"id", "value"} a line
  bandex keynote explain queries.json               who licensed whom, and what stood in the way
  bandex keynote fmt policy.txt                     the usual layout`,
    );
}
