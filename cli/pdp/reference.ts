import { jsonSchemaOf, referencePage } from '../config/reference.js';
import { CONFIG } from './schema.js';

export function configJsonSchema(): Record<string, unknown> {
  return jsonSchemaOf(CONFIG);
}

export function configReference(): string {
  return referencePage(HEAD, CONFIG);
}

const HEAD = `# Configuration of \`bandex pdp\`

<!-- Generated from cli/pdp/schema.ts by \`bandex pdp --reference\`: do not edit. -->

YAML. An unknown key or a bad value is an error that names its line and column, and the exit code is 3;
\`bandex pdp --config pdp.yaml --check\` finds them all and starts nothing. File names are relative to the configuration.
On SIGHUP the file is read and checked again, and what is marked *reloaded* takes effect; with an error in it the PDP
goes on as before and says so in its log. \`bandex pdp --schema\` prints this as JSON Schema, for editors.

\`\`\`yaml
listen:
  - port: 3288
policy:
  files: [policy.kn]
  route: route.pub
links:
  - { name: link-to-martha, pep: 'edge-*', ifIndex: 2 }
metrics: { port: 9288 }
\`\`\``;
