import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { KeyNoteKeyError, KeyNoteSyntaxError, parsePublicKey } from '../../policy/keynote/index.js';
import type { Principal } from '../../policy/keynote/index.js';
import { ConfigError } from '../pdp/load.js';
import { checkYaml, pathText } from '../pdp/yaml.js';
import type { Path } from '../pdp/yaml.js';
import { CLEAR_CONFIG } from './schema.js';
import type { ClearConfig } from './schema.js';

/** A checked configuration, and what else stands in its files. */
export interface LoadedClearConfig extends ClearConfig {
  /** As given on the command line. */
  readonly file: string;
  /** A name of the configuration, relative to it. */
  readonly path: (name: string) => string;
  /** Reads a file that the configuration names at `path`. */
  readonly read: (path: Path, name: string) => Buffer;
  /** The error for something wrong with the value at `path`. */
  readonly problem: (path: Path, message: string) => ConfigError;
}

export function loadClearConfig(file: string): LoadedClearConfig {
  const checked = checkYaml(readFileSync(file, 'utf8'), CLEAR_CONFIG);
  if (checked.problems !== undefined) throw new ConfigError(file, checked.problems);
  const problem = (path: Path, message: string): ConfigError =>
    new ConfigError(file, [{ ...checked.at(path), message: `\`${pathText(path)}\`: ${message}` }]);
  const path = (name: string): string => resolve(dirname(file), name);
  const read = (at: Path, name: string): Buffer => {
    try {
      return readFileSync(path(name));
    } catch (error) {
      throw problem(at, `cannot read \`${name}\`: ${(error as Error).message.replace(/^\w+: /, '')}`);
    }
  };
  return { ...checked.value, file, path, read, problem };
}

/** Text with a colon is a principal (`ed25519-base64:...`), other text is the name of a file with a public key. */
export function principalAt(config: LoadedClearConfig, path: Path, value: string): Principal {
  const source = /^\s*"|^[a-z0-9-]+:/i.test(value) ? value : config.read(path, value).toString('latin1');
  try {
    const principal = parsePublicKey(source);
    if (!principal.isKey) throw config.problem(path, `\`${value}\` is no key`);
    return principal;
  } catch (error) {
    if (error instanceof KeyNoteKeyError || error instanceof KeyNoteSyntaxError)
      throw config.problem(path, error.message);
    throw error;
  }
}
