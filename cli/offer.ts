import type { Command } from 'commander';
import { offer } from '../policy/payment/index.js';
import { credentialCommand, sign } from './credentials/sign.js';
import type { SigningOptions } from './credentials/sign.js';
import { bandwidth, seconds } from './quantities.js';

interface Options extends SigningOptions {
  readonly price: string;
  readonly currency: string;
  readonly bandwidth: number;
  readonly link?: string;
  readonly duration?: number;
}

export function command(): Command {
  return credentialCommand(
    'offer',
    'Make an offer: an ISP sells bandwidth on a link to whoever pays the price.',
  )
    .requiredOption('--price <amount>', 'least that is to be paid for a reservation')
    .requiredOption('--bandwidth <rate>', 'most that may be reserved, as 50Mbit/s', bandwidth)
    .option('--currency <code>', 'currency of the price', 'USD')
    .option('--link <name>', 'the link that it is for, as the policy server names it')
    .option(
      '--duration <time>',
      'longest that one payment buys, as 2h: a request must then claim it',
      seconds,
    )
    .addHelpText(
      'after',
      `
Examples:
  Nick sells up to 50 Mbit/s between Dublin and New York for 0.44 USD:
    bandex offer --key nick.key --to route.pub --price 0.44 --bandwidth 50Mbit/s \\
      --link Dublin-NYC --until 2027-11-20 > offer`,
    )
    .action((options: Options) => {
      const { price, currency, bandwidth: most, link, duration } = options;
      const terms = {
        price: { amount: price, currency },
        bandwidth: most,
        ...(duration === undefined ? {} : { duration }),
      };
      const text = sign(options, (parties) =>
        offer({ ...parties, ...terms, ...(link === undefined ? {} : { linkName: link }) }),
      );
      process.stdout.write(text);
    });
}
