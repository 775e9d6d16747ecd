import { Command } from 'commander';
import { KeyNoteSyntaxError, signAssertion } from '../../policy/keynote/index.js';
import type { CredentialParties } from '../../policy/payment/index.js';
import { CliError, EXIT } from '../exit.js';
import { day } from '../quantities.js';
import { principal, privateKey } from './keys.js';

/** Options of every command that makes a credential. */
export interface SigningOptions {
  readonly key: string;
  readonly to: string;
  readonly appDomain: string;
  readonly until?: string;
  readonly also?: string;
  readonly algorithm?: string;
}

/** A command that makes a credential: who signs, whom it authorizes, until when. */
export function credentialCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .requiredOption('--key <file>', 'private key of whoever signs (KeyNote form or PEM)')
    .requiredOption('--to <key>', 'whom it authorizes: a key file, or the key as text')
    .option('--app-domain <name>', 'what app_domain must be', 'Band-X')
    .option('--until <day>', 'first day on which it holds no more (UTC), as 2027-03-24', day)
    .option('--also <expression>', 'a KeyNote expression that must hold as well')
    .option('--algorithm <name>', 'signature algorithm, as sig-rsa-sha1-base64 (default: by the key)');
}

/** The signed text. A caller's mistake in the terms is said as such. */
export function sign(options: SigningOptions, write: (parties: CredentialParties) => string): string {
  const key = privateKey(options.key);
  const { appDomain, until, also, algorithm } = options;
  try {
    const text = write({
      from: key.principal.toText('base64'),
      to: principal(options.to).toText('base64'),
      appDomain,
      ...(until === undefined ? {} : { until }),
      ...(also === undefined ? {} : { also }),
    });
    return signAssertion(text, key, algorithm);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError)
      throw new CliError(error.message, EXIT.usage);
    if (error instanceof KeyNoteSyntaxError)
      throw new CliError(`${error.message}\n${error.drawing}`, EXIT.usage);
    throw error;
  }
}
