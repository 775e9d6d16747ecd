import type { Command } from 'commander';
import { creditAuthorization } from '../policy/payment/index.js';
import type { Limit } from '../policy/payment/index.js';
import { credentialCommand, sign } from './credentials/sign.js';
import type { SigningOptions } from './credentials/sign.js';
import { CliError, EXIT } from './exit.js';

interface Options extends SigningOptions {
  readonly max?: string;
  readonly below?: string;
  readonly currency: string;
  readonly total?: string;
}

export function command(): Command {
  return credentialCommand(
    'credit',
    'Make a credit authorization: a content provider lets a customer write checks.',
  )
    .option('--max <amount>', 'most that a check may be worth')
    .option('--below <amount>', 'a check must be worth less than this')
    .option('--total <amount>', 'most that all checks may be worth together, at one ISP')
    .option('--currency <code>', 'currency of the checks', 'USD')
    .addHelpText(
      'after',
      `
Examples:
  Martha lets Alice write checks of up to 0.55 USD:
    bandex credit --key martha.key --to alice.pub --max 0.55 --until 2027-03-24 > authorization

  The same as the paper writes it:
    bandex credit --key martha.key --to alice.pub --below 0.56 --until 2027-03-24

  The same, and 10 USD altogether:
    bandex credit --key martha.key --to alice.pub --max 0.55 --total 10

  A bank stands behind a content provider:
    bandex credit --key bank.key --to martha.pub --max 100 --currency EUR`,
    )
    .action((options: Options) => {
      const text = sign(options, (parties) =>
        creditAuthorization({
          ...parties,
          limit: limitOf(options),
          ...(options.total === undefined ? {} : { total: options.total }),
        }),
      );
      process.stdout.write(text);
    });
}

function limitOf({ max, below, currency }: Options): Limit {
  if (max !== undefined && below === undefined) return { atMost: { amount: max, currency } };
  if (below !== undefined && max === undefined) return { below: { amount: below, currency } };
  throw new CliError('give either --max or --below', EXIT.usage);
}
