import { jsonSchemaOf, referencePage } from '../config/reference.js';
import { CONFIG } from './schema.js';

export function routerJsonSchema(): Record<string, unknown> {
  return jsonSchemaOf(CONFIG);
}

export function routerReference(): string {
  return referencePage(HEAD, CONFIG);
}

const HEAD = `# Configuration of \`bandex router\`

<!-- Generated from cli/router/schema.ts by \`bandex router --reference\`: do not edit. -->

YAML, checked as the policy server's is: \`bandex router --config router.yaml --check\` finds what is wrong, with line and column,
and starts nothing. \`bandex router --schema\` prints this as JSON Schema. On SIGHUP it is read again, and \`local.policy\`,
\`local.quarantine\`, INTEGRITY keys and refresh reduction take effect at once, \`reservable\`, \`latency\` and \`nonRsvp\` within a
minute; all else with the next start.

\`\`\`yaml
name: ne-12
interfaces:
  - { name: eth0, bandwidth: 100Mbit/s, reservable: 80Mbit/s, link: Dublin-NYC }
  - name: eth1
    bandwidth: 1Gbit/s
    integrity: { keys: [{ id: 1, secretFile: core.key }] }
policy: cops
cops:
  pdps: [{ host: pdp-1.example }, { host: pdp-2.example }]
metrics: { port: 9289 }
\`\`\``;
