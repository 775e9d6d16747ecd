import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import type { ClearingClient, ClearingClientOptions } from '../../policy/clearing/io/client.js';
import { parsePrivateKey } from '../../policy/keynote/index.js';
import { privateKey } from '../credentials/keys.js';
import { CliError, EXIT } from '../exit.js';
import type { ClearingSection } from './schema.js';

export interface RemoteOptions {
  readonly url?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly tlsKey?: string;
}

/** Options of every command that speaks to a clearing centre. */
export function remoteOptions(command: Command): Command {
  return command
    .option('--url <address>', 'the clearing centre, as https://clearing.example:8443')
    .option('--key <file>', 'private key of an account or an operator; it signs the request')
    .option('--ca <file>', "who may sign the clearing centre's certificate (PEM)")
    .option('--certificate <file>', 'our certificate (PEM), instead of --key')
    .option('--tls-key <file>', "the certificate's private key (PEM)");
}

export function remoteClient({ url, key, ca, certificate, tlsKey }: RemoteOptions): ClearingClientOptions {
  if (url === undefined) throw new CliError('--url is missing', EXIT.usage);
  if (key === undefined && certificate === undefined)
    throw new CliError('give --key, or --certificate and --tls-key', EXIT.usage);
  const pem = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileSync(file);
  return {
    url,
    key: key === undefined ? undefined : privateKey(key),
    ...{ ca: pem(ca), certificate: pem(certificate), tlsKey: pem(tlsKey) },
  };
}

/** The same from a `clearing` section; `read` opens a file that it names. */
export function sectionClient(
  { url, key, ca, certificate, tlsKey }: ClearingSection,
  read: (member: keyof ClearingSection, name: string) => Buffer,
): ClearingClientOptions {
  const pem = (member: 'ca' | 'certificate' | 'tlsKey', name: string | undefined): Buffer | undefined =>
    name === undefined ? undefined : read(member, name);
  return {
    url,
    key: key === undefined ? undefined : parsePrivateKey(read('key', key).toString('latin1')),
    ...{ ca: pem('ca', ca), certificate: pem('certificate', certificate), tlsKey: pem('tlsKey', tlsKey) },
  };
}

/** Asks a clearing centre; its refusals are answers, with an exit code of their own. */
export async function asking<Answer>(
  options: ClearingClientOptions,
  ask: (client: ClearingClient) => Promise<Answer>,
): Promise<Answer> {
  const { ClearingClient, ClearingRefused, ClearingUnavailable } =
    await import('../../policy/clearing/io/client.js');
  const client = new ClearingClient(options);
  try {
    return await ask(client);
  } catch (error) {
    if (error instanceof ClearingRefused) throw new CliError(error.message, EXIT.refused);
    if (error instanceof ClearingUnavailable) throw new CliError(error.message, EXIT.failure);
    throw error;
  } finally {
    client.close();
  }
}
