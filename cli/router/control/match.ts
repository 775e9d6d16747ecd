import { matchesGlob } from '../../pdp/glob.js';

/**
 * Does an event or a row match `name=pattern`, where `*` stands for any run of characters, or hold a text somewhere? All of
 * several must.
 */
export function matchesAll(value: object, wanted: readonly string[]): boolean {
  return wanted.every((one) => matches(value, one));
}

function matches(value: object, wanted: string): boolean {
  const [, name, pattern] = /^([a-z][A-Za-z]*)=(.*)$/s.exec(wanted) ?? [];
  const fields = new Map<string, unknown>(Object.entries(value));
  if (name === undefined || pattern === undefined || !fields.has(name))
    return texts([...fields.values()]).some((text) => text.includes(wanted));
  return texts([fields.get(name)]).some((text) => matchesGlob(pattern, text));
}

function texts(values: readonly unknown[]): string[] {
  return values.flatMap((value) => {
    if (Array.isArray(value)) return texts(value);
    if (typeof value === 'object' && value !== null) return texts(Object.values(value));
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? [String(value)]
      : [];
  });
}
