import { Command } from 'commander';
import { KeyNoteSyntaxError, signAssertion, SIGNATURE_ALGORITHMS } from '../../policy/keynote/index.js';
import { CliError, EXIT } from '../exit.js';
import { print } from '../terminal.js';
import { invalid, readPrivateKey, readText, shownName } from './files.js';

interface Options {
  readonly key: string;
  readonly algorithm?: string;
  readonly json?: true;
}

export function signCommand(): Command {
  return new Command('sign')
    .description('Sign one assertion with the key that its Authorizer field names, and print it.')
    .argument('<file>', 'the assertion, without a Signature field; - is stdin')
    .requiredOption('-k, --key <file>', "the private key, in KeyNote's form or in PEM")
    .option('-a, --algorithm <name>', 'form of the signature; by default the strongest that the key can make')
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      `
Algorithms:
  ${SIGNATURE_ALGORITHMS.join('\n  ')}

Examples:
  bandex keynote sign check.txt --key alice.key > check.signed
  bandex keynote sign old.txt --key isp.pem --algorithm sig-rsa-sha1-hex`,
    )
    .action(async (file: string, options: Options) => {
      const key = await readPrivateKey(options.key);
      const text = await readText(file);
      const assertion = signed(() => signAssertion(text, key, options.algorithm), file);
      print(options.json === true ? JSON.stringify({ assertion }) : assertion.trimEnd());
    });
}

function signed(sign: () => string, file: string): string {
  try {
    return sign();
  } catch (error) {
    if (error instanceof KeyNoteSyntaxError) throw invalid(file, error);
    if (error instanceof RangeError || error instanceof TypeError) {
      throw new CliError(`${shownName(file)}: ${error.message}`, EXIT.invalid);
    }
    throw error;
  }
}
