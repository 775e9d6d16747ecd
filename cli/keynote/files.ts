import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { KeyNoteKeyError, KeyNoteSyntaxError, parsePrivateKey } from '../../policy/keynote/index.js';
import type { AlgorithmChoice, PrivateKey } from '../../policy/keynote/index.js';
import { CliError, EXIT } from '../exit.js';
import { readStdin } from '../terminal.js';

/** A file's octets, one character each; `-` is stdin. */
export async function readText(file: string): Promise<string> {
  return (await readOctets(file)).toString('latin1');
}

export async function readOctets(file: string): Promise<Buffer> {
  return file === '-' ? readStdin() : readFileSync(file);
}

export function shownName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

export async function readPrivateKey(file: string): Promise<PrivateKey> {
  const text = await readText(file);
  try {
    return parsePrivateKey(text);
  } catch (error) {
    if (error instanceof KeyNoteKeyError || error instanceof KeyNoteSyntaxError) {
      throw new CliError(`${shownName(file)}: ${error.message}`, EXIT.invalid);
    }
    throw error;
  }
}

/** `policy.txt:4:23: expected an expression, found `;``, with the line drawn. */
export function describeSyntaxError(file: string, error: KeyNoteSyntaxError): string {
  return `${shownName(file)}:${error.line}:${error.column}: ${error.message}\n${error.drawing}`;
}

export function invalid(file: string, error: KeyNoteSyntaxError): CliError {
  return new CliError(describeSyntaxError(file, error), EXIT.invalid);
}

export function algorithmsOption(): Option {
  return new Option(
    '--algorithms <set>',
    'which signatures count: modern (Ed25519, RSA with SHA-256), or classic (RFC 2792 as well)',
  )
    .argParser((text): AlgorithmChoice => {
      if (text === 'modern' || text === 'classic') return text;
      throw new InvalidArgumentError('expected `modern` or `classic`');
    })
    .default('classic');
}
