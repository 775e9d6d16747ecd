import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { generateKey } from '../../policy/io/keygen.js';
import type { KeyType } from '../../policy/io/keygen.js';
import { quote } from '../../policy/keynote/index.js';
import { print, say } from '../terminal.js';

interface Options {
  readonly type: KeyType;
  readonly bits: number;
  readonly encoding: 'hex' | 'base64';
  readonly force?: true;
  readonly json?: true;
}

export function keygenCommand(): Command {
  return new Command('keygen')
    .description(
      'Make a key: the private key goes to FILE (readable by you alone), the public key to FILE.pub.',
    )
    .argument('<file>', 'where to put the private key')
    .addOption(
      new Option('-t, --type <type>', 'kind of key').choices(['ed25519', 'rsa', 'dsa']).default('ed25519'),
    )
    .addOption(new Option('-b, --bits <n>', 'size of an RSA or DSA key').argParser(bits).default(2048))
    .addOption(
      new Option('-e, --encoding <encoding>', 'ASCII encoding').choices(['hex', 'base64']).default('base64'),
    )
    .option('-f, --force', 'replace files that exist')
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      `
Examples:
  bandex keynote keygen alice.key
  bandex keynote keygen --type rsa --bits 3072 isp.key`,
    )
    .action((file: string, options: Options) => {
      const key = generateKey(options.type, options.bits);
      const publicText = key.principal.toText(options.encoding);
      const flag = options.force === true ? 'w' : 'wx';
      writeFileSync(file, `${quote(key.toText(options.encoding))}\n`, { mode: 0o600, flag });
      writeFileSync(`${file}.pub`, `${quote(publicText)}\n`, { flag });
      const { fingerprint } = key.principal;
      if (options.json === true) print(JSON.stringify({ public: publicText, fingerprint, file }));
      else print(publicText);
      say(`${fingerprint}: private key in ${file}, public key in ${file}.pub`);
    });
}

function bits(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 512 && value <= 8192) return value;
  throw new InvalidArgumentError('expected a number from 512 to 8192');
}
