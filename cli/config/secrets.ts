import type { ConfigFile } from './load.js';
import type { Path } from './yaml.js';

/** The octets of a shared secret: its text, or what is in its file but for one newline at the end. */
export function secretAt(
  config: ConfigFile,
  at: Path,
  { secret, secretFile }: { readonly secret?: string | undefined; readonly secretFile?: string | undefined },
): Buffer {
  if (secret !== undefined) return Buffer.from(secret);
  const octets = config.read([...at, 'secretFile'], secretFile ?? '');
  const end = octets.at(-1) === 0x0a ? (octets.at(-2) === 0x0d ? -2 : -1) : undefined;
  return octets.subarray(0, end);
}
