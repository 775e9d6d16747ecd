import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CliError, EXIT } from '../exit.js';
import { CONFIG } from './schema.js';
import type { PdpConfig } from './schema.js';
import { checkYaml, pathText } from './yaml.js';
import type { Path, Problem } from './yaml.js';

/** A configuration that is not well-formed: `pdp.yaml:12:3: ...`, a line for each problem. */
export class ConfigError extends CliError {
  constructor(
    readonly file: string,
    readonly problems: readonly Problem[],
  ) {
    super(
      problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\nbandex: '),
      EXIT.invalid,
    );
    this.name = 'ConfigError';
  }
}

/** A checked configuration, and what else stands in its files. */
export interface LoadedConfig extends PdpConfig {
  /** As given on the command line. */
  readonly file: string;
  /** Reads a file that the configuration names at `path`; its name is relative to the configuration. */
  readonly read: (path: Path, name: string) => Buffer;
  /** The error for something wrong with the value at `path`. */
  readonly problem: (path: Path, message: string) => ConfigError;
}

export function loadConfig(file: string): LoadedConfig {
  return parseConfig(file, readFileSync(file, 'utf8'));
}

/** `file` is for messages, and for what relative names are relative to. */
export function parseConfig(file: string, source: string): LoadedConfig {
  const checked = checkYaml(source, CONFIG);
  if (checked.problems !== undefined) throw new ConfigError(file, checked.problems);
  const problem = (path: Path, message: string): ConfigError =>
    new ConfigError(file, [{ ...checked.at(path), message: `\`${pathText(path)}\`: ${message}` }]);
  const read = (path: Path, name: string): Buffer => {
    try {
      return readFileSync(resolve(dirname(file), name));
    } catch (error) {
      throw problem(path, `cannot read \`${name}\`: ${(error as Error).message.replace(/^\w+: /, '')}`);
    }
  };
  return { ...checked.value, file, read, problem };
}
