import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { KeyRing } from '../../cops/index.js';
import { PepClient } from '../../cops/io/index.js';
import type { PepClientOptions } from '../../cops/io/index.js';
import { CliError, EXIT } from '../exit.js';

/** Options of a command that connects to a PDP as a PEP. */
export interface ConnectOptions {
  readonly pdp: string;
  readonly pepId: string;
  readonly tls?: true | 'start';
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly copsKey?: string;
  readonly timeout: string;
}

/** Adds them to a command. */
export function withConnection(command: Command, pepId: string): Command {
  return command
    .requiredOption('--pdp <host:port>', 'the PDP; the port is 3288 where it is left out')
    .option('--pep-id <name>', 'PEPID to open with', pepId)
    .option('--tls [start]', 'TLS from the first octet; `--tls start` upgrades the connection (RFC 4261)')
    .option('--ca <file>', "who may have signed the PDP's certificate, PEM")
    .option('--cert <file>', 'certificate of the PEP, PEM')
    .option('--key <file>', 'its private key, PEM')
    .option('--cops-key <id:file>', 'COPS INTEGRITY: key id, and the file with the shared secret')
    .option('--timeout <seconds>', 'how long to wait for the PDP', '10');
}

export function hostPort(text: string): { host: string; port?: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port ?? 0) > 65_535) {
    throw new CliError(`--pdp: \`${text}\` is not HOST:PORT, as 127.0.0.1:3288 or [::1]:3288`, EXIT.usage);
  }
  return { host, ...(port === undefined ? {} : { port: Number(port) }) };
}

/** How long a refused connection is tried again, ms. */
const PATIENCE = 3000;

/** A PEP whose client-type is open; throws `CliError` where the PDP cannot be reached or refuses. */
export async function connectPep(options: ConnectOptions): Promise<PepClient> {
  const seconds = positiveNumber('--timeout', options.timeout);
  const target = hostPort(options.pdp);
  const tls = options.tls === undefined ? 'none' : options.tls === 'start' ? 'start' : 'direct';
  const keys = options.copsKey === undefined ? {} : { keys: copsKeyRing(options.copsKey) };
  const file = (name: 'ca' | 'cert' | 'key'): object =>
    options[name] === undefined ? {} : { [name]: readFileSync(options[name]) };
  const client = new PepClient({
    pdps: [{ ...target, tls, ...keys }],
    pepId: options.pepId,
    tls: { ...file('ca'), ...file('cert'), ...file('key') },
    limits: { requestTimeout: seconds * 1000, openTimeout: seconds * 1000 },
  } satisfies PepClientOptions);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer for ${seconds} s`)), seconds * 1000);
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        client.off('opened', opened).off('lost', lost);
        if (error === undefined) resolve();
        else reject(error);
      };
      const opened = (): void => settle();
      // A server that was started a moment ago may not listen yet; the client tries again by itself.
      const started = Date.now();
      const lost = ({ reason }: { reason: string }): void => {
        if (!reason.includes('ECONNREFUSED') || Date.now() - started >= PATIENCE) settle(new Error(reason));
      };
      client.on('opened', opened).on('lost', lost);
    });
  } catch (error) {
    await client.close();
    throw new CliError(`cannot reach the PDP at ${options.pdp}: ${(error as Error).message}`);
  }
  return client;
}

function copsKeyRing(text: string): KeyRing {
  const [, id, file] = /^(\d{1,10}):(.+)$/.exec(text) ?? [];
  if (id === undefined || file === undefined || Number(id) > 0xffff_ffff) {
    throw new CliError(`--cops-key: \`${text}\` is not ID:FILE`, EXIT.usage);
  }
  const octets = readFileSync(file);
  return new KeyRing([{ id: Number(id), secret: octets.at(-1) === 0x0a ? octets.subarray(0, -1) : octets }]);
}

export function positiveNumber(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value))
    throw new CliError(`${option}: \`${text}\` is no positive number`, EXIT.usage);
  return value;
}
