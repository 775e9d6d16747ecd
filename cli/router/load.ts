import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { parseConfigFile } from '../config/load.js';
import type { ConfigFile } from '../config/load.js';
import type { Path } from '../config/yaml.js';
import type { PaymentConfig } from '../pdp/load.js';
import { CONFIG } from './schema.js';
import type { RouterConfig } from './schema.js';

/** A checked configuration of a router, and what else stands in its files. */
export type LoadedRouterConfig = RouterConfig & ConfigFile;

export function loadRouterConfig(file: string): LoadedRouterConfig {
  return parseRouterConfig(file, readFileSync(file, 'utf8'));
}

export function parseRouterConfig(file: string, source: string): LoadedRouterConfig {
  return parseConfigFile(file, source, CONFIG);
}

export function routerName(config: RouterConfig): string {
  return config.name ?? hostname();
}

/** What an interface is called in conditions. */
export function linkNameOf(config: RouterConfig, interfaceName: string): string {
  return config.interfaces.find(({ name }) => name === interfaceName)?.link ?? interfaceName;
}

/**
 * The section `local` as a policy server's configuration: an interface is a link there. What is found wrong with it is said
 * with its place in the router's configuration.
 */
export function paymentConfig(config: LoadedRouterConfig): PaymentConfig | undefined {
  const { local, interfaces, file, path } = config;
  if (local === undefined) return undefined;
  const here = ([first, ...rest]: Path): Path =>
    first === 'links' ? ['interfaces', ...rest] : first === undefined ? [] : ['local', first, ...rest];
  return {
    ...local,
    links: interfaces.map(({ name, link, route }) => ({
      name: link ?? name,
      pep: '*',
      ...(route === undefined ? {} : { route }),
    })),
    file,
    path,
    read: (at, name) => config.read(here(at), name),
    problem: (at, message) => config.problem(here(at), message),
  };
}
