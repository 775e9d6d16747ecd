import type { Command } from 'commander';
import { randomBytes } from 'node:crypto';
import { microcheck } from '../policy/payment/index.js';
import { credentialCommand, sign } from './credentials/sign.js';
import type { SigningOptions } from './credentials/sign.js';
import { day, seconds, session } from './quantities.js';
import type { SessionText } from './quantities.js';

interface Options extends SigningOptions {
  readonly amount: string;
  readonly currency: string;
  readonly nonce?: string;
  readonly date?: string;
  readonly duration?: number;
  readonly session?: SessionText;
}

export function command(): Command {
  return credentialCommand('check', 'Make a microcheck: a customer pays an ISP for one reservation.')
    .requiredOption('--amount <amount>', 'what is paid')
    .option('--currency <code>', 'currency of the amount', 'USD')
    .option('--nonce <text>', 'text that only this check carries (default: 12 random octets in hex)')
    .option('--date <day>', 'the day on which it is good (UTC): what it pays for ends with that day', day)
    .option(
      '--duration <time>',
      'for how long it pays, as 2h; a later check for the same adds to it',
      seconds,
    )
    .option(
      '--session <session>',
      'bind it to a session, as 192.0.2.7/udp/5004: a thief gets nothing',
      session,
    )
    .addHelpText(
      'after',
      `
Examples:
  Alice pays Nick 0.44 USD for the session that she will reserve, today:
    bandex check --key alice.key --to nick.pub --amount 0.44 --date 2027-03-20 \\
      --session 192.0.2.7/udp/5004 > check

  The claims that go with a check into a request are its amount, currency and nonce:
    bandex request check offer authorization --claim amount=0.44 --claim currency=USD \\
      --claim nonce=eb2c3dfc8e9a --session 192.0.2.7/udp/5004 --bandwidth 50Mbit/s`,
    )
    .action((options: Options) => {
      const { amount, currency, date, duration, session: bound } = options;
      const terms = { money: { amount, currency }, nonce: options.nonce ?? randomBytes(12).toString('hex') };
      const text = sign(options, (parties) =>
        microcheck({
          ...parties,
          ...terms,
          ...(date === undefined ? {} : { date }),
          ...(duration === undefined ? {} : { duration }),
          ...(bound === undefined ? {} : { session: bound }),
        }),
      );
      process.stdout.write(text);
    });
}
