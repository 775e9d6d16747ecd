import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { CliError, EXIT } from '../exit.js';
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

/** What belongs to a checked configuration besides its values. */
export interface ConfigFile {
  /** As given on the command line. */
  readonly file: string;
  /** A name of the configuration, relative to it. */
  readonly path: (name: string) => string;
  /** Reads a file that the configuration names at `path`; its name is relative to the configuration. */
  readonly read: (path: Path, name: string) => Buffer;
  /** The error for something wrong with the value at `path`. */
  readonly problem: (path: Path, message: string) => ConfigError;
}

/** `file` is for messages, and for what relative names are relative to. */
export function parseConfigFile<S extends z.ZodType>(
  file: string,
  source: string,
  schema: S,
): z.output<S> & ConfigFile {
  const checked = checkYaml(source, schema);
  if (checked.problems !== undefined) throw new ConfigError(file, checked.problems);
  const problem = (at: Path, message: string): ConfigError =>
    new ConfigError(file, [{ ...checked.at(at), message: `\`${pathText(at)}\`: ${message}` }]);
  const path = (name: string): string => resolve(dirname(file), name);
  const read = (at: Path, name: string): Buffer => {
    try {
      return readFileSync(path(name));
    } catch (error) {
      throw problem(at, `cannot read \`${name}\`: ${(error as Error).message.replace(/^\w+: /, '')}`);
    }
  };
  return Object.assign({}, checked.value, { file, path, read, problem });
}
