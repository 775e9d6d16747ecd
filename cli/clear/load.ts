import { readFileSync } from 'node:fs';
import { parseConfigFile } from '../config/load.js';
import type { ConfigFile } from '../config/load.js';
import { CLEAR_CONFIG } from './schema.js';
import type { ClearConfig } from './schema.js';

/** A checked configuration of a clearing centre, and what else stands in its files. */
export type LoadedClearConfig = ClearConfig & ConfigFile;

export function loadClearConfig(file: string): LoadedClearConfig {
  return parseConfigFile(file, readFileSync(file, 'utf8'), CLEAR_CONFIG);
}
