import { KeyNoteKeyError, parsePublicKey } from '../../policy/keynote/index.js';
import type { Principal } from '../../policy/keynote/index.js';
import type { LoadedConfig } from './load.js';
import type { Path } from './yaml.js';

/**
 * A principal of the configuration: text with a colon is one (`ed25519-base64:...`), other text is the name of a file with a
 * public key: KeyNote's form, or PEM.
 */
export function principalAt(config: LoadedConfig, path: Path, value: string): Principal {
  const source = /^\s*"|^[a-z0-9-]+:/i.test(value) ? value : config.read(path, value).toString('latin1');
  try {
    return parsePublicKey(source);
  } catch (error) {
    if (error instanceof KeyNoteKeyError) throw config.problem(path, error.message);
    throw error;
  }
}
