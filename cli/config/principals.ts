import { KeyNoteKeyError, KeyNoteSyntaxError, parsePublicKey } from '../../policy/keynote/index.js';
import type { Principal } from '../../policy/keynote/index.js';
import type { ConfigFile } from './load.js';
import type { Path } from './yaml.js';

/**
 * A principal of the configuration: text with a colon is one (`ed25519-base64:...`), other text is the name of a file with a
 * public key: KeyNote's form, or PEM.
 */
export function principalAt(config: ConfigFile, path: Path, value: string): Principal {
  const source = /^\s*"|^[a-z0-9-]+:/i.test(value) ? value : config.read(path, value).toString('latin1');
  try {
    return parsePublicKey(source);
  } catch (error) {
    if (error instanceof KeyNoteKeyError || error instanceof KeyNoteSyntaxError)
      throw config.problem(path, error.message);
    throw error;
  }
}

/** The same where it must be a key: somebody signs with it. */
export function keyAt(config: ConfigFile, path: Path, value: string): Principal {
  const principal = principalAt(config, path, value);
  if (!principal.isKey) throw config.problem(path, `\`${value}\` is no key`);
  return principal;
}
