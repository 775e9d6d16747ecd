import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import type { z } from 'zod';
import { suggest } from './suggest.js';

/** What is wrong with a file, and where. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type Checked<T> =
  | { readonly value: T; readonly at: (path: Path) => Problem; readonly problems?: undefined }
  | { readonly problems: readonly Problem[] };

export type Path = readonly PropertyKey[];

/**
 * Reads YAML and checks it against a schema. Every problem has its line and column: that of the value, or of the key
 * where a key is unknown. `at` says where a value stands, for what is found wrong with it later (its message is empty).
 */
export function checkYaml<S extends z.ZodType>(source: string, schema: S): Checked<z.output<S>> {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col), message };
  };
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => place(error.pos[0], yamlMessage(error.message))) };
  }
  const result = schema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {}, { reportInput: true });
  const at = (path: Path): Problem => place(offsetOf(document, path), '');
  if (result.success) return { value: result.data, at };
  const problems = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) =>
          place(keyOffset(document, issue.path, key), unknownKey(schema, issue.path, key)),
        )
      : [place(offsetOf(document, issue.path), issueMessage(issue))],
  );
  return { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** The library's message in our manner. */
function yamlMessage(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '');
}

function issueMessage(issue: z.core.$ZodIssue): string {
  const name = issue.path.length === 0 ? '' : `\`${pathText(issue.path)}\`: `;
  if (issue.code === 'custom' && !('input' in issue && isScalarValue(issue.input)))
    return `${name}${issue.message}`;
  const isMissing = issue.input === undefined;
  const got = isMissing ? 'is missing' : `got \`${shorten(JSON.stringify(issue.input))}\``;
  if (isMissing) return `${name}${got}${issue.message.startsWith('expected') ? `, ${issue.message}` : ''}`;
  const hint =
    issue.code === 'invalid_value' && typeof issue.input === 'string'
      ? hintFor(issue.input, issue.values)
      : '';
  return `${name}${lowerCase(issue.message)}, ${got}${hint}`;
}

function hintFor(input: string, values: readonly unknown[]): string {
  const meant = suggest(
    input,
    values.filter((value) => typeof value === 'string'),
  );
  return meant === undefined ? '' : `; did you mean \`${meant}\`?`;
}

function unknownKey(schema: z.ZodType, path: Path, key: string): string {
  const known = keysAt(schema, path);
  const meant = suggest(key, known);
  const where = path.length === 0 ? '' : ` in \`${pathText(path)}\``;
  const hint = meant === undefined ? `expected one of ${known.join(', ')}` : `did you mean \`${meant}\`?`;
  return `unknown key \`${key}\`${where}; ${hint}`;
}

/** The keys that the schema has at a path; none where it is no object there. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  let definition: SchemaDef = unwrap(schema);
  for (const step of path) {
    const next: z.ZodType | undefined =
      typeof step === 'number' ? definition.element : definition.shape?.[String(step)];
    if (next === undefined) return [];
    definition = unwrap(next);
  }
  return Object.keys(definition.shape ?? {});
}

interface SchemaDef {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
}

/** What is within `optional`, `default` and the like. */
function unwrap(schema: z.ZodType): SchemaDef {
  const definition = schema.def as SchemaDef;
  return definition.innerType === undefined ? definition : unwrap(definition.innerType);
}

/** Where a value begins, or the nearest thing around it that is there. */
function offsetOf(document: Document, path: Path): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node)) return start(node);
  }
  return isNode(document.contents) ? start(document.contents) : 0;
}

function keyOffset(document: Document, path: Path, key: string): number {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return offsetOf(document, path);
  const pair = map.items.find((item) => (isScalar(item.key) ? String(item.key.value) : '') === key);
  return isNode(pair?.key) ? start(pair.key) : offsetOf(document, path);
}

function start(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** `links[2].name`. */
export function pathText(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

function isScalarValue(value: unknown): boolean {
  return value !== null && typeof value !== 'object' && value !== undefined;
}

function lowerCase(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function shorten(text: string | undefined): string {
  if (text === undefined) return '';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
