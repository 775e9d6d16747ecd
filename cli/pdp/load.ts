import { readFileSync } from 'node:fs';
import { parseConfigFile } from '../config/load.js';
import type { ConfigFile } from '../config/load.js';
import { CONFIG } from './schema.js';
import type { PdpConfig } from './schema.js';

/** A checked configuration of a PDP, and what else stands in its files. */
export type LoadedConfig = PdpConfig & ConfigFile;

/** What payments are judged by: sections of a PDP's configuration, or of a router's that judges by itself. */
export type PaymentConfig = Pick<PdpConfig, 'policy' | 'links' | 'store' | 'quarantine'> & ConfigFile;

export function loadConfig(file: string): LoadedConfig {
  return parseConfig(file, readFileSync(file, 'utf8'));
}

export function parseConfig(file: string, source: string): LoadedConfig {
  return parseConfigFile(file, source, CONFIG);
}
