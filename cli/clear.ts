import { Command } from 'commander';
import { accountsCommand } from './clear/accounts.js';
import { auditCommand } from './clear/audit.js';
import { depositCommand } from './clear/deposit-command.js';
import { serveCommand } from './clear/serve.js';
import { settleCommand } from './clear/settle.js';
import { statementCommand } from './clear/statement.js';

export function command(): Command {
  return new Command('clear')
    .description(
      'The clearing centre: ISPs deposit payments, providers settle them, everybody has statements.',
    )
    .addCommand(serveCommand())
    .addCommand(depositCommand())
    .addCommand(statementCommand())
    .addCommand(accountsCommand())
    .addCommand(settleCommand())
    .addCommand(auditCommand())
    .addHelpText(
      'after',
      `
Examples:
  bandex clear serve --config clear.yaml
  bandex clear deposit --file deposits.json --url http://127.0.0.1:8443 --key nick.key
  bandex clear statement nick --config clear.yaml
  bandex clear settle --config clear.yaml
  bandex clear audit --config clear.yaml --verify`,
    );
}
