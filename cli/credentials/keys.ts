import { existsSync, readFileSync } from 'node:fs';
import { parsePrincipal, parsePrivateKey, parsePublicKey } from '../../policy/keynote/index.js';
import type { Principal, PrivateKey } from '../../policy/keynote/index.js';
import { CliError, EXIT } from '../exit.js';

/** The private key of a file, in KeyNote's own form or PEM. */
export function privateKey(path: string): PrivateKey {
  return reading(path, () => parsePrivateKey(readFileSync(path, 'latin1')));
}

/** A public key: of a file (which may hold the private key), or as it is written in a credential. */
export function principal(text: string): Principal {
  if (!existsSync(text)) return reading(text, () => keyOf(text));
  const content = readFileSync(text, 'latin1');
  return reading(text, () =>
    /private/i.test(content) ? parsePrivateKey(content).principal : parsePublicKey(content),
  );
}

/** A mistyped file name would be a principal as well, one that nobody can sign for. */
function keyOf(text: string): Principal {
  const principal = parsePrincipal(text);
  if (!principal.isKey) throw new Error('there is no such file, and it is no key');
  return principal;
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw new CliError(`${what}: ${error instanceof Error ? error.message : String(error)}`, EXIT.invalid);
  }
}
