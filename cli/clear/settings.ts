import { createSecureContext } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { ClearingConfigError, Directory, isoScale, toMinor } from '../../policy/clearing/index.js';
import type { ClearingCentre, KnownAccount, Terms } from '../../policy/clearing/index.js';
import { openClearing } from '../../policy/clearing/io/open.js';
import type { OpenClearing } from '../../policy/clearing/io/open.js';
import type { Principal } from '../../policy/keynote/index.js';
import { placeAt, placeText } from '../../policy/stores/io/open.js';
import { SchemaTooNew } from '../../policy/stores/migrate.js';
import { StoreUnavailable } from '../../policy/stores/store.js';
import { CliError } from '../exit.js';
import { policyAssertions } from '../config/assertions.js';
import { keyAt } from '../config/principals.js';
import type { LoadedClearConfig } from './load.js';

export interface ClearSettings {
  readonly open: Omit<OpenClearing, 'now'>;
  readonly operators: readonly Principal[];
  readonly tls: TlsOptions | undefined;
}

/** What a configuration and the files that it names ask for; throws `CliError` with the place of what is wrong. */
export function settingsOf(config: LoadedClearConfig): ClearSettings {
  const currencies = new Map(
    Object.entries(config.currencies).map(([code, scale]) => [code, scale ?? isoScale(code)]),
  );
  const { credentials, octets, attributes, payers, patience } = config.limits;
  const { maxAge, skew, maxHold } = config;
  const terms: Terms = {
    ...{ appDomain: config.policy.appDomain, currencies, maxAge, skew, maxHold },
    limits: { credentials, octets, attributes, payers },
  };
  const directory = directoryOf(config, currencies);
  const { algorithms } = config.policy;
  const place = placeAt(config.store, config.path);
  return {
    open: { policy: policyAssertions(config), algorithms, terms, directory, place, patience },
    operators: config.operators.map((key, i) => keyAt(config, ['operators', i], key)),
    tls: tlsOf(config),
  };
}

/** Opens the database of a configuration; `keepAccounts` where the accounts of the configuration are not to go into it. */
export async function openCentre(
  config: LoadedClearConfig,
  now: number,
  keepAccounts = false,
): Promise<ClearingCentre> {
  try {
    return await openClearing({ ...settingsOf(config).open, now, keepAccounts });
  } catch (error) {
    if (error instanceof ClearingConfigError) throw config.problem(['currencies'], error.message);
    if (error instanceof StoreUnavailable || error instanceof SchemaTooNew)
      throw new CliError(`${placeText(config.store)}: ${error.message}`);
    throw error;
  }
}

function directoryOf(config: LoadedClearConfig, currencies: ReadonlyMap<string, number>): Directory {
  const accounts = config.accounts.map(({ name, kind, keys, limit, frozen }, i): KnownAccount => {
    const most = Object.entries(limit).map(([currency, amount]): [string, bigint] => {
      const scale = currencies.get(currency);
      const path = ['accounts', i, 'limit', currency];
      if (scale === undefined) throw config.problem(path, `${currency} is not in \`currencies\``);
      const minor = toMinor(amount, scale);
      if (minor === undefined) throw config.problem(path, `${currency} has ${scale} decimals`);
      return [currency, minor];
    });
    const principals = keys.map((key, k) => keyAt(config, ['accounts', i, 'keys', k], key));
    return { id: name, kind, keys: principals, limit: new Map(most), frozen };
  });
  try {
    return new Directory(accounts);
  } catch (error) {
    if (error instanceof RangeError) throw config.problem(['accounts'], error.message);
    throw error;
  }
}

function tlsOf(config: LoadedClearConfig): TlsOptions | undefined {
  const { tls } = config;
  if (tls === undefined) return undefined;
  const options: TlsOptions = {
    cert: config.read(['tls', 'certificate'], tls.certificate),
    key: config.read(['tls', 'key'], tls.key),
    ...(tls.ca === undefined ? {} : { ca: config.read(['tls', 'ca'], tls.ca) }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw config.problem(['tls'], `the certificate and the key cannot be used: ${(error as Error).message}`);
  }
  return options;
}
