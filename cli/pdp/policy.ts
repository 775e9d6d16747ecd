import type { CredentialCache } from '../../policy/keynote/index.js';
import { PaymentPolicy } from '../../policy/payment/index.js';
import type { PaymentOptions, RevocationOptions } from '../../policy/payment/index.js';
import { policyAssertions } from '../config/assertions.js';
import type { PaymentConfig } from './load.js';
import { principalAt } from '../config/principals.js';

/** What outlives a reload of the policy. */
export interface PolicyState {
  readonly cache: CredentialCache;
  readonly revoked?: NonNullable<PaymentOptions['revoked']>;
  readonly admit?: NonNullable<PaymentOptions['admit']>;
  readonly screen?: NonNullable<PaymentOptions['screen']>;
}

/** The policy that a configuration asks for; throws `CliError` with the place of what is wrong. */
export function buildPolicy(config: PaymentConfig, state: PolicyState): PaymentPolicy {
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
    policy: policyAssertions(config),
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
  config: PaymentConfig,
): RevocationOptions & { readonly names: ReadonlyMap<string, string> } {
  const { appDomain, algorithms } = config.policy;
  return { policy: policyAssertions(config), appDomain, algorithms, names: readNames(config) };
}

/** Names by principal id. */
export function readNames(config: PaymentConfig): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, value] of Object.entries(config.policy.names)) {
    names.set(principalAt(config, ['policy', 'names', name], value).id, name);
  }
  return names;
}
