import { z } from 'zod';

/** The JSON Schema of a configuration, for editors that complete and check YAML with one. */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A reference page: what `head` says, then a table a level, in the order of the schema. */
export function referencePage(head: string, schema: z.ZodType): string {
  const root = jsonSchemaOf(schema) as SchemaNode;
  const sections: string[] = [head, table(root, '')];
  for (const [name, node] of Object.entries(root.properties ?? {})) describe(sections, name, node);
  return `${sections.join('\n\n')}\n`;
}

function describe(sections: string[], name: string, node: SchemaNode): void {
  const inner = node.items ?? node;
  if (inner.properties === undefined) return;
  sections.push(
    `## ${name}`,
    ...(node.description === undefined ? [] : [node.description]),
    table(inner, name),
  );
  for (const [key, child] of Object.entries(inner.properties)) describe(sections, `${name}.${key}`, child);
}

function table(node: SchemaNode, at: string): string {
  const rows = Object.entries(node.properties ?? {}).map(([key, child]) => {
    const required = node.required?.includes(key) === true ? '*needed*' : defaultText(child);
    return `| \`${key}\` | ${kind(child)} | ${required} | ${child.description ?? `see [${at}${at === '' ? '' : '.'}${key}]`} |`;
  });
  return ['| key | value | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function kind(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.items !== undefined)
    return `list of ${node.items.properties === undefined ? plural(node.items) : 'maps'}`;
  if (node.properties !== undefined) return 'map';
  if (node.additionalProperties !== undefined) return 'map of names';
  if (node.format !== undefined) return FORMATS[node.format] ?? node.format;
  if (node.type === 'integer')
    return node.maximum !== undefined && node.maximum < 2 ** 32
      ? `${node.minimum ?? 0} to ${node.maximum}`
      : 'number';
  return node.type === 'boolean' ? '`true`, `false`' : 'text';
}

const FORMATS: Readonly<Record<string, string>> = {
  duration: 'duration, as `30s`',
  octets: 'octets, as `64KiB`',
  rate: 'rate, as `100Mbit/s`',
  'date-time': 'time, as `2026-03-24T12:00:00Z`',
  prefix: 'address or prefix',
};

function plural(node: SchemaNode): string {
  return node.enum === undefined ? `${kind(node)}s` : kind(node);
}

function defaultText(node: SchemaNode): string {
  const value = node.default;
  if (value === undefined || node.properties !== undefined) return '';
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return value.map((item) => `\`${item}\``).join(', ');
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === '{}' ? 'none' : `\`${text}\``;
}
