import { dirname, join } from 'node:path';
import { parseAssertions } from '../../policy/keynote/index.js';
import type { Assertion, CredentialCache, KeyNoteSyntaxError } from '../../policy/keynote/index.js';
import { PaymentPolicy } from '../../policy/payment/index.js';
import type { PaymentOptions, RevocationOptions } from '../../policy/payment/index.js';
import { CliError, EXIT } from '../exit.js';
import type { LoadedConfig } from './load.js';
import { principalAt } from './principals.js';

/** What outlives a reload of the policy. */
export interface PolicyState {
  readonly cache: CredentialCache;
  readonly revoked?: NonNullable<PaymentOptions['revoked']>;
  readonly admit?: NonNullable<PaymentOptions['admit']>;
  readonly screen?: NonNullable<PaymentOptions['screen']>;
}

/** The policy that a configuration asks for; throws `CliError` with the place of what is wrong. */
export function buildPolicy(config: LoadedConfig, state: PolicyState): PaymentPolicy {
  const { policy, links } = config;
  const byLink = new Map<string, string>();
  links.forEach(({ name, route }, i) => {
    if (route !== undefined) byLink.set(name, principalAt(config, ['links', i, 'route'], route).text);
  });
  const other =
    policy.route === undefined ? undefined : principalAt(config, ['policy', 'route'], policy.route).text;
  const { credentials, octets, claims } = policy.limits;
  return new PaymentPolicy({
    ...state,
    policy: readAssertions(config),
    appDomain: policy.appDomain,
    algorithms: policy.algorithms,
    routes: { byLink, ...(other === undefined ? {} : { other }) },
    nodeKeys: policy.nodeKeys.map((key, i) => principalAt(config, ['policy', 'nodeKeys', i], key).text),
    names: readNames(config),
    free: new Set<string>(policy.pass),
    limits: { credentials, octets, claims },
    ...(policy.duration === undefined ? {} : { duration: policy.duration / 1000 }),
  });
}

/** Who may revoke what, by this configuration. */
export function revocationOptions(
  config: LoadedConfig,
): RevocationOptions & { readonly names: ReadonlyMap<string, string> } {
  const { appDomain, algorithms } = config.policy;
  return { policy: readAssertions(config), appDomain, algorithms, names: readNames(config) };
}

function readAssertions(config: LoadedConfig): Assertion[] {
  const { files, assertions } = config.policy;
  return [
    ...files.flatMap((name, i) =>
      parsed(join(dirname(config.file), name), config.read(['policy', 'files', i], name).toString('latin1')),
    ),
    ...parsed(`${config.file}: \`policy.assertions\``, assertions),
  ];
}

function parsed(where: string, text: string): Assertion[] {
  return parseAssertions(text).map((paragraph) => {
    if ('error' in paragraph) throw badAssertion(where, paragraph.line, paragraph.error);
    const [fault] = paragraph.assertion.faults;
    if (fault !== undefined) throw badAssertion(where, paragraph.line, fault);
    return paragraph.assertion;
  });
}

function badAssertion(where: string, line: number, error: KeyNoteSyntaxError): CliError {
  return new CliError(
    `${where}:${line + error.line - 1}:${error.column}: ${error.message}\n${error.drawing}`,
    EXIT.invalid,
  );
}

/** Names by principal id. */
export function readNames(config: LoadedConfig): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, value] of Object.entries(config.policy.names)) {
    names.set(principalAt(config, ['policy', 'names', name], value).id, name);
  }
  return names;
}
